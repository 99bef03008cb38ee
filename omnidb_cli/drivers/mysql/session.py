"""One connection for one statement."""

import asyncio
import math
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, TypeVar

from omnidb_cli.drivers._too_much import MESSAGE_BYTES
from omnidb_cli.drivers.base import HANGS, Reply, spans_commands, unresponsive, write_refused
from omnidb_cli.drivers.batching import MOST_ROWS
from omnidb_cli.drivers.mysql.connect import open_wire
from omnidb_cli.drivers.mysql.errors import (
    code_of,
    comes_from_server,
    refused_as_write,
    while_connecting,
    while_running,
    words,
)
from omnidb_cli.drivers.mysql.kill import identity, stop
from omnidb_cli.drivers.mysql.rows import Reader
from omnidb_cli.drivers.mysql.statement import command_of, controls_transactions, is_empty, why_not_a_read
from omnidb_cli.errors import DriverError, StatementError, in_one_line, within_limit

if TYPE_CHECKING:
    from omnidb_cli.drivers.base import Target
    from omnidb_cli.drivers.mysql.connection import Answered, Wire
    from omnidb_cli.drivers.mysql.options import Login
    from omnidb_cli.drivers.mysql.private_api import Row

T = TypeVar("T")

_GRACE_S = 1.0  # after the time limit of the person: the server's own is for when nobody is left to stop it
_LONGEST_ASIDE_S = 1.0
_MOST_WARNINGS = 20
_PREPARED = "omnidb_statement"
_WRONG_NUMBER = 1210
_HEAD_BYTES = 4_000_000  # what comes before the rows: four thousand columns take as much at the most


async def open_session(
    target: "Target", login: "Login", *, deadline: float, read_only: bool, timeout_s: float
) -> "MysqlSession":
    """A session on the first server of `login` that lets us in, its limits and its read-only switch set.

    Raises ConnectError or AuthenticationError.
    """
    limit_s = min(timeout_s, target.configured_s)
    wire = await open_wire(login, deadline=deadline, limit_s=limit_s)
    try:
        async with asyncio.timeout_at(deadline):
            await wire.ask(_limits(wire, read_only=read_only, timeout_s=timeout_s))
            server = await identity(wire)
            if read_only:
                await wire.ask("START TRANSACTION READ ONLY")
    except TimeoutError:
        wire.abort()
        raise unresponsive(str(wire.place), limit_s, hint=HANGS) from None
    except BaseException as error:
        wire.abort()
        if not isinstance(error, Exception):
            raise
        raise while_connecting(str(wire.place), login.database, error) from error
    return MysqlSession(target.name, login, wire, read_only=read_only, server=server)


def _limits(wire: "Wire", *, read_only: bool, timeout_s: float) -> str:
    """The session's settings; no limit of the server's own is raised."""
    locks_s = max(1, math.ceil(timeout_s))
    most_s = timeout_s + _GRACE_S
    longest, limit, switch = (
        ("max_statement_time", f"{most_s:.3f}", "tx_read_only")
        if wire.is_mariadb
        else ("max_execution_time", f"{most_s * 1000:.0f}", "transaction_read_only")
    )
    settings = [
        *(f"{wait}=LEAST(@@{wait}, {locks_s})" for wait in ("lock_wait_timeout", "innodb_lock_wait_timeout")),
        f"{longest}=IF(@@{longest} > 0, LEAST(@@{longest}, {limit}), {limit})",
        *([f"{switch}=1"] if read_only else []),
    ]
    return f"SET SESSION {', '.join(settings)}"


