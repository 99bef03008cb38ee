"""The result of a person's own statement, written as it comes, in bounded memory.

Its rows are the one thing that is never redacted.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from omnidb_cli.output.report import Shape
from omnidb_cli.output.words import counted, milliseconds

SCHEMA = "omnidb.result/v1"
PARTS = (Shape.RESULT,)

Row = Sequence[object]


class ResultSummary(Struct, frozen=True):
    """Everything of a result but its rows. `row_count` counts rows returned, or changed; None: not known."""

    requested: str
    served_by: str
    failover: bool
    reason: str
    statement_ms: float
    row_count: int | None
    command: str


class ResultWriter(Protocol):
    """Draws one result: `begin` once, `rows` for each batch, `end` once; no `end` when it broke off."""

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the column names; none for a statement that returns no rows."""
        ...

    def rows(self, batch: Sequence[Row]) -> bool:
        """Takes the next rows; returns whether more are wanted."""
        ...

    def end(self, result: ResultSummary) -> None:
        """Writes what is left, and sends it out: what is said on stderr afterwards comes after it."""
        ...


def receipt_sentence(result: ResultSummary, status: str | None = None) -> str:
    """Who served, why, how long it took: `served by replica (failover: primary unhealthy) in 1.9ms, 3 rows`.

    `status` is what a statement without rows did, and stands before it: `INSERT 0 3; served by primary in 2.7ms`.
    """
    why = f" (failover: {result.reason})" if result.failover else ""
    served = f"served by {result.served_by}{why} in {milliseconds(result.statement_ms)}"
    if status is not None:
        return f"{status}; {served}"
    return served if result.row_count is None else f"{served}, {counted(result.row_count, 'row')}"


def unique_names(columns: Sequence[str]) -> tuple[str, ...]:
    """The column names with `_2`, `_3` … after a name that was there before, so that keys lose no value."""
    taken = set(columns)
    seen: set[str] = set()
    names = []
    for column in columns:
        name, number = column, 1
        while name in seen or (number > 1 and name in taken):
            number += 1
            name = f"{column}_{number}"
        seen.add(name)
        names.append(name)
    return tuple(names)
