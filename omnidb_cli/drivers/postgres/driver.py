"""PostgreSQL, by asyncpg. One check tells the role, whether it takes writes, and how far a replica is behind."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import HANGS, Session, Target, unresponsive
from omnidb_cli.drivers.postgres.check import answer_of
from omnidb_cli.drivers.postgres.options import Login, login_of
from omnidb_cli.errors import ConnectionLostError, DriverError, ErrorKind, StatementError

if TYPE_CHECKING:
    from asyncpg import Connection
    from asyncpg.prepared_stmt import PreparedStatement

    from omnidb_cli.drivers.postgres.check import ServerState
    from omnidb_cli.drivers.postgres.connection import Checker
    from omnidb_cli.drivers.postgres.session import PostgresSession


def open_driver(target: Target) -> "PostgresDriver":
    """The driver for the server or servers of `target`. Raises TopologyError for a parameter that it cannot have."""
    return PostgresDriver(target, login_of(target))


class PostgresDriver:
    """One endpoint. The connection for checks is kept; each session has one of its own."""

    def __init__(self, target: Target, login: Login) -> None:
        self._target = target
        self._login = login
        self._limit_s = target.limit_s
        self._held: Checker | None = None
        self._sessions: set[PostgresSession] = set()
        self._closed = False
        self.on_lost: Callable[[], None] | None = None

    def load(self) -> None:
        """Imports asyncpg, and what makes connections with it."""
        import asyncpg  # noqa: F401

        from omnidb_cli.drivers.postgres import (
            connect,  # noqa: F401
            connection,  # noqa: F401
            private_api,  # noqa: F401
        )

        if self._target.statement is not None:
            from omnidb_cli.drivers.postgres import (
                statement,  # noqa: F401
                values,  # noqa: F401
            )

    async def check(self) -> Observation:
        """Asks for role, lag and version; runs the topology's own check statement in a transaction that may only read.

        Raises ConnectError, AuthenticationError, and DriverError of another kind for what went wrong after.
        """
        if self._target.statement is not None:
            _refuse_a_write(self._target.statement)
        held, self._held = self._held, None
        if held is None or held.connection.is_closed():
            self.load()
            started = perf_counter()
            checker, seen = await self._anew(started)
        else:
            started = perf_counter()
            try:
                checker, seen = held, await self._check(held, started)
            except ConnectionLostError as error:
                if error.kind is not ErrorKind.RESET:
                    raise
                checker, seen = await self._anew(started)  # it broke unnoticed, which says nothing of the server now
        if self._target.statement is not None:
            await self._ask(checker.connection, self._target.statement, started)
        answer = answer_of(seen, perf_counter() - started, checker.version)
        self._hold(checker)
        return answer if checker.powers is None else replace(answer, powers=checker.powers)

    async def _anew(self, started: float) -> "tuple[Checker, ServerState]":
        """What the server says on a new connection."""
        from omnidb_cli.drivers.postgres.connect import connected
        from omnidb_cli.drivers.postgres.connection import open_checker

        connection = await connected(self._login, self._left_s(started), configured_s=self._target.configured_s)
        connection.add_termination_listener(self._lost)
        try:
            checker = await open_checker(connection, self._left_s(started))
        except Exception as error:
            raise self._why(error) from error
        return checker, await self._check(checker, started)

    def _left_s(self, started: float) -> float:
        return max(self._limit_s - (perf_counter() - started), 0.001)

    async def _check(self, checker: "Checker", started: float) -> "ServerState":
        try:
            return await checker.check(self._left_s(started))
        except Exception as error:
            raise self._why(error) from error

    async def _ask(self, connection: "Connection", statement: str, started: float) -> None:
        """Reads the first row: it proves that the database answers. What interrupts it ends it on the server too."""
        from omnidb_cli.drivers.postgres.connect import BEGIN_READ_ONLY, discard
        from omnidb_cli.drivers.postgres.private_api import meter_of

        meter = meter_of(connection)
        try:
            await connection.execute(BEGIN_READ_ONLY, timeout=self._left_s(started))
            meter.plain_only = False  # its row comes as text
            await (await self._prepared(connection, statement, started)).fetchrow(timeout=self._left_s(started))
            meter.plain_only = True
            await connection.execute("ROLLBACK", timeout=self._left_s(started))
        except BaseException as error:
            await discard(connection)
            if not isinstance(error, Exception):
                raise
            failure = self._why(error)
            if isinstance(failure, StatementError):
                failure.args = (f"the check statement fails: {failure}",)
            raise failure from error

    async def _prepared(self, connection: "Connection", statement: str, started: float) -> "PreparedStatement":
        """The statement, its row as text where that is not plain."""
        from omnidb_cli.drivers.postgres.values import show_as_text

        prepared = await connection.prepare(statement, timeout=self._left_s(started))
        if show_as_text(connection, (column.type for column in prepared.get_attributes())):
            return await connection.prepare(statement, timeout=self._left_s(started))
        return prepared

    def _why(self, error: Exception) -> DriverError:
        from omnidb_cli.drivers.postgres.errors import running_error

        if isinstance(error, TimeoutError):
            return unresponsive(self._login.places, self._target.configured_s, hint=HANGS)
        return running_error(error, self._login.places)

    def _hold(self, checker: "Checker") -> None:
        if self._closed or self._held is not None or checker.connection.is_closed():
            checker.connection.terminate()
        else:
            self._held = checker

    def _lost(self, connection: "Connection") -> None:
        """Called when a connection for checks ends; those that are in use say so where they are used."""
        if self._held is not None and connection is self._held.connection:
            self._held = None
            if self.on_lost is not None:
                self.on_lost()

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement.

        Raises ConnectError and AuthenticationError. `timeout_s` bounds connecting, and the commit of a statement
        whose rows are not read to their end.
        """
        from omnidb_cli.drivers.postgres.connect import connected
        from omnidb_cli.drivers.postgres.session import PostgresSession

        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = await connected(self._login, timeout_s, configured_s=timeout_s)
        session = PostgresSession(
            self._target.name, self._login.places, connection, read_only=read_only, deadline=deadline
        )
        try:
            await session.open()
        except BaseException:
            connection.terminate()
            raise
        self._sessions.add(session)
        session.on_closed = self._sessions.discard
        return session

    async def aclose(self) -> None:
        """Ends every connection, without a wait: the goodbye is sent, and no answer to it expected."""
        self._closed = True
        held, self._held = self._held, None
        if held is not None:
            held.connection.terminate()
        for session in tuple(self._sessions):
            session.terminate()


def _refuse_a_write(statement: str) -> None:
    from omnidb_cli.drivers.postgres.statement import why_not_a_read

    why = why_not_a_read(statement)
    if why is not None:
        raise StatementError(f"the check statement may only read: {why}")
