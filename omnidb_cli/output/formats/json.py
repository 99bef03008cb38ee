"""JSON: the object itself, indented; as a stream one object a line. A result has one row a line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any

from msgspec.structs import asdict

from omnidb_cli.output.json_text import compact, encoder_of
from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.results.columns import Texts, blocks, column_texts, columns_of, plain_texts
from omnidb_cli.output.results.model import SCHEMA, ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import is_string_in_json, json_safe, jsonable

DRAWS = (Shape.BODY, Shape.RESULT, Shape.LINES)

Quote = Callable[[str], str]


def json_rows(rows: Sequence[Row], template: str, *, ascii_only: bool) -> list[str]:
    """Each row in the template, which has a `%s` for each of its values; still to be made `json_safe`."""
    tokens = partial(_tokens, ascii_only=ascii_only)
    columns = columns_of(rows, lambda values: column_texts(values, null="null", known=tokens))
    return list(map(template.__mod__, zip(*columns, strict=True) if columns else [()] * len(rows)))


def _tokens(values: Sequence[Any], kind: type | None, *, ascii_only: bool) -> Texts:
    if kind in {int, bool} or (kind is float and all(map(isfinite, values))):
        return plain_texts(values, kind)
    if kind is not None and is_string_in_json(kind):
        from json import encoder

        quoted = encoder.encode_basestring_ascii if ascii_only else encoder.encode_basestring
        return list(map(quoted, plain_texts(values, kind)))
    return list(map(encoder_of(ascii_only), map(jsonable, values)))


def write(document: Report, streams: Streams) -> None:
    """The object, indented by two, a piece at a time: the text of a great many never stands in memory as a whole."""
    for piece in _pieces(document.body, partial(jsonable, redact=streams.redact), _quote(streams), "\n", _DEEP):
        streams.write(json_safe(piece))
    streams.write("\n")


_DEEP = 2  # the members of an object, and theirs: the connections of a status, one by one


def _pieces(value: Any, plain: Callable[[object], object], quote: Quote, line: str, depth: int) -> Iterator[str]:
    is_mapping = isinstance(value, Mapping)
    if not depth or not value or not (is_mapping or type(value) in {list, tuple}):
        yield _indented(plain(value), quote, line)
        return
    opening, end = "{}" if is_mapping else "[]"
    members = ((f"{quote(str(key))}: ", value[key]) for key in value) if is_mapping else (("", one) for one in value)
    for label, member in members:
        yield f"{opening}{line}  {label}"
        yield from _pieces(member, plain, quote, line + "  ", depth - 1)
        opening = ","
    yield line + end


def _indented(value: Any, quote: Quote, line: str) -> str:
    """A value of JSON's own types; its lines begin with `line`."""
    inner = line + "  "
    match value:
        case str():
            return quote(value)
        case dict() if value:
            members = (f"{inner}{quote(key)}: {_indented(one, quote, inner)}" for key, one in value.items())
            return "{" + ",".join(members) + line + "}"
        case list() if value:
            return "[" + ",".join(inner + _indented(one, quote, inner) for one in value) + line + "]"
        case None | bool():
            return _WORDS[value]
        case _:
            return encoder_of(ascii_only=True)(value)


_WORDS: Mapping[bool | None, str] = {None: "null", True: "true", False: "false"}


def _quote(streams: Streams) -> Quote:
    from json import encoder

    return encoder.encode_basestring if streams.unicode else encoder.encode_basestring_ascii


def write_lines(values: Iterable[object], streams: Streams) -> None:
    """Each object on a line of its own, redacted."""
    encode = encoder_of(not streams.unicode)
    for value in values:
        streams.write(json_safe(encode(jsonable(value, streams.redact))) + "\n")


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
        for block in blocks(batch):
            lines = json_rows(block, f"[{', '.join(['%s'] * len(block[0]))}]", ascii_only=not self._streams.unicode)
            self._streams.write(("\n    " if self._first else ",\n    ") + json_safe(",\n    ".join(lines)))
            self._first = False
        return True

    def end(self, result: ResultSummary) -> None:
        """Closes the rows and says the rest."""
        lines = [f'  "{key}": {self._json(value)}' for key, value in asdict(result).items()]
        self._streams.write(("],\n" if self._first else "\n  ],\n") + ",\n".join(lines) + "\n}\n")
        self._streams.flush()

    def _json(self, value: object) -> str:
        return compact(value, ascii_only=not self._streams.unicode)


def result_writer(streams: Streams) -> JsonResult:
    """The writer of a result."""
    return JsonResult(streams)
