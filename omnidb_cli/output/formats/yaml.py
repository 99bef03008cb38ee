"""YAML: the same object as JSON; of a result one row a line."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec.structs import asdict

from omnidb_cli.output.redaction import Redactor, nothing_secret
from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.results.model import SCHEMA, ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import jsonable

_UNBROKEN = 2**31 - 1
"""The longest line that PyYAML can be told: a value is never broken over several."""

DRAWS = (Shape.BODY, Shape.RESULT)


def yaml_text(value: object, *, unicode: bool = True, flow: bool | None = False) -> str:
    """The value as YAML with a line end. `flow` None puts collections of plain values on one line."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(
        jsonable(value, _encodable),
        Dumper=dumper,
        allow_unicode=unicode,
        sort_keys=False,
        default_flow_style=flow,
        width=_UNBROKEN,
    )
    return text


def _encodable(text: str) -> str:
    r"""The text with `\udc80` for half a character (a byte that was no UTF-8): YAML has no way to write it."""
    return text if text.isprintable() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def write(document: Report, streams: Streams) -> None:
    """The object; of a long list or mapping some items at a time."""
    for text in yaml_texts(document.body, streams.redact, unicode=streams.unicode):
        streams.write(text)


_ITEMS = 200
"""Of a list or a mapping that are written at once: PyYAML makes a tree of all that it is given."""


def yaml_texts(body: object, redact: Redactor = nothing_secret, *, unicode: bool = True) -> Iterator[str]:
    """The text of the body in pieces, which together are what `yaml_text` makes of it."""
    if not isinstance(body, Mapping) or not body:
        yield yaml_text(jsonable(body, redact), unicode=unicode)
        return
    for key, value in body.items():
        first, *more = _parts(value)
        yield yaml_text(jsonable({key: first}, redact), unicode=unicode)
        for part in more:
            text = yaml_text(jsonable({key: part}, redact), unicode=unicode)
            yield text.partition("\n")[2]  # the key is there already


def _parts(value: object) -> Iterator[object]:
    """The value, or so many items of it at a time."""
    if isinstance(value, list | tuple) and type(value) in {list, tuple} and len(value) > _ITEMS:
        yield from (value[begin : begin + _ITEMS] for begin in range(0, len(value), _ITEMS))
    elif isinstance(value, Mapping) and len(value) > _ITEMS:
        items = iter(value.items())
        while part := dict(islice(items, _ITEMS)):
            yield part
    else:
        yield value


class YamlResult:
    """One mapping: schema, columns, the rows as they come, and then who served them."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._empty = True

    def begin(self, columns: Sequence[str]) -> None:
        """Opens the mapping."""
        self._write({"schema": SCHEMA, "columns": list(columns)})

    def rows(self, batch: Sequence[Row]) -> bool:
        """One row a line."""
        if batch:
            self._streams.write("rows:\n" if self._empty else "")
            self._write([list(row) for row in batch])
            self._empty = False
        return True

    def end(self, result: ResultSummary) -> None:
        """Says the rest."""
        self._streams.write("rows: []\n" if self._empty else "")
        self._streams.write(yaml_text(asdict(result), unicode=self._streams.unicode))
        self._streams.flush()

    def _write(self, value: object) -> None:
        self._streams.write(yaml_text(value, unicode=self._streams.unicode, flow=None))


def result_writer(streams: Streams) -> YamlResult:
    """The writer of a result."""
    return YamlResult(streams)
