"""One connection for one statement."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from omnidb_cli.drivers.base import Reply, write_refused
from omnidb_cli.drivers.batching import ENOUGH, MOST_ROWS, Batches, length_of
from omnidb_cli.drivers.sqlite.connection import Access, Connection, until_unlocked
from omnidb_cli.drivers.sqlite.errors import Locked, is_locked, is_refused_write, while_running
from omnidb_cli.drivers.sqlite.statement import Plan, plan
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import StatementTimeout

T = TypeVar("T")
Row = tuple[object, ...]

_AT_A_TIME = 25


class SqliteSession:
    """Runs one statement. `deadline` (the event loop's clock) ends all waiting for locks.

    `refusal_hint` says what to do about a refused write, where it is not because of a failover.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        deadline: float,
        timeout_s: float,
        refusal_hint: str | None = None,
    ) -> None:
        self._name = name
        self._connection = connection
        self._deadline = deadline
        self._timeout_s = timeout_s
        self._refusal_hint = refusal_hint

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Runs exactly one statement and commits it; a changing one is committed before the reply is given.

        Rows of a query are read as they are asked for; those of `… RETURNING` are all in memory. Raises
        StatementError, WriteRefusedError, StatementTimeout for a lock that is not given up in time, and
        DriverError for trouble of the file.
        """
        planned = plan(statement, parameters)
        reading = self._connection.access is Access.READ
        if reading and planned.command == "VACUUM":
            raise write_refused(self._name, "it rewrites the file", self._refusal_hint)
        step = _Query(planned) if reading or not planned.changes else _Change(planned)
        try:
            await until_unlocked(lambda: self._in_thread(step), deadline=self._deadline)
        except Locked as locked:
            raise self._locked_out() from locked
        batches = Batches(None if step.complete else self._more, step.rows)
        count = step.changed if planned.counts else None
        return Reply(
            step.columns,
            batches,
            lambda: batches.count if count is None and step.columns else count,
            lambda: planned.command,
        )

    async def _more(self) -> Sequence[Row]:
        """The next rows of the query that runs; none when there are no more."""
        try:
            rows, _ = await self._in_thread(_next_rows)
            return rows
        except Locked as locked:
            raise self._locked_out() from locked

    async def _in_thread(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        try:
            return await self._connection.run(work)
        except (sqlite3.Error, UnicodeError, MemoryError) as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        if is_locked(error):
            return Locked()
        if self._connection.access is Access.READ and is_refused_write(error):
            return write_refused(self._name, str(error), self._refusal_hint)
        return while_running(self._connection.path, error)

    def _locked_out(self) -> StatementTimeout:
        locked_out = StatementTimeout(
            f"the file is locked by another connection, and still was after {format_duration(self._timeout_s)}; "
            "nothing was changed",
            hint="find the program that keeps a transaction open, or give a longer --timeout",
        )
        locked_out.counts_as_failure = False  # as with every engine: it is the statement's neighbours, not the database
        return locked_out

    async def aclose(self) -> None:
        """Closes; a statement that still runs is stopped, and what is not committed is rolled back."""
        await self._connection.aclose()


class _Query:
    """Runs a statement as it is, and reads its first rows."""

    changed: int | None = None

    def __init__(self, planned: Plan) -> None:
        self._plan = planned
        self.columns: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.complete = False

    def __call__(self, cursor: sqlite3.Cursor) -> None:
        cursor.execute(self._plan.sql, self._plan.bindings)
        self.columns = _columns(cursor)
        self.rows, self.complete = _next_rows(cursor)


class _Change:
    """Runs a statement in a transaction of its own.

    Called again after a lock it goes on where it stopped: the statement itself is not run twice, and between two
    attempts to commit SQLite lets no new reader in. After an error it is the closing that rolls back.
    """

    complete = True

    def __init__(self, planned: Plan) -> None:
        self._plan = planned
        self._ran = False
        self.columns: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.changed: int | None = None

    def __call__(self, cursor: sqlite3.Cursor) -> None:
        if not cursor.connection.in_transaction:
            cursor.execute("BEGIN IMMEDIATE")
        if not self._ran:
            self._run(cursor)
        cursor.execute("COMMIT")

    def _run(self, cursor: sqlite3.Cursor) -> None:
        cursor.execute(self._plan.sql, self._plan.bindings)
        self.columns = _columns(cursor)
        self.rows = cursor.fetchall()
        self.changed = cursor.execute("SELECT changes()").fetchone()[0]
        self._ran = True


def _next_rows(cursor: sqlite3.Cursor) -> tuple[list[Row], bool]:
    """Many rows where they are short, few where they are long; and whether there are no more."""
    rows: list[Row] = []
    length = 0
    while len(rows) < MOST_ROWS and length < ENOUGH:
        some = cursor.fetchmany(_AT_A_TIME)
        rows += some
        if len(some) < _AT_A_TIME:
            return rows, True
        length += length_of(some[-1]) * _AT_A_TIME
    return rows, False


def _columns(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(column[0] for column in cursor.description or ())
