"""CSV as RFC 4180 has it, with bare line feeds: a header row, quotes where a field needs them.

NULL is an empty field, an empty string is `""`; a row of a single NULL is `""` too, since a blank line is no row.
"""

from collections.abc import Iterable, Sequence

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.results import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of

DRAWS = (Part.ROWS, Part.RESULT)


def record(values: Iterable[object]) -> str:
    """One record with its line end."""
    return (",".join(map(_field, values)) or '""') + "\n"


def _field(value: object) -> str:
    if value is None:
        return ""
    text = text_of(value)
    if text and not any(mark in text for mark in ',"\r\n') and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def write(document: Document, streams: Streams) -> None:
    """The header and the rows."""
    if streams.headers and document.header:
        streams.write(record(document.header))
    for row in document.rows() if document.rows else ():
        streams.write(record(row))


class CsvResult:
    """The header and the rows; nothing of a statement that returns none."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def begin(self, columns: Sequence[str]) -> None:
        """Writes the header."""
        if columns and self._streams.headers:
            self._streams.write(record(columns))

    def rows(self, batch: Sequence[Row]) -> bool:
        """One record a row."""
        self._streams.write("".join(map(record, batch)))
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are this format
        """Sends out what is buffered."""
        self._streams.flush()


def result_writer(streams: Streams) -> CsvResult:
    """The writer of a result."""
    return CsvResult(streams)
