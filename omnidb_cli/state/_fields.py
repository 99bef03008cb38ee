"""The fields of saved JSON: each is what it should be, or the text is not ours."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

_YEAR_10000_S: Final = 253402300800.0

# ASCII only: a reason typed in another encoding (a lone surrogate in Python) must not make a row unwritable.
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=str)


class GarbledError(Exception):
    """What was read is not what `encode` or `encode_event` writes."""


Accepts = Callable[[object], bool]


def text(value: object) -> bool:
    return type(value) is str


def text_or_none(value: object) -> bool:
    return value is None or type(value) is str


def flag(value: object) -> bool:
    return type(value) is bool


def count(value: object) -> bool:
    return type(value) is int and value >= 0


def measure_or_none(value: object) -> bool:
    return value is None or (type(value) in {int, float} and -_YEAR_10000_S < value < _YEAR_10000_S)  # type: ignore[operator]


def time_or_none(value: object) -> bool:
    return value is None or (type(value) in {int, float} and 0 <= value < _YEAR_10000_S)  # type: ignore[operator]


def mapping(value: object) -> bool:
    return type(value) is dict


def _refuse(word: str) -> NoReturn:
    raise GarbledError(f"the number {word}")


DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def whole(value: Any, fields: Mapping[str, Accepts]) -> dict[str, Any]:
    """`value`, if it has all of these fields, and no other, and each is what it should be."""
    if type(value) is not dict or len(value) != len(fields):
        raise GarbledError("not the keys that omnidb writes")
    return part(value, fields)


def part(value: dict[str, Any], fields: Mapping[str, Accepts]) -> dict[str, Any]:
    """`value`, if it has none but these fields and each is what it should be."""
    for key, found in value.items():
        if key not in fields or not fields[key](found):
            raise GarbledError(f"{key} is {found!r:.60}")
    return value
