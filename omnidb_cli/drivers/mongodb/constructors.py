"""The values that MongoDB's shell writes as calls: `ObjectId("…")`, `ISODate("…")`. Imported with the library only."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": 0, "g": 0}
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)


def regular_expression(pattern: str, flags: str = "") -> Any:
    """A pattern that MongoDB matches; it is not tried here."""
    if unknown := set(flags) - set(_FLAGS):
        raise ValueError(f"a regular expression has no flag {unknown.pop()}")
    return Regex(pattern, sum(_FLAGS[flag] for flag in set(flags)))


def _object_id(text: str | None = None) -> Any:
    if text is None:
        return ObjectId()
    if re.fullmatch(r"[0-9a-fA-F]{24}", text) is None:
        raise ValueError("an ObjectId has 24 hexadecimal digits")
    return ObjectId(text)


def _moment(given: str | float | None = None) -> datetime:
    """In UTC where no zone is written, as MongoDB's shell has it; a number is milliseconds since 1970."""
    if given is None:
        return datetime.now(UTC)
    if not isinstance(given, str):
        return datetime.fromtimestamp(given / 1000, UTC)
    found = datetime.fromisoformat(given)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _whole(given: str | float, allowed: range) -> int:
    number = int(given)
    if isinstance(given, float) and number != given:
        raise ValueError(f"{given} is not a whole number")
    if number not in allowed:
        raise ValueError(f"{number} is out of range")
    return number


def _decimal(given: str | float) -> Any:
    return Decimal128(str(given))


def _binary(subtype: int, text: str) -> Any:
    return Binary(base64.b64decode(text, validate=True), subtype)


def _timestamp(seconds: int | Mapping[str, int], increment: int = 0) -> Any:
    if isinstance(seconds, Mapping):
        return Timestamp(seconds["t"], seconds["i"])
    return Timestamp(seconds, increment)


CONSTRUCTORS: Mapping[str, Callable[..., Any]] = {
    "ObjectId": _object_id,
    "ISODate": _moment,
    "Date": _moment,
    "NumberInt": lambda given: _whole(given, _INT32),
    "Int32": lambda given: _whole(given, _INT32),
    "NumberLong": lambda given: Int64(_whole(given, _INT64)),
    "Long": lambda given: Int64(_whole(given, _INT64)),
    "NumberDecimal": _decimal,
    "Decimal128": _decimal,
    "Double": float,
    "UUID": UUID,
    "BinData": _binary,
    "HexData": lambda subtype, text: Binary(bytes.fromhex(text), subtype),
    "Timestamp": _timestamp,
    "RegExp": regular_expression,
    "MinKey": MinKey,
    "MaxKey": MaxKey,
}