class MysqlSession:
    """Runs one statement, and stops it on the server when it is closed too early."""

    def __init__(self, name: str, login: "Login", wire: "Wire", *, read_only: bool, server: Sequence["Row"]) -> None:
        self._name = name
        self._login = login
        self._wire = wire
        self._read_only = read_only
        self._server = server
        self._is_running = False
        self._stopping: asyncio.Task[None] | None = None

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Sends one statement, and reads its rows as they are asked for.

        Parameters are bound by the server to `?`, as text. Raises StatementError, WriteRefusedError,
        StatementTimeout, ConnectionLostError, and DriverError for trouble of the server.
        """
        _refuse_broken(statement, *parameters)
        if is_empty(statement):
            raise StatementError("the statement is empty")
        if controls_transactions(statement):
            raise spans_commands(command_of(statement))
        why = why_not_a_read(statement) if self._read_only else None
        if why is not None:
            raise write_refused(self._name, why)
        self._is_running = True
        answered = await self._attempt(self._send(statement, parameters))
        reader = Reader(self, answered, command_of(statement))
        if answered.columns:
            self._wire.hold_back()
        else:
            await reader.finish()
        return Reply(answered.columns, reader.batches, reader.row_count, lambda: reader.command, lambda: reader.notices)

    async def _send(self, statement: str, parameters: Sequence[str]) -> "Answered":
        """With parameters it is the server that finds the placeholders: nothing is written into the statement."""
        wire = self._wire
        if not parameters:
            return await wire.ask(statement)
        names = [f"@omnidb_{number}" for number in range(len(parameters))]
        values = zip(["@omnidb", *names], [statement, *parameters], strict=True)
        await wire.ask("SET " + ", ".join(f"{name} = _utf8mb4 X'{value.encode().hex()}'" for name, value in values))
        await wire.ask(f"PREPARE {_PREPARED} FROM @omnidb")
        return await wire.ask(f"EXECUTE {_PREPARED} USING {', '.join(names)}")

    async def more(self, answered: "Answered") -> Sequence["Row"]:
        """The next rows of an answer; none when there are no more."""
        self._wire.go_on()
        rows = await self._attempt(answered.rows(MOST_ROWS), MESSAGE_BYTES)
        self._wire.hold_back()
        return rows

    async def next(self) -> "Answered":
        """What a procedure answers next."""
        self._wire.go_on()
        return await self._attempt(self._wire.next())

    async def warnings(self) -> Sequence[str]:
        """What the server noted beside the statement, which is over."""
        self._is_running = False
        self._wire.go_on()
        try:
            async with asyncio.timeout(_LONGEST_ASIDE_S):
                answered = await self._attempt(self._wire.ask(f"SHOW WARNINGS LIMIT {_MOST_WARNINGS}"))
                rows = await self._attempt(answered.all())
        except (DriverError, TimeoutError):
            return ("the server has warnings, but they could not be read",)
        return tuple(in_one_line(within_limit(f"{level} {code}: {text}")) for level, code, text in rows)

    def is_over(self) -> None:
        """The statement has come to its end on the server."""
        self._is_running = False

    async def _attempt(self, act: Awaitable[T], most_bytes: int = _HEAD_BYTES) -> T:
        self._wire.expect(most_bytes)
        try:
            return await act
        except asyncio.CancelledError:
            self._stop()
            raise
        except Exception as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> DriverError:
        """What the server itself says of a statement is the end of it; else it may still run."""
        code = code_of(error)
        translated = while_running(str(self._wire.place), error)
        if comes_from_server(code):
            self._is_running = False
        if self._read_only and refused_as_write(error):
            return write_refused(self._name, words(error))
        if code == _WRONG_NUMBER:
            return StatementError(
                "the number of parameters is not the number of placeholders",
                hint="give one parameter for each ? in the statement",
            )
        return translated

    def _stop(self) -> None:
        """Has the server stop the statement, while whoever cancelled it goes on."""
        if self._is_running and self._stopping is None:
            self._is_running = False
            self._wire.abort()
            self._stopping = asyncio.create_task(stop(self._wire, self._login, self._server))

    async def aclose(self) -> None:
        """Ends the session; what still runs on the server is stopped there, within a bound."""
        self._stop()
        self._wire.leave()
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn
        if self._stopping is not None:
            try:
                await asyncio.wait([self._stopping])
            finally:
                self._stopping.cancel()


def _refuse_broken(*texts: str) -> None:
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise StatementError(f"not valid UTF-8: {text!r}") from None
