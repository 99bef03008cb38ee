"""Which columns of a table are shown at a width, and how wide each is. Pure arithmetic; nothing is drawn here."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.output.report import Column

if TYPE_CHECKING:
    from re import Pattern

GAP = 2
"""Blanks between two columns."""

_LEAST = 4

_NO_WIDTH = ("Mn", "Me", "Cf")
_OF_EMOJI = ("\ufe0f", "\u200d", *map(chr, range(0x1F3FB, 0x1F400)))


class Place(Struct, frozen=True):
    """One shown column: which, and how many characters wide."""

    column: int
    width: int


def display_width(text: str) -> int:
    """The terminal columns that a text takes: wide characters two, combining ones none, joined emoji as one."""
    if text.isascii():
        return len(text)
    if any(mark in text for mark in _OF_EMOJI):
        return sum(map(_width, _joined_emoji().sub("\U0001f600", text)))
    return sum(map(_width, text))


@lru_cache(maxsize=1024)
def _width(char: str) -> int:
    from unicodedata import category, east_asian_width

    return 0 if category(char) in _NO_WIDTH else 1 + (east_asian_width(char) in "WF")


@cache
def _joined_emoji() -> "Pattern[str]":
    """One drawn as an emoji by a selector, of a colour of skin, or several that are joined: two columns in all."""
    import re

    emoji, tone = "[\U0001f000-\U0001f1e5\U0001f200-\U0001faff]", "[\U0001f3fb-\U0001f3ff]"
    first = f"(?:.\ufe0f{tone}?|{emoji}{tone}|{emoji}(?=\u200d))"
    return re.compile(f"{first}(?:\u200d(?:.\ufe0f|.{tone}?))*")


def text_width(text: str) -> int:
    """The terminal columns of the widest line of a text."""
    return max(map(display_width, text.split("\n"))) if "\n" in text else display_width(text)


def natural_widths(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column's widest line."""
    columns = zip(titles, *rows, strict=True)
    return [max(map(text_width, column)) for column in columns]


def with_names(text: str, names: Sequence[str], room: int | None = None) -> str:
    """The text, and after it the names: all of them, or as many as fit into `room`, and how many more there are."""
    if not names:
        return text
    left = None if room is None else room - display_width(text) - len(": ")
    shown = len(names) if left is None else _fitting(names, left)
    more = f" and {len(names) - shown:,} more" if shown < len(names) else ""
    return f"{text}: {', '.join(names[:shown])}{more}"


def _fitting(names: Sequence[str], room: int) -> int:
    """How many names fit, with what is said of the others; one at the least."""
    if sum(map(display_width, names)) + 2 * (len(names) - 1) <= room:
        return len(names)
    room -= len(f" and {len(names):,} more")
    shown = used = 0
    for name in names:
        used += display_width(name) + 2 * (shown > 0)
        if used > room:
            break
        shown += 1
    return max(shown, 1)


def fit(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> list[Place]:
    """The columns to show within `width`; every one at its natural width where that is None.

    The highest priority number is left out first. What stays and is still too wide is narrowed: columns of
    sentences first, then whichever is widest.
    """
    kept = list(range(len(columns)))
    if width is None:
        return [Place(index, natural[index]) for index in kept]
    needed = [_needed(column, size) for column, size in zip(columns, natural, strict=True)]
    while _total(kept, needed) > width and (spare := [index for index in kept if columns[index].priority]):
        kept.remove(max(spare, key=lambda index: (columns[index].priority, index)))
    widths = list(natural)
    _narrow(widths, kept, floor=needed, width=width)
    _narrow(widths, kept, floor=[min(size, _LEAST) for size in natural], width=width)
    return [Place(index, widths[index]) for index in kept]


def _needed(column: Column, natural: int) -> int:
    return natural if column.min_width is None else min(natural, column.min_width)


def _total(kept: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[index] for index in kept) + GAP * (len(kept) - 1)


def _narrow(widths: list[int], kept: Sequence[int], *, floor: Sequence[int], width: int) -> None:
    """Takes from the widest column, one character at a time, until all fit or none is above its floor."""
    while _total(kept, widths) > width:
        above = [index for index in kept if widths[index] > floor[index]]
        if not above:
            return
        widths[max(above, key=lambda index: widths[index])] -= 1
