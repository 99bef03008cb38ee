"""A result's single column as the server sent it, for files and other programs: no header, nothing escaped."""

from collections.abc import Sequence

from omnidb_cli.output.results.model import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of


class SeveralColumnsError(ValueError):
    """The result has more than one column: nothing of it was written."""


class RawResult:
    """A value a line: bytes as they are, everything else as text; an empty line for NULL."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the column. Raises SeveralColumnsError where it is not the only one."""
        if len(columns) > 1:
            raise SeveralColumnsError(
                f"prints a single column, and the result of this statement has {len(columns)}: {', '.join(columns)}"
            )

    def rows(self, batch: Sequence[Row]) -> bool:
        """Writes the values."""
        for (value,) in batch:
            if isinstance(value, bytes):
                self._write_bytes(value)
            else:
                self._streams.out.write(text_of(value) + "\n")
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the values alone are wanted
        """Sends out what is buffered."""
        self._streams.flush()

    def _write_bytes(self, value: bytes) -> None:
        out = self._streams.out
        out.flush()  # text that waits in the layer above goes first
        out.buffer.write(value + b"\n")
