"""JSON lines: one object a line, each on its own; of a result one object a row, keyed by column."""

from collections.abc import Sequence

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.formats.json import compact
from omnidb_cli.output.results import ResultSummary, Row, unique_names
from omnidb_cli.output.streams import Streams

DRAWS = (Part.ITEMS, Part.RESULT)


def write(document: Document, streams: Streams) -> None:
    """One item a line."""
    for item in document.items() if document.items else ():
        streams.write(compact(item, ascii_only=not streams.unicode) + "\n")


class JsonLinesResult:
    """Only the rows; a column name that comes twice gets `_2`."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._keys: tuple[str, ...] = ()

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the keys."""
        self._keys = unique_names(columns)

    def rows(self, batch: Sequence[Row]) -> bool:
        """One row a line."""
        for row in batch:
            row_object = dict(zip(self._keys, row, strict=True))
            self._streams.write(compact(row_object, ascii_only=not self._streams.unicode) + "\n")
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are this format
        """Sends out what is buffered."""
        self._streams.flush()


def result_writer(streams: Streams) -> JsonLinesResult:
    """The writer of a result."""
    return JsonLinesResult(streams)
