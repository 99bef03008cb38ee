"""PostgreSQL, by asyncpg. One look tells the role, whether it takes writes, and how far a replica is behind."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from omnidb_cli.core.health import Answer
from omnidb_cli.drivers._limits import limits
from omnidb_cli.drivers._postgres_check import LOOK, Seen, answer_of, is_doubtful, is_level, settled, since_level
from omnidb_cli.drivers._postgres_login import Login, login_of
from omnidb_cli.drivers.base import Session, Target
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ConnectError, ConnectionLostError, DriverError, ErrorKind, StatementError

if TYPE_CHECKING:
    from asyncpg import Connection

    from omnidb_cli.drivers._postgres_session import PostgresSession

_PART = 0.9
"""Of a check's time limit, so that there is time left to say what was waited for."""

_LONGEST_S = 60.0
"""Of a check whose time limit is not known here."""

_SECOND_LOOK_S = 0.05


def open_driver(target: Target) -> "PostgresDriver":
    """The driver for the server or servers of `target`. Raises TopologyError for a parameter that it cannot have."""
    return PostgresDriver(target, login_of(target))


class PostgresDriver:
    """One endpoint. The connection for checks is kept; each session has one of its own."""

    def __init__(self, target: Target, login: Login) -> None:
        self._target = target
        self._login = login
        self._limit_s = _LONGEST_S if target.timeout_s is None else _PART * target.timeout_s
        self._held: Connection | None = None
        self._level_at: float | None = None
        self._version = ""
        self._sessions: set[PostgresSession] = set()
        self._closed = False
        self.on_lost: Callable[[], None] | None = None

    def load(self) -> None:
        """Imports asyncpg, and what makes connections with it."""
        import asyncpg  # noqa: F401

        from omnidb_cli.drivers import _postgres_connect  # noqa: F401

    async def check(self) -> Answer:
        """Asks for role, lag and version; runs the topology's own check statement in a transaction that may only read.

        Raises ConnectError, AuthenticationError, and DriverError of another kind for what went wrong after.
        """
        held, self._held = self._held, None
        if held is None or held.is_closed():
            self.load()
            started = perf_counter()
            connection, seen = await self._anew(started)
        else:
            started = perf_counter()
            try:
                connection, seen = held, await self._look(held, started)
            except ConnectionLostError as error:
                if error.kind is not ErrorKind.RESET:
                    raise
                connection, seen = await self._anew(started)  # it broke unnoticed, which says nothing of the server now
        if self._target.statement is not None:
            await self._ask(connection, self._target.statement, started)
        answer = answer_of(seen, perf_counter() - started, self._version)
        self._hold(connection)
        return answer

    async def _anew(self, started: float) -> "tuple[Connection, Seen]":
        """What the server says on a new connection."""
        from omnidb_cli.drivers._postgres_connect import connected

        self._level_at = None
        connection = await connected(self._login, self._left_s(started))
        connection.add_termination_listener(self._lost)
        self._version = _version(connection)
        return connection, await self._look(connection, started)

    def _left_s(self, started: float) -> float:
        return max(self._limit_s - (perf_counter() - started), 0.001)

    async def _look(self, connection: "Connection", started: float) -> Seen:
        running = limits()
        limit = running.begin(self._left_s(started), connection.terminate)
        try:
            seen = Seen._make(await connection.fetchrow(LOOK))
            if not seen.recovering:
                return seen
            seen = self._compared(seen)
            return await self._settled(connection, seen) if is_doubtful(seen) else seen
        except BaseException as error:
            connection.terminate()
            if not isinstance(error, Exception):
                raise
            raise self._why(TimeoutError() if limit.is_over else error) from error
        finally:
            running.lift(limit)

    def _compared(self, seen: Seen) -> Seen:
        """What the looks before on the same connection make of it."""
        now = perf_counter()
        if is_level(seen):
            self._level_at = now
        elif self._level_at is not None:
            return since_level(seen, now - self._level_at)
        return seen

    async def _settled(self, connection: "Connection", first: Seen) -> Seen:
        first_at = perf_counter()
        await asyncio.sleep(_SECOND_LOOK_S)
        second = Seen._make(await connection.fetchrow(LOOK))
        return settled(first, self._compared(second), perf_counter() - first_at)

    async def _ask(self, connection: "Connection", statement: str, started: float) -> None:
        """Reads the first row: it proves that the database answers. What interrupts it ends it on the server too."""
        from omnidb_cli.drivers._postgres_connect import BEGIN_READ_ONLY, discard

        try:
            await connection.execute(BEGIN_READ_ONLY, timeout=self._left_s(started))
            await connection.fetchrow(statement, timeout=self._left_s(started))
            await connection.execute("ROLLBACK", timeout=self._left_s(started))
        except BaseException as error:
            await discard(connection)
            if not isinstance(error, Exception):
                raise
            failure = self._why(error)
            if isinstance(failure, StatementError):
                failure.args = (f"the check statement fails: {failure}",)
            raise failure from error

    def _why(self, error: Exception) -> DriverError:
        from omnidb_cli.drivers._postgres_errors import running_error

        if isinstance(error, TimeoutError):
            limit = format_duration(self._limit_s)
            return ConnectError(
                f"{self._login.places}: the server accepted the connection and did not answer within {limit}",
                kind=ErrorKind.TIMEOUT,
            )
        return running_error(error, self._login.places)

    def _hold(self, connection: "Connection") -> None:
        if self._closed or self._held is not None or connection.is_closed():
            connection.terminate()
        else:
            self._held = connection

    def _lost(self, connection: "Connection") -> None:
        """Called when a connection for checks ends; those that are in use say so where they are used."""
        if connection is self._held:
            self._held = None
            if self.on_lost is not None:
                self.on_lost()

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement.

        Raises ConnectError and AuthenticationError. `timeout_s` bounds connecting, and the commit of a statement
        whose rows are not read to their end.
        """
        from omnidb_cli.drivers._postgres_connect import connected
        from omnidb_cli.drivers._postgres_session import PostgresSession

        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = await connected(self._login, timeout_s)
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
            held.terminate()
        for session in tuple(self._sessions):
            session.terminate()


def _version(connection: "Connection") -> str:
    """The version as the server writes it, without what its distribution adds."""
    return str(connection.get_settings().server_version).partition(" ")[0]
