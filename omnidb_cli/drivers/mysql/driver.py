"""MySQL and MariaDB: who takes writes is told by `read_only`, how far a replica is behind by its replication status."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers._url_options import refuse_faulty_options
from omnidb_cli.drivers.base import HANGS, Session, Target, unresponsive
from omnidb_cli.drivers.check_connection import CheckConnection
from omnidb_cli.drivers.mysql.parameters import PARAMETERS
from omnidb_cli.errors import (
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    TopologyError,
)

if TYPE_CHECKING:
    from omnidb_cli.drivers.mysql.check import Checker
    from omnidb_cli.drivers.mysql.connection import Wire
    from omnidb_cli.drivers.mysql.options import Login

_OPTION_FILE = "~/.my.cnf"


def open_driver(target: Target) -> "MysqlDriver":
    """The driver for `target`. Raises TopologyError for parameters of its URL that it does not understand."""
    if not target.hosts:
        raise TopologyError(f'connection "{target.name}": its URL names no host', hint="write mysql://host/database")
    refuse_faulty_options(target, PARAMETERS)
    return MysqlDriver(target)


class MysqlDriver:
    """One endpoint. A connection for checks is held between them; each session has one of its own."""

    def __init__(self, target: Target) -> None:
        self.on_lost: Callable[[], None] | None = None
        self._target = target
        self._login: Login | None = None
        self._limit_s = target.limit_s
        self._checks: CheckConnection[Checker] = CheckConnection(self._connected, self._lost)

    def load(self) -> None:
        """Imports what a check needs, the client library above all: that is no latency of the server."""
        from omnidb_cli.drivers.mysql import (
            check,  # noqa: F401
            connect,  # noqa: F401
        )

        if self._target.statement is not None:
            from omnidb_cli.drivers.mysql import statement  # noqa: F401

    async def check(self) -> Observation:
        """Asks for `read_only` and the replication status in one round trip; then the topology's own statement.

        Raises DriverError: ConnectError, AuthenticationError, and what its own statement may raise.
        """
        if not self._checks.is_held:
            self.load()
            self._settings()
        started = perf_counter()
        deadline = asyncio.get_running_loop().time() + self._limit_s
        return await self._checks.run(lambda checker, _kept: self._check(checker, started, deadline), deadline)

    async def _connected(self, deadline: float) -> "Checker":
        from omnidb_cli.drivers.mysql.check import Checker
        from omnidb_cli.drivers.mysql.connect import open_wire

        together = self._target.statement is None
        wire = await open_wire(self._settings(), deadline=deadline, limit_s=self._target.configured_s, scripts=together)
        return Checker(wire, self._target.timeout_s, together=together)

    async def _check(self, checker: "Checker", started: float, deadline: float) -> Observation:
        """One check; its connection is ended unless the server has said all."""
        from omnidb_cli.drivers.mysql.check import answer

        wire = checker.wire
        try:
            async with asyncio.timeout_at(deadline):
                check = await checker.check()
                if self._target.statement is not None:
                    await checker.ask(self._target.statement)
        except Exception as error:
            failure = self._failure(error, wire)
            if not isinstance(failure, StatementError):
                wire.abort()
            raise failure from error
        except BaseException:
            wire.abort()
            raise
        return answer(check, latency_s=perf_counter() - started, version=wire.version)

    def _failure(self, error: Exception, wire: "Wire") -> DriverError:
        from omnidb_cli.drivers.mysql.errors import while_running

        if isinstance(error, TimeoutError):
            return unresponsive(str(wire.place), self._target.configured_s, hint=HANGS)
        failure = error if isinstance(error, DriverError) else while_running(str(wire.place), error)
        if isinstance(failure, ConnectionLostError):
            failure.args = (f"{wire.place} closed the connection instead of answering",)
        return failure

    def _lost(self) -> None:
        if self.on_lost is not None:
            self.on_lost()

    def _settings(self) -> "Login":
        """The login, with what the option file says; it is read once."""
        if self._login is not None:
            return self._login
        from pathlib import Path

        from omnidb_cli.drivers.mysql.options import login, read_option_file

        try:
            self._login = login(self._target, read_option_file(Path(_OPTION_FILE).expanduser()))
        except ValueError as error:
            raise ConnectError(f"{_OPTION_FILE}: {error}", kind=ErrorKind.TLS) from None
        return self._login

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement; `read_only` makes it a read-only transaction.

        `timeout_s` bounds what the statement may wait for locks, and what the server lets it take. Raises
        ConnectError or AuthenticationError.
        """
        from omnidb_cli.drivers.mysql.session import open_session

        limit_s = min(timeout_s, self._limit_s)
        deadline = asyncio.get_running_loop().time() + limit_s
        return await open_session(
            self._target, self._settings(), deadline=deadline, read_only=read_only, timeout_s=timeout_s
        )

    async def aclose(self) -> None:
        """Says goodbye to the server, and waits for nobody."""
        await self._checks.aclose()
