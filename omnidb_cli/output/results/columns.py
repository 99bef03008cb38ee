"""Rows as text, a column at a time: what all values of a column have in common is found out once, not for each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from types import NoneType

from omnidb_cli.output.results.model import Row
from omnidb_cli.output.values import text_maker, text_of

Texts = Sequence[str]

BLOCK_ROWS = 250
"""Rows that are turned into text together: enough to be quick, few enough to stay small where rows are long."""


def blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows, `BLOCK_ROWS` at a time."""
    left = iter(rows)
    while block := list(islice(left, BLOCK_ROWS)):
        yield block


def columns_of(rows: Sequence[Row], texts: Callable[[Sequence[object]], Texts]) -> list[Texts]:
    """What `texts` makes of each column; none where rows have no values. Raises ValueError for rows of two lengths."""
    return [texts(values) for values in zip(*rows, strict=True)]


def column_texts(
    values: Sequence[object], *, null: str, known: Callable[[Sequence[object], type | None], Texts]
) -> Texts:
    """`null` for each None of a column, and what `known` makes of the others and their type, None if it is several."""
    kinds = set(map(type, values))
    if NoneType in kinds:
        others = [value for value in values if value is not None]
        found = iter(column_texts(others, null=null, known=known))
        return [null if value is None else next(found) for value in values]
    return known(values, kinds.pop() if len(kinds) == 1 else None)


def plain_texts(values: Sequence[object], kind: type | None) -> Texts:
    """`text_of` each value; `kind` is the type of all, None if it is several."""
    if kind is str:
        return values  # type: ignore[return-value]  # they are all str
    return list(map(text_of if kind is None else text_maker(kind), values))
