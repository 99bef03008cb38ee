"""What formats of one line a record have in common: a header, the rows, and nothing else."""

from collections.abc import Callable, Sequence

from omnidb_cli.output.report import Report
from omnidb_cli.output.results.columns import blocks
from omnidb_cli.output.results.model import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import visible_lines

Records = Callable[[Sequence[Row]], str]
"""The records of one row or more, each with its line end."""


def write_records(document: Report, streams: Streams, records: Records) -> None:
    """Writes the header and the rows of a document; what servers said in it controls no terminal later on."""
    if streams.headers and document.header:
        streams.write(records([document.header]))
    for block in blocks(document.rows() if document.rows else ()):
        streams.write(visible_lines(records(block)))


class RecordResult:
    """The header and the rows of a result; nothing of a statement that returns none."""

    def __init__(self, streams: Streams, records: Records) -> None:
        self._streams = streams
        self._records = records

    def begin(self, columns: Sequence[str]) -> None:
        """Writes the header."""
        if columns and self._streams.headers:
            self._streams.write(self._records([columns]))

    def rows(self, batch: Sequence[Row]) -> bool:
        """One record a row."""
        for block in blocks(batch):
            self._streams.write(self._records(block))
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are these formats
        """Sends out what is buffered."""
        self._streams.flush()
