"""PostgreSQL, by asyncpg. One check tells the role, whether it takes writes, and how far a replica is behind."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import HANGS, Session, Target, unresponsive
from omnidb_cli.drivers.check_connection import CheckConnection
from omnidb_cli.drivers.postgres.check import answer_of
from omnidb_cli.drivers.postgres.options import Login, login_of
from omnidb_cli.errors import DriverError, StatementError

if TYPE_CHECKING:
    from asyncpg import Connection
    from asyncpg.prepared_stmt import PreparedStatement

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
        self._checks: CheckConnection[Checker] = CheckConnection(self._opened, self._lost)
        self._sessions: set[PostgresSession] = set()
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
        if not self._checks.is_held:
            self.load()
        started = perf_counter()
        deadline = asyncio.get_running_loop().time() + self._limit_s
        return await self._checks.run(lambda checker, _kept: self._check(checker, started, deadline), deadline)

    async def _opened(self, deadline: float) -> "Checker":
        from omnidb_cli.drivers.postgres.connect import connected
        from omnidb_cli.drivers.postgres.connection import open_checker

        connection = await connected(self._login, _left_s(deadline), configured_s=self._target.configured_s)
        try:
            return await open_checker(connection, _left_s(deadline))
        except Exception as error:
            raise self._why(error) from error

    async def _check(self, checker: "Checker", started: float, deadline: float) -> Observation:
        try:
            seen = await checker.check(_left_s(deadline))
        except Exception as error:
            raise self._why(error) from error
        if self._target.statement is not None:
            await self._ask(checker.connection, self._target.statement, deadline)
        answer = answer_of(seen, perf_counter() - started, checker.version)
        return answer if checker.powers is None else replace(answer, powers=checker.powers)

    async def _ask(self, connection: "Connection", statement: str, deadline: float) -> None:
        """Reads the first row: it proves that the database answers. What interrupts it ends it on the server too."""
        from omnidb_cli.drivers.postgres.connect import BEGIN_READ_ONLY, discard
        from omnidb_cli.drivers.postgres.private_api import meter_of

        meter = meter_of(connection)
        try:
            await connection.execute(BEGIN_READ_ONLY, timeout=_left_s(deadline))
            meter.plain_only = False  # its row comes as text
            await (await self._prepared(connection, statement, deadline)).fetchrow(timeout=_left_s(deadline))
            meter.plain_only = True
            await connection.execute("ROLLBACK", timeout=_left_s(deadline))
        except BaseException as error:
            await discard(connection)
            if not isinstance(error, Exception):
                raise
            failure = self._why(error)
            if isinstance(failure, StatementError):
                failure.args = (f"the check statement fails: {failure}",)
            raise failure from error

    async def _prepared(self, connection: "Connection", statement: str, deadline: float) -> "PreparedStatement":
        """The statement, its row as text where that is not plain."""
        from omnidb_cli.drivers.postgres.values import show_as_text

        prepared = await connection.prepare(statement, timeout=_left_s(deadline))
        if show_as_text(connection, (column.type for column in prepared.get_attributes())):
            return await connection.prepare(statement, timeout=_left_s(deadline))
        return prepared

    def _why(self, error: Exception) -> DriverError:
        from omnidb_cli.drivers.postgres.errors import running_error

        if isinstance(error, TimeoutError):
            return unresponsive(self._login.places, self._target.configured_s, hint=HANGS)
        return running_error(error, self._login.places)

    def _lost(self) -> None:
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
        await self._checks.aclose()
        for session in tuple(self._sessions):
            session.terminate()


def _left_s(deadline: float) -> float:
    return max(deadline - asyncio.get_running_loop().time(), 0.001)


def _refuse_a_write(statement: str) -> None:
    from omnidb_cli.drivers.postgres.statement import why_not_a_read

    why = why_not_a_read(statement)
    if why is not None:
        raise StatementError(f"the check statement may only read: {why}")
