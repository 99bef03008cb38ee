"""One value of the topology at a time: from what the YAML holds to what the model holds."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from omnidb_cli.duration import parse_duration
from omnidb_cli.topology.document import Value, short
from omnidb_cli.topology.keys import TABLES, Key, Kind
from omnidb_cli.topology.scalars import Misread, how_read, whole_number

_ASCII_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")


class Unfit(Exception):  # noqa: N818 - never leaves the room
    """The value is not what the key allows."""


def is_name(text: str) -> bool:
    """Whether a connection or topology may be called that: letters and digits of any script, `_ . -`."""
    if _ASCII_NAME.match(text):
        return True
    if not text or len(text) > 63 or text.isascii():
        return False
    from unicodedata import category

    def fits(char: str) -> bool:  # marks are the vowels of many scripts
        kind = category(char)
        return char in "_.-" or kind[0] in "LM" or kind == "Nd"

    return text[0] not in ".-" and category(text[0])[0] != "M" and all(map(fits, text))


def text_of(value: Value) -> str:
    """A text that says something. Raises Unfit."""
    if type(value) is not str or not value.strip():
        raise Unfit
    return value


def _name(_key: Key, value: Value) -> str:
    if not is_name(text_of(value)):
        raise Unfit
    return text_of(value)


def _text(_key: Key, value: Value) -> str:
    return text_of(value)


def _secret(_key: Key, value: Value) -> str:
    if type(value) is not str:
        raise Unfit
    return value


def _choice(key: Key, value: Value) -> str:
    if value not in key.choices:
        raise Unfit
    return str(value)


def _duration(key: Key, value: Value) -> float:
    try:
        return parse_duration(value, zero=key.least == 0, longest_s=key.longest_s)
    except ValueError:
        raise Unfit from None


def _count(key: Key, value: Value) -> int:
    if type(value) is not int or value < key.least or (key.most is not None and value > key.most):
        raise Unfit
    return value


READERS: Mapping[Kind, Callable[[Key, Value], object]] = {
    Kind.NAME: _name,
    Kind.TEXT: _text,
    Kind.SECRET: _secret,
    Kind.URL: _text,
    Kind.STATE_URL: _text,
    Kind.CHOICE: _choice,
    Kind.DURATION: _duration,
    Kind.COUNT: _count,
}


def of_reference(key: Key, text: str) -> Value:
    """What a resolved reference gives for the key: a reference is text, also where a number is meant."""
    if key.kind is Kind.COUNT and (number := whole_number(text)) is not None:
        return number
    return text


def defaults(section: str) -> dict[str, object]:
    """The values of a section's keys where nothing is written, by key; keys without a default are left out."""
    values: dict[str, object] = {}
    for key in TABLES[section].values():
        if key.default is not None:
            values[key.name] = READERS[key.kind](key, key.default)
        elif not key.field:
            values[key.name] = defaults(key.section or "")
    return values


def fields(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a section's keys by the fields of the model that hold them."""
    held: dict[str, Any] = {}
    for name, value in values.items():
        field, below = _FIELDS[section][name]
        if field:
            held[field] = value
        else:
            held |= fields(below, value)
    return held


_FIELDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    section: {name: (key.field, key.section or "") for name, key in keys.items()} for section, keys in TABLES.items()
}


def shown(value: Value, *, as_word: bool = False) -> str:
    """What was found, in words: `"fast"`, `no, which YAML reads as false: put it in quotes`, `a list`.

    With `as_word` it stands where a word is meant.
    """
    match value:
        case Misread(text="") | None:
            return "nothing"
        case Misread(text, tag):
            return f"{short(text)}, which YAML reads as {how_read(text, tag)} (put it in quotes if that is not meant)"
        case bool():
            return f"{str(value).lower()}, which YAML reads as a truth value (put it in quotes if it is a word)"
        case str():
            return f'"{short(value)}"'
        case int() | float():
            return f"the number {value}{' (put it in quotes if it is a word)' if as_word else ''}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def hinted(value: Value) -> str:
    """The same without a word of the value, for where it is a secret."""
    match value:
        case Misread(text="") | None:
            return "nothing"
        case str():
            return "an empty text"
        case Misread() | bool() | int() | float():
            return "what YAML reads as a number, a date or a truth value (put it in quotes)"
        case list():
            return "a list"
        case _:
            return "a mapping"
