"""How many rows to take at a time: many where they are short, few where they are long, so that memory stays small."""

from collections.abc import Iterable, Sequence

MOST_ROWS = 1000
ENOUGH = 1_000_000
"""Characters and bytes, about, after which no more rows are taken."""

_FIRST_ROWS = 1
_GROWTH = 20
_LOOKED_AT = 16


class BatchSize:
    """For a server that is told a number of rows beforehand: `rows` is how many to ask for next."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS

    def came(self, rows: "Sequence[Iterable[object]]") -> None:
        """Learns from the rows that were asked for."""
        checked_at = rows[:: len(rows) // _LOOKED_AT + 1]
        longest = max(map(length_of, checked_at), default=0)
        self.rows = max(1, min(MOST_ROWS, self.rows * _GROWTH, ENOUGH // max(longest, 1)))


def length_of(row: Iterable[object]) -> int:
    """The length of the row, about, in characters and bytes; numbers count for nothing."""
    return sum(_length(value) for value in row)


def _length(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    return len(repr(value)) if isinstance(value, dict | list) else 0
