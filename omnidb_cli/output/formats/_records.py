"""What formats of one line a record have in common: a header, the rows, and nothing else."""

from collections.abc import Callable, Iterable, Sequence

from omnidb_cli.output.document import Document
from omnidb_cli.output.results import ResultSummary, Row
from omnidb_cli.output.streams import Streams

Record = Callable[[Iterable[object]], str]
"""One record with its line end."""


def write_records(document: Document, streams: Streams, record: Record) -> None:
    """Writes the header and the rows of a document."""
    if streams.headers and document.header:
        streams.write(record(document.header))
    for row in document.rows() if document.rows else ():
        streams.write(record(row))


class RecordResult:
    """The header and the rows of a result; nothing of a statement that returns none."""

    def __init__(self, streams: Streams, record: Record) -> None:
        self._streams = streams
        self._record = record

    def begin(self, columns: Sequence[str]) -> None:
        """Writes the header."""
        if columns and self._streams.headers:
            self._streams.write(self._record(columns))

    def rows(self, batch: Sequence[Row]) -> bool:
        """One record a row."""
        self._streams.write("".join(map(self._record, batch)))
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are these formats
        """Sends out what is buffered."""
        self._streams.flush()
