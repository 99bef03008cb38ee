"""Which columns of a table are shown at a width, and how wide each is. Pure arithmetic; nothing is drawn here."""

from collections.abc import Sequence

from omnidb_cli.output.document import Column
from omnidb_cli.tuples import NamedTuple

GAP = 2
"""Blanks between two columns."""

_LEAST = 4


class Place(NamedTuple):
    """One shown column: which, and how many characters wide."""

    column: int
    width: int


def display_width(text: str) -> int:
    """The terminal columns that a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def natural_widths(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column's widest text."""
    columns = zip(titles, *rows, strict=True)
    return [max(map(display_width, column)) for column in columns]


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
