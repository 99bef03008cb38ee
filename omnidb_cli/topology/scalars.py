"""What a plain YAML word is: text, a number, true, false, null, or something that YAML misreads in silence."""

import re

from msgspec import Struct

PREFIX = "tag:yaml.org,2002:"
STR = PREFIX + "str"


class Misread(Struct, frozen=True):
    """A word that YAML reads as something else than what it looks like; `tag` is YAML's name for that."""

    text: str
    tag: str


BROKEN = Misread("", "")
"""Stands for a value that was told of already."""

Scalar = str | int | float | bool | Misread | None

_INT, _FLOAT, _BOOL, _NULL = PREFIX + "int", PREFIX + "float", PREFIX + "bool", PREFIX + "null"
_TEXTS = {STR, PREFIX + "merge", PREFIX + "value"}
KNOWN_TAGS = _TEXTS | {_INT, _FLOAT, _BOOL, _NULL, PREFIX + "timestamp"}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z", re.ASCII)
_DECIMAL = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})([eE][-+][0-9]{1,3})?\Z", re.ASCII)


def read_scalar(text: str, tag: str) -> Scalar:
    """The value of a word that YAML tags so; a Misread where people would not expect that value."""
    if tag in _TEXTS:
        return text
    if tag == _INT and _WHOLE.match(text):
        return int(text)
    if tag == _FLOAT and _DECIMAL.match(text):
        return float(text)
    word = text.lower()
    if tag == _BOOL and word in {"true", "false"}:
        return word == "true"
    if tag == _NULL and word == "null":
        return None
    return Misread(text, tag)


def whole_number(text: str) -> int | None:
    """The whole number that a text is, or None."""
    return int(text) if _WHOLE.match(text) else None


def how_read(text: str, tag: str) -> str:
    """What YAML makes of a word: `false`, `10`, `a date`, `nothing`."""
    match tag.removeprefix(PREFIX):
        case "bool":
            return "true" if text.lower() in {"yes", "on", "true"} else "false"
        case "null":
            return "nothing"
        case "timestamp":
            return "a date"
        case "int":
            return _yaml_number(text) if len(text) <= 30 else "a number too large"
        case _:
            return "not a number" if text.lower().endswith("nan") else "a number"


def _yaml_number(text: str) -> str:
    """A whole number as YAML 1.1 counts: `012` is octal, `1:30` base 60."""
    digits = text.replace("_", "").lstrip("+-")
    sign = "-" if text.startswith("-") else ""
    try:
        if ":" in digits:
            total = 0
            for part in digits.split(":"):
                total = total * 60 + int(part)
            return f"{sign}{total}"
        octal = len(digits) > 1 and digits.startswith("0") and digits.isdecimal()
        return f"{sign}{int(digits, 8 if octal else 0)}"
    except ValueError:  # tagged !!int by hand, whatever it is
        return "a number"
