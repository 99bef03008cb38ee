"""Single values: as JSON has them, as text has them, and made harmless for a terminal."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal
    from re import Pattern


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
    """The fields of a struct, None of anything else."""
    return getattr(kind, "__struct_fields__", None)


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
            return text_maker(type(value))(value)  # type: ignore[arg-type]  # a class is hashable


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`; a naive time stays naive (ISO 8601 without a zone).

    Within hours of the first and the last year that there is, where UTC has no such year, it keeps its own zone.
    """
    if moment.tzinfo is None:
        return moment.isoformat()
    if moment.tzinfo is not UTC:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            return moment.isoformat(timespec="microseconds")
    day = (moment.year, moment.month, moment.day)
    return _IN_UTC % (*day, moment.hour, moment.minute, moment.second, moment.microsecond)


_IN_UTC = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ"  # three times as quick as `strftime`, which shortens early years too


def _iso_duration(span: timedelta) -> str:
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    seconds = f"{span.seconds}.{span.microseconds:06}".rstrip("0").rstrip(".") if span.microseconds else span.seconds
    return f"{sign}P{span.days}DT{seconds}S"


def text_of(value: object) -> str:
    """The value as one field of text: words and numbers as JSON writes them, strings without quotes, None empty."""
    return text_maker(type(value))(value)  # type: ignore[arg-type]  # a class is hashable


@cache
def text_maker(kind: type) -> Callable[[Any], str]:
    """What `text_of` does with values of exactly this type."""
    if kind in _TEXTS:
        return _TEXTS[kind]
    if issubclass(kind, _SPECIAL) or _field_names(kind) is not None:  # type: ignore[arg-type]  # likewise
        return _text_of_special
    from decimal import Decimal

    return _digits if kind is Decimal else str


def is_string_in_json(kind: type) -> bool:
    """Whether JSON has every value of exactly this type as a string, which is its `text_of`."""
    return kind not in {NoneType, bool, int, float} and text_maker(kind) is not _text_of_special


def _text_of_special(value: object) -> str:
    match jsonable(value):
        case str(text):
            return text
        case int(number) | float(number):
            return str(number)
        case structure:
            from json import dumps

            return dumps(structure, ensure_ascii=False)


def _digits(number: "Decimal") -> str:
    """All digits, as databases write them: `0.0000000`, where Python has `0E-7`."""
    text = str(number)
    return format(number, "f") if "E-" in text else text


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    NoneType: lambda _: "",
    bool: {True: "true", False: "false"}.__getitem__,
    int: str,
    str: str,
    float: lambda number: str(number) if isfinite(number) else scalar_text(number),
    bytes: lambda value: "\\x" + value.hex(),
    datetime: rfc3339,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _iso_duration,
}
_SPECIAL = (
    *(str, int, float, bytes, bytearray, memoryview, date, time, timedelta),
    *(Enum, Mapping, list, tuple, set, frozenset),
)


_CONTROL = [*range(0x20), *range(0x7F, 0xA0)]
_LINE_SEPARATORS = [0x2028, 0x2029]
_DIRECTION = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_INVISIBLE = [
    *(0xAD, 0x180E, 0x200B, 0x200C, *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC)),
    *(*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), 0xE0001, *range(0xE0020, 0xE0080)),
]
"""Of no width: they hide in a name or a text what is not what it looks like."""

_JOINER = "\u200d"
_SURROGATES = range(0xD800, 0xE000)


def _code(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@cache
def _visible() -> dict[int, str]:
    table = {code: f"\\x{code:02x}" for code in _CONTROL}
    table |= {code: _code(code) for code in (*_LINE_SEPARATORS, *_DIRECTION, *_INVISIBLE, *_SURROGATES)}
    return table | {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}


@cache
def _visible_in_lines() -> dict[int, str]:
    return {code: shown for code, shown in _visible().items() if code not in (0x09, 0x0A)}


@cache
def _unsafe_in_json() -> "Pattern[str]":
    import re

    invisible = "".join(map(chr, _INVISIBLE))
    return re.compile(rf"[{invisible}\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@cache
def _stray_joiner() -> "Pattern[str]":
    """A joiner that joins no two emoji: like anything else of no width it hides."""
    import re

    emoji = "\u2190-\u2bff\U0001f000-\U0001faff"
    return re.compile(f"(?<![{emoji}\ufe0f]){_JOINER}|{_JOINER}(?![{emoji}])")


def _escaped(text: str, table: Mapping[int, str]) -> str:
    return _without_stray_joiners(text.translate(table))


def _without_stray_joiners(text: str) -> str:
    return _stray_joiner().sub(lambda _: _code(ord(_JOINER)), text) if _JOINER in text else text


def visible(text: str) -> str:
    r"""The text with every control character escaped (`\n`, `\x1b`, `\u202e`): it can do nothing to a terminal."""
    return text if text.isprintable() else _escaped(text, _visible())


def visible_lines(text: str) -> str:
    """The same, but lines and tabs stay."""
    return text if text.isprintable() else _escaped(text, _visible_in_lines())


def lines_of(text: str) -> str:
    """The text with line feeds alone where a server ends its lines with CR LF."""
    return text.replace("\r\n", "\n") if "\r" in text else text


def visible_cell(text: str) -> str:
    r"""The text as a table's cell may have it: its lines stay, every other control character is escaped."""
    if text.isprintable():
        return text
    return "\n".join(map(visible, lines_of(text).split("\n")))


def json_safe(text: str) -> str:
    """JSON text with the control characters escaped that JSON itself would let through."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _unsafe_in_json().sub(lambda found: _in_json(found[0]), _without_stray_joiners(text))


def _in_json(char: str) -> str:
    """The character as JSON escapes it: beyond 16 bits as two halves."""
    from json.encoder import encode_basestring_ascii

    return encode_basestring_ascii(char)[1:-1] if char != "\x7f" else "\\u007f"
