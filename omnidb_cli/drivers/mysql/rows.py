"""The rows of one answer, and what comes after them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from omnidb_cli.drivers.mysql.statement import counts_rows

if TYPE_CHECKING:
    from omnidb_cli.drivers.mysql.connection import Answered
    from omnidb_cli.drivers.mysql.private_api import Row

BATCH_ROWS = 1000


class Source(Protocol):
    """The session, as far as its answer is read."""

    async def more(self, answered: "Answered") -> Sequence["Row"]: ...
    async def next(self) -> "Answered": ...
    async def warnings(self) -> Sequence[str]: ...
    def is_over(self) -> None: ...


class Reader:
    """The rows, a batch at a time; the next is read when it is asked for."""

    def __init__(self, session: Source, answered: "Answered", command: str) -> None:
        self._session = session
        self._answered = answered
        self._is_over = answered.is_complete
        self._given = 0
        self._changed = 0
        self.command = command
        self.notices: Sequence[str] = ()

    def __aiter__(self) -> "Reader":
        return self

    async def __anext__(self) -> Sequence["Row"]:
        rows = () if self._is_over else await self._next()
        if not rows:
            raise StopAsyncIteration
        self._given += len(rows)
        return rows

    async def _next(self) -> Sequence["Row"]:
        rows = await self._session.more(self._answered)
        self._is_over = self._answered.is_complete
        if self._is_over:
            await self.finish()
        return rows

    def row_count(self) -> int | None:
        """Rows given out, or changed; None for a statement that does neither."""
        if self._answered.columns:
            return self._given
        return self._changed if self._changed or counts_rows(self.command) else None

    async def finish(self) -> None:
        """Reads to the end what else the statement answers: a procedure may fail, or select, several times."""
        answered, unshown = self._answered, 0
        self._changed = 0 if answered.columns else answered.changed
        while answered.has_next:
            answered = await self._session.next()
            unshown += bool(answered.columns)
            while not answered.is_complete:
                await self._session.more(answered)
        self._session.is_over()
        if answered.warnings:
            self.notices = await self._session.warnings()
        if unshown:
            self.notices = (*self.notices, f"{unshown} more results were answered; only the first is shown")
