"""JSON lines: one object a line, each on its own; of a result one object a row, keyed by column."""

from collections.abc import Sequence

from omnidb_cli.output.formats.json import json_rows, write_lines
from omnidb_cli.output.json_text import compact
from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.results.columns import blocks
from omnidb_cli.output.results.model import ResultSummary, Row, unique_names
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import json_safe

DRAWS = (Shape.ITEMS, Shape.RESULT, Shape.LINES)


def write(document: Report, streams: Streams) -> None:
    """One item a line."""
    write_lines(document.items() if document.items else (), streams)


class JsonLinesResult:
    """Only the rows; a column name that comes twice gets `_2`."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._template = ""

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the keys."""
        keys = (compact(name, ascii_only=not self._streams.unicode) for name in unique_names(columns))
        self._template = "{" + ", ".join(key.replace("%", "%%") + ": %s" for key in keys) + "}"

    def rows(self, batch: Sequence[Row]) -> bool:
        """One row a line."""
        for block in blocks(batch):
            lines = json_rows(block, self._template, ascii_only=not self._streams.unicode)
            self._streams.write(json_safe("\n".join(lines)) + "\n")
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - the rows alone are this format
        """Sends out what is buffered."""
        self._streams.flush()


def result_writer(streams: Streams) -> JsonLinesResult:
    """The writer of a result."""
    return JsonLinesResult(streams)
