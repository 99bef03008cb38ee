"""Rows a batch at a time: many where they are short, few where they are long, so that memory stays small."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

Rows = Sequence[tuple[object, ...]]

MOST_ROWS = 1000
ENOUGH = 1_000_000
"""Characters and bytes, about, after which no more rows are taken."""

_FIRST_ROWS = 1
_GROWTH = 20
_CHECKED = 16


class Batches:
    """The rows of one answer; the next are fetched when they are asked for, until `fetch` gives none.

    `count` is how many were given out.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Rows]] | None, first: Rows = ()) -> None:
        self.count = 0
        self._fetch = fetch
        self._first = first

    def __aiter__(self) -> "Batches":
        return self

    async def __anext__(self) -> Rows:
        rows, self._first = self._first, ()
        if not rows and self._fetch is not None:
            rows = await self._fetch()
        if not rows:
            self._fetch = None
            raise StopAsyncIteration
        self.count += len(rows)
        return rows


def next_batch(rows: Iterator[tuple[object, ...]]) -> Rows:
    """The next of rows that are made as they are taken; none when there are no more."""
    batch: list[tuple[object, ...]] = []
    length = 0
    for row in rows:
        batch.append(row)
        length += length_of(row)
        if len(batch) == MOST_ROWS or length >= ENOUGH:
            break
    return batch


class BatchSize:
    """For a server that is told a number of rows beforehand: `rows` is how many to ask for next."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS

    def came(self, rows: "Sequence[Iterable[object]]") -> None:
        """Learns from the rows that were asked for."""
        checked_at = rows[:: len(rows) // _CHECKED + 1]
        longest = max(map(length_of, checked_at), default=0)
        self.rows = max(1, min(MOST_ROWS, self.rows * _GROWTH, ENOUGH // max(longest, 1)))


def length_of(row: Iterable[object]) -> int:
    """The length of the row, about, in characters and bytes; numbers count for nothing."""
    return sum(_length(value) for value in row)


def _length(value: object) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    return len(repr(value)) if isinstance(value, dict | list) else 0
