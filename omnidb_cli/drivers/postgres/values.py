"""The values of a result, as the server writes them: exact, and never outside of what Python can hold.

asyncpg reads the binary form, which loses the months of an interval and the scale of a float4, and fails or stands in
for dates beyond Python's. So all but the plain types are asked for as text.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

BINARY = frozenset({16, 17, 19, 20, 21, 23, 25, 26, 701, 705, 1042, 1043, 2278, 2950})
"""OIDs of bool, bytea, name, int8, int2, int4, text, oid, float8, unknown, bpchar, varchar, void, uuid."""

Decoder = Callable[[str], object]


def decoder_of(oid: int, kind: str) -> Decoder | None:
    """What turns the text of a value of this type into the value; None where the binary form serves."""
    if oid in BINARY:
        return None
    if oid in _ARRAYS:
        return partial(read_array, element=_or_text(_element(_ARRAYS[oid])))
    if kind == "array" and oid != _BOXES:
        return partial(read_array, element=str)
    return _or_text(_element(oid))


def show_as_text(connection: Any, types: Iterable[Any]) -> bool:
    """Makes the connection ask for these types as text, those that need it; whether any was not yet."""
    settings = connection.get_settings()
    changed = False
    for one in types:
        decode = decoder_of(one.oid, one.kind)
        if decode is not None:
            settings.add_python_codec(one.oid, one.name, one.schema, (), "scalar", str, decode, "text")
            changed = True
    return changed


def _element(oid: int) -> Decoder:
    return _DECODERS.get(oid, str)


def _or_text(decode: Decoder) -> Decoder:
    """The same, but what Python cannot hold stays text: `infinity`, years BC, and what another DateStyle wrote."""
    if decode in _ALWAYS_FIT:
        return decode

    def read(text: str) -> object:
        try:
            return decode(text)
        except (ValueError, ArithmeticError, RecursionError):
            return text

    return read


def _json(text: str) -> object:
    from json import loads

    return loads(text, parse_float=_number)


def _number(text: str) -> object:
    """A float, or a Decimal where a float would not hold all of it."""
    exact, near = Decimal(text), float(text)
    return near if Decimal(repr(near)) == exact else exact


def _bytes(text: str) -> object:
    if not text.startswith("\\x"):
        raise ValueError(text)
    return bytes.fromhex(text[2:])


_DECODERS: Mapping[int, Decoder] = {
    16: {"t": True, "f": False}.__getitem__,
    17: _bytes,
    20: int,
    21: int,
    23: int,
    26: int,
    114: _json,
    700: float,
    701: float,
    1082: date.fromisoformat,
    1083: time.fromisoformat,
    1114: datetime.fromisoformat,
    1184: datetime.fromisoformat,
    1266: time.fromisoformat,
    1700: Decimal,
    3802: _json,
}

_ALWAYS_FIT: tuple[Decoder, ...] = (str, int, float, Decimal)
"""What no value of a type fails on: each needs no net of its own, which would cost as much as the reading."""

_BOXES = 1020  # its elements are parted by ; and have commas in them

_ARRAYS: Mapping[int, int] = {
    199: 114, 1000: 16, 1001: 17, 1005: 21, 1007: 23, 1016: 20, 1021: 700, 1022: 701, 1028: 26, 1115: 1114, 1182: 1082,
    1183: 1083, 1185: 1184, 1231: 1700, 1270: 1266, 3807: 3802,
}  # fmt: skip
"""The element type of each array type whose elements are not shown as they are written."""


def read_array(text: str, element: Decoder) -> list[object]:
    """The elements of an array as PostgreSQL writes it, nested as deep as it is; NULL is None."""
    start = text.index("{")  # before it may stand its bounds: [0:1]={…}
    items, end = _read_items(text, start + 1, element)
    if end != len(text):
        raise ValueError(f"no array: {text!r}")
    return items


def _read_items(text: str, at: int, element: Decoder) -> tuple[list[object], int]:
    items: list[object] = []
    while text[at] != "}":
        match text[at]:
            case ",":
                at += 1
                continue
            case "{":
                item, at = _read_items(text, at + 1, element)
                items.append(item)
            case '"':
                word, at = _read_quoted(text, at + 1)
                items.append(element(word))
            case _:
                end = min(found for found in (text.find(",", at), text.find("}", at)) if found >= 0)
                word, at = text[at:end], end
                items.append(None if word == "NULL" else element(word))
    return items, at + 1


def _read_quoted(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    while text[at] != '"':
        if text[at] == "\\":
            at += 1
        end = at + 1
        while text[end] not in '"\\':
            end += 1
        parts.append(text[at:end])
        at = end
    return "".join(parts), at + 1
