"""The rows of one answer, and what comes after them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from omnidb_cli.drivers.batching import Batches
from omnidb_cli.drivers.mysql.statement import counts_rows

if TYPE_CHECKING:
    from omnidb_cli.drivers.mysql.connection import Answered
    from omnidb_cli.drivers.mysql.private_api import Row


class Source(Protocol):
    """The session, as far as its answer is read."""

    async def more(self, answered: "Answered") -> Sequence["Row"]: ...
    async def next(self) -> "Answered": ...
    async def warnings(self) -> Sequence[str]: ...
    def is_over(self) -> None: ...


class Reader:
    """The rows of an answer, in `batches`; the next is read when it is asked for."""

    def __init__(self, session: Source, answered: "Answered", command: str) -> None:
        self._session = session
        self._answered = answered
        self._is_over = answered.is_complete
        self._changed = 0
        self.batches = Batches(self._next)
        self.command = command
        self.notices: Sequence[str] = ()

    async def _next(self) -> Sequence["Row"]:
        if self._is_over:
            return ()
        rows = await self._session.more(self._answered)
        self._is_over = self._answered.is_complete
        if self._is_over:
            await self.finish()
        return rows

    def row_count(self) -> int | None:
        """Rows given out, or changed; None for a statement that does neither."""
        if self._answered.columns:
            return self.batches.count
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
