"""Single values: as JSON has them, as text has them, and made harmless for a terminal."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from math import isfinite


def jsonable(value: object, redact: Callable[[str], str] | None = None) -> object:
    r"""The value in JSON's own types.

    Aware times become RFC 3339 in UTC with microseconds, naive ones ISO 8601; bytes `\x…` hex; exact
    numerics, non-finite floats and anything unheard of their text. `redact` is applied to every string.
    """
    if type(value) is str:
        return redact(value) if redact else value
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, redact) for key, item in value.items()}
    if (names := _field_names(type(value))) is not None:  # type: ignore[arg-type]  # a class is hashable
        return {name: jsonable(getattr(value, name), redact) for name in names}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item, redact) for item in value]
    text = scalar_text(value)
    return redact(text) if redact else text


@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass or a named tuple, None of anything else."""
    if (by_name := getattr(kind, "__dataclass_fields__", None)) is not None:
        return tuple(by_name)  # as `dataclasses.fields` has them, without its import
    return getattr(kind, "_fields", None) if issubclass(kind, tuple) else None


def scalar_text(value: object) -> str:
    """The text of a value that JSON has no type for."""
    match value:
        case str():
            return str(value)
        case Enum():
            return str(value.value)
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case float():
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        case datetime():
            return rfc3339(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return _iso_duration(value)
        case _:
            return str(value)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`; a naive time stays naive (ISO 8601 without a zone)."""
    if moment.tzinfo is None:
        return moment.isoformat()
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _iso_duration(span: timedelta) -> str:
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    seconds = f"{span.seconds}.{span.microseconds:06}".rstrip("0").rstrip(".") if span.microseconds else span.seconds
    return f"{sign}P{span.days}DT{seconds}S"


def text_of(value: object) -> str:
    """The value as one field of text: words and numbers as JSON writes them, strings without quotes, None empty."""
    match jsonable(value):
        case None:
            return ""
        case str(text):
            return text
        case bool(answer):
            return "true" if answer else "false"
        case int(number) | float(number):
            return str(number)
        case structure:
            from json import dumps

            return dumps(structure, ensure_ascii=False)


_CONTROL = [*range(0x20), *range(0x7F, 0xA0)]
_LINE_SEPARATORS = [0x2028, 0x2029]
_DIRECTION = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SURROGATES = range(0xD800, 0xE000)


@cache
def _visible() -> dict[int, str]:
    table = {code: f"\\x{code:02x}" for code in _CONTROL}
    table |= {code: f"\\u{code:04x}" for code in (*_LINE_SEPARATORS, *_DIRECTION, *_SURROGATES)}
    return table | {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}


@cache
def _visible_in_lines() -> dict[int, str]:
    return {code: shown for code, shown in _visible().items() if code not in (0x09, 0x0A)}


@cache
def _json_escapes() -> dict[int, str]:
    return {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *_LINE_SEPARATORS, *_DIRECTION, *_SURROGATES)}


def visible(text: str) -> str:
    r"""The text with every control character escaped (`\n`, `\x1b`, `\u202e`): it can do nothing to a terminal."""
    return text if text.isprintable() else text.translate(_visible())


def visible_lines(text: str) -> str:
    """The same, but lines and tabs stay."""
    return text if text.isprintable() else text.translate(_visible_in_lines())


def json_safe(text: str) -> str:
    """JSON text with the control characters escaped that JSON itself would let through."""
    return text if text.isascii() and "\x7f" not in text else text.translate(_json_escapes())
