"""SQLite: a file. It has no replication and so no role to tell, but whether it may be written can be seen."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers._url_options import refuse_faulty_options
from omnidb_cli.drivers.base import Session, Target
from omnidb_cli.drivers.sqlite.parameters import PARAMETERS
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ConnectError, ErrorKind, TopologyError
from omnidb_cli.log import Log

if TYPE_CHECKING:
    from omnidb_cli.drivers.sqlite.threads import Job

T = TypeVar("T")

_log = Log("drivers.sqlite")


def open_driver(target: Target) -> "SqliteDriver":
    """The driver for the file `target.path`. Raises TopologyError for a target that names none."""
    if not target.path or "\0" in target.path:
        raise TopologyError(f'connection "{target.name}": its URL names no file', hint="write sqlite:///FILE")
    refuse_faulty_options(target, PARAMETERS)
    return SqliteDriver(target, target.path)


class SqliteDriver:
    """One database file. Nothing is held between checks: each check and each session opens it for itself."""

    def __init__(self, target: Target, path: str) -> None:
        self._target = target
        self._path = path
        self._only_reads = target.params.get("mode", "").lower() == "ro"
        self._latest: Job[Any] | None = None
        self.on_lost: Callable[[], None] | None = None  # never called: no connection is held

    def load(self) -> None:
        """Imports what reads a file."""
        from omnidb_cli.drivers.sqlite import (
            check,  # noqa: F401
            connection,  # noqa: F401
            threads,  # noqa: F401
        )

    async def check(self) -> Observation:
        """Reads the schema, then runs the topology's own check statement, if any; nothing on disk changes.

        Raises ConnectError (of kind `timeout` while the file is locked), AuthenticationError, StatementError for a
        check statement that fails, and DriverError for damage that it finds.
        """
        from omnidb_cli.drivers.sqlite.check import Checker

        _log.debug("opening %s to read its schema", self._path)
        check = Checker(self._path, self._target.statement)
        return await self._unlocked(
            lambda: self._in_thread(check, check.stop), self._target.limit_s, self._target.configured_s
        )

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement, on a file whose schema was read; the file is never created.

        `timeout_s` bounds what connecting and the statement together may wait for locks. Raises ConnectError
        and AuthenticationError.
        """
        from omnidb_cli.drivers.sqlite.connection import Access, Connection
        from omnidb_cli.drivers.sqlite.session import SqliteSession

        _log.debug("opening %s", self._path)
        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = Connection(self._path, Access.READ if read_only or self._only_reads else Access.WRITE)
        try:
            await self._unlocked(lambda: self._in_thread(connection.open, connection.stop), timeout_s, timeout_s)
        except BaseException:
            await connection.aclose()
            raise
        why_reading = "take mode=ro out of its URL, or write elsewhere" if self._only_reads else None
        return SqliteSession(
            self._target.name, connection, deadline=deadline, timeout_s=timeout_s, refusal_hint=why_reading
        )

    async def aclose(self) -> None:
        """Nothing is held; what still runs ends with the check or the session that it belongs to."""

    async def _in_thread(self, work: Callable[[], T], stop: Callable[[], None]) -> T:
        from omnidb_cli.drivers.network_errors import not_connected, trouble_of
        from omnidb_cli.drivers.sqlite.threads import start

        if self._latest is not None and self._latest.lost and not self._latest.returned:
            raise ConnectError(
                f"{self._path}: the file system does not answer; an earlier check still hangs in it",
                kind=ErrorKind.TIMEOUT,
                hint="check the mount: a network file system whose server is away hangs like this",
            )
        try:
            job = start(work)
        except RuntimeError as error:
            if (trouble := trouble_of(error)) is None:
                raise
            raise not_connected(trouble, self._path) from error
        self._latest = job
        return await job.result(stop)

    async def _unlocked(self, attempt: Callable[[], Awaitable[T]], limit_s: float, configured_s: float) -> T:
        """What `attempt` returns, as soon as no lock is in its way; messages name `configured_s`."""
        from omnidb_cli.drivers.sqlite.connection import until_unlocked
        from omnidb_cli.drivers.sqlite.errors import Locked

        try:
            return await until_unlocked(attempt, deadline=asyncio.get_running_loop().time() + limit_s)
        except Locked as locked:
            raise ConnectError(
                f"{self._path} is locked by another connection, and still was after {format_duration(configured_s)}",
                kind=ErrorKind.TIMEOUT,
                hint="find the program that keeps a transaction open, or wait for longer",
            ) from locked
