"""Values as MongoDB keeps them, in types that everybody can show. Imported with the library only."""

from collections.abc import Callable, Mapping
from typing import Any

from bson import Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import Binary
from bson.json_util import RELAXED_JSON_OPTIONS, default


def plain(value: Any) -> Any:
    """The value in Python's own types, nested ones too; what has none is a document, as Extended JSON writes it."""
    convert = _CONVERT.get(type(value))
    return value if convert is None else convert(value)


def _document(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain(item) for key, item in value.items()}


def _extended(value: Any) -> Any:
    return default(value, RELAXED_JSON_OPTIONS)


def _decimal(value: Any) -> Any:
    return value.to_decimal()


def _code(value: Any) -> Any:
    return str(value) if value.scope is None else _extended(value)


_CONVERT: Mapping[type, Callable[[Any], Any]] = {
    dict: _document,
    list: lambda items: [plain(item) for item in items],
    Int64: int,
    ObjectId: str,
    Decimal128: _decimal,
    Binary: bytes,
    Code: _code,
    Regex: _extended,
    Timestamp: _extended,
    DBRef: _extended,
    MinKey: _extended,
    MaxKey: _extended,
    DatetimeMS: _extended,
}
