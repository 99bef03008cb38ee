"""One connection for one statement."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from omnidb_cli.drivers._too_much import MESSAGE_BYTES
from omnidb_cli.drivers.base import Reply, write_refused
from omnidb_cli.drivers.batching import Batches, BatchSize, Rows
from omnidb_cli.drivers.postgres.connect import BEGIN_READ_ONLY, END_WITH_CLIENT, GRACE_S, discard
from omnidb_cli.drivers.postgres.errors import connect_error, running_error
from omnidb_cli.drivers.postgres.private_api import meter_of
from omnidb_cli.drivers.postgres.statement import Plan, affected_by, command_of, plan, why_not_a_read
from omnidb_cli.drivers.postgres.values import show_as_text
from omnidb_cli.errors import ConnectionLostError, StatementError, WriteRefusedError, in_one_line, within_limit

if TYPE_CHECKING:
    from asyncpg import Connection, Record

T = TypeVar("T")

_MOST_NOTICES = 1000
_CHANGED = "SELECT txid_current_if_assigned()"
"""A transaction has a number once it has changed something."""

_REFUSED_IN_READING = ("25006", "25001")
"""A write in a transaction that may only read; a statement that must be outside of transactions, which no read must."""


class PostgresSession:
    """Runs one statement. `deadline` (the event loop's clock) is when the last wait ends."""

    def __init__(self, name: str, place: str, connection: "Connection", *, read_only: bool, deadline: float) -> None:
        self._name = name
        self._place = place
        self._connection = connection
        self._meter = meter_of(connection)
        self._read_only = read_only
        self._deadline = deadline
        self._to_commit = False
        self._notices: list[str] = []
        self.on_closed: Callable[[PostgresSession], object] | None = None

    async def open(self) -> None:
        """Turns the server's own switch to read-only where asked. Raises ConnectError: nothing else was sent yet."""
        self._connection.add_log_listener(self._heard)
        switch = "SET default_transaction_read_only = on; " if self._read_only else ""
        try:
            await self._connection.execute(switch + END_WITH_CLIENT)
        except Exception as error:
            raise connect_error(error, self._place) from error

    def _heard(self, _connection: "Connection", message: Any) -> None:
        detail = f": {message.detail}" if message.detail else ""
        if len(self._notices) < _MOST_NOTICES:
            self._notices.append(in_one_line(within_limit(f"{message.severity}: {message.message}{detail}")))

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Runs exactly one statement.

        What changes data is carried out and committed before the reply is given, its `RETURNING` rows in memory; the
        rows of a query are fetched as they are asked for, in one transaction. Raises StatementError,
        WriteRefusedError, StatementTimeout and ConnectionLostError; when cancelled it stops the statement on the
        server, and waits `GRACE_S` at most to see it stop.
        """
        planned = plan(statement, parameters)
        why = why_not_a_read(statement) if self._read_only else None
        if why is not None:
            raise write_refused(self._name, why)
        self._meter.plain_only = False  # its rows come as text
        return await self._guarded(self._run(planned, statement, len(parameters)))

    async def _run(self, planned: Plan, statement: str, given: int) -> Reply:
        if self._read_only:
            await self._connection.execute(BEGIN_READ_ONLY)
        elif planned.prepare is not None:
            await self._connection.execute("BEGIN")
        if planned.prepare is not None:
            _check_number(await self._connection.prepare(statement), given)
            await (await self._connection.prepare(planned.prepare)).fetch()
        prepared = await self._prepared(planned.sql)
        columns = tuple(column.name for column in prepared.get_attributes())
        if columns and (self._read_only or not planned.whole):
            return await self._streamed(planned, prepared, columns)
        if columns and planned.word != "CALL" and not self._connection.is_in_transaction():
            await self._connection.execute("BEGIN")  # rows that are too many then leave nothing behind
        rows = await prepared.fetch()
        await self._finish()
        status = prepared.get_statusmsg()
        count = len(rows) if columns else affected_by(status)
        return Reply(
            columns,
            Batches(None, [tuple(row) for row in rows]),
            lambda: count,
            lambda: command_of(planned.word, status),
            lambda: tuple(self._notices),
            lambda: status or planned.word,
        )

    async def _prepared(self, sql: str) -> Any:
        prepared = await self._connection.prepare(sql)
        _check_number(prepared, 0)
        if show_as_text(self._connection, (column.type for column in prepared.get_attributes())):
            return await self._connection.prepare(sql)
        return prepared

    async def _streamed(self, planned: Plan, prepared: Any, columns: tuple[str, ...]) -> Reply:
        if not self._connection.is_in_transaction():
            await self._connection.execute("BEGIN")
        self._to_commit = not self._read_only
        cursor = await prepared.cursor()
        size = BatchSize()

        async def more() -> Rows:
            return await self._guarded(self._more(cursor, size))

        batches = Batches(more, _sized(await cursor.fetch(size.rows), size))
        return Reply(
            columns,
            batches,
            lambda: batches.count,
            lambda: command_of(planned.word, None),
            lambda: tuple(self._notices),
        )

    async def _more(self, cursor: Any, size: BatchSize) -> Rows:
        """The next rows of the query that runs; none when there are no more, and it is then committed."""
        rows = _sized(await cursor.fetch(size.rows), size)
        if not rows:
            await self._finish()
        return rows

    async def _finish(self) -> None:
        if self._connection.is_in_transaction():
            await (self._roll_back() if self._read_only else self._connection.execute("COMMIT"))
        self._to_commit = False

    async def _roll_back(self) -> None:
        """Raises WriteRefusedError where something was changed all the same, as by `lo_create` before PostgreSQL 16."""
        import asyncpg

        self._meter.plain_only = True
        changed = None
        with contextlib.suppress(asyncpg.UndefinedFunctionError):  # a relative of PostgreSQL: the rest holds there
            changed = await self._connection.fetchval(_CHANGED)
        await self._connection.execute("ROLLBACK")
        if changed is not None:
            raise write_refused(self._name, "it changed something, which was rolled back")

    async def _guarded(self, work: Awaitable[T]) -> T:
        """What `work` returns. Its errors become ours; whatever interrupts it ends the statement on the server."""
        self._meter.expect(MESSAGE_BYTES)
        try:
            return await work
        except (StatementError, WriteRefusedError):
            raise
        except Exception as error:
            self._to_commit = False
            if self._read_only and getattr(error, "sqlstate", None) in _REFUSED_IN_READING:
                raise write_refused(self._name, str(error)) from error
            raise running_error(error, self._place) from error
        except BaseException:
            self._to_commit = False
            await discard(self._connection)
            raise

    async def aclose(self) -> None:
        """Closes. A query whose rows were not all read is committed first, for what its functions may have changed.

        Raises DriverError when that fails; it takes no longer than the deadline, or `GRACE_S` after it.
        """
        try:
            if self._to_commit and not self._connection.is_closed():
                await self._commit()
        finally:
            self.terminate()
            if self.on_closed is not None:
                self.on_closed(self)

    async def _commit(self) -> None:
        left_s = max(self._deadline - asyncio.get_running_loop().time(), GRACE_S)
        try:
            async with asyncio.timeout(left_s):
                await self._guarded(self._finish())
        except TimeoutError:
            raise ConnectionLostError(
                f"{self._place}: the statement's end was not confirmed; whether it was committed is not known"
            ) from None

    def terminate(self) -> None:
        """Ends the connection at once."""
        self._connection.terminate()


def _sized(records: "Sequence[Record]", size: BatchSize) -> Rows:
    """The records as rows, of which `size` learns how many to ask for next."""
    rows = [tuple(record) for record in records]
    size.came(rows)
    return rows


def _check_number(prepared: Any, given: int) -> None:
    """Raises StatementError when the statement has more or fewer parameters than values were given."""
    wanted = len(prepared.get_parameters())
    if wanted != given:
        parameters = "1 parameter" if wanted == 1 else f"{wanted} parameters"
        values = "1 value was given" if given == 1 else f"{given or 'no'} values were given"
        raise StatementError(
            f"the statement has {parameters}, and {values}", hint="give one --param for each of $1, $2 …"
        )
