"""JSON: the object itself, indented; as a stream one object a line. A result has one row a line."""

from collections.abc import Sequence

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.results import SCHEMA, ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import json_safe, jsonable

DRAWS = (Part.BODY, Part.RESULT)


def compact(value: object, *, ascii_only: bool = False) -> str:
    """One line of JSON, without its end."""
    import json

    return json_safe(json.dumps(jsonable(value), ensure_ascii=ascii_only, allow_nan=False))


def write(document: Document, streams: Streams) -> None:
    """The object, indented by two."""
    import json

    text = json.dumps(jsonable(document.body), ensure_ascii=not streams.unicode, allow_nan=False, indent=2)
    streams.write(json_safe(text) + "\n")


def write_line(document: Document, streams: Streams) -> None:
    """The object on one line."""
    streams.write(compact(document.body, ascii_only=not streams.unicode) + "\n")


class JsonResult:
    """One object: schema, columns, the rows as they come, and then who served them."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._first = True

    def begin(self, columns: Sequence[str]) -> None:
        """Opens the object."""
        self._streams.write(f'{{\n  "schema": "{SCHEMA}",\n  "columns": {self._json(list(columns))},\n  "rows": [')

    def rows(self, batch: Sequence[Row]) -> bool:
        """One row a line."""
        for row in batch:
            self._streams.write(("\n    " if self._first else ",\n    ") + self._json(list(row)))
            self._first = False
        return True

    def end(self, result: ResultSummary) -> None:
        """Closes the rows and says the rest."""
        lines = [f'  "{key}": {self._json(value)}' for key, value in result._asdict().items()]
        self._streams.write(("],\n" if self._first else "\n  ],\n") + ",\n".join(lines) + "\n}\n")
        self._streams.flush()

    def _json(self, value: object) -> str:
        return compact(value, ascii_only=not self._streams.unicode)


def result_writer(streams: Streams) -> JsonResult:
    """The writer of a result."""
    return JsonResult(streams)
