r"""Tab-separated values: one line a row, always as many tabs.

Tab, line feed, carriage return and backslash in a value are `\t`, `\n`, `\r` and `\\`. NULL in a result is `\N`
(as PostgreSQL's and MySQL's own dumps have it); in omnidb's own rows, where nothing else is empty, it is empty.
"""

from collections.abc import Iterable, Sequence

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.results import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of

DRAWS = (Part.ROWS, Part.RESULT)

_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def record(values: Iterable[object], *, null: str = "") -> str:
    """One record with its line end."""
    return "\t".join(null if value is None else text_of(value).translate(_ESCAPES) for value in values) + "\n"


def write(document: Document, streams: Streams) -> None:
    """The header and the rows."""
    if streams.headers and document.header:
        streams.write(record(document.header))
    for row in document.rows() if document.rows else ():
        streams.write(record(row))


class TsvResult:
    """The header and the rows; nothing of a statement that returns none."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def begin(self, columns: Sequence[str]) -> None:
        """Writes the header."""
        if columns and self._streams.headers:
            self._streams.write(record(columns))

    def rows(self, batch: Sequence[Row]) -> bool:
        """One record a row."""
        self._streams.write("".join(record(row, null="\\N") for row in batch))
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are this format
        """Sends out what is buffered."""
        self._streams.flush()


def result_writer(streams: Streams) -> TsvResult:
    """The writer of a result."""
    return TsvResult(streams)
