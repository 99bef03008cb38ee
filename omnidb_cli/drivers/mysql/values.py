"""How the text of MySQL's wire protocol becomes values, without losing any of it.

A value that Python's own type cannot hold (a zero date, a time of more than a day) stays the server's text.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

Decoder = Callable[..., object]


def _datetime(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _date(text: str) -> date | str:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _bits(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _json(text: str) -> object:
    import json

    return json.loads(text)


def decoders() -> Mapping[int, Decoder]:
    """By the protocol's column type. Types that are not here are text, or bytes where the column has no charset."""
    from asyncmy.constants import FIELD_TYPE as FIELD

    whole = (FIELD.TINY, FIELD.SHORT, FIELD.LONG, FIELD.LONGLONG, FIELD.INT24, FIELD.YEAR)
    return {
        **dict.fromkeys(whole, int),
        **dict.fromkeys((FIELD.FLOAT, FIELD.DOUBLE), float),
        **dict.fromkeys((FIELD.DECIMAL, FIELD.NEWDECIMAL), Decimal),
        **dict.fromkeys((FIELD.TIMESTAMP, FIELD.DATETIME), _datetime),
        FIELD.DATE: _date,
        FIELD.BIT: _bits,
        FIELD.JSON: _json,
    }
