"""One connection for one command."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from omnidb_cli.drivers.base import Reply, write_refused
from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.errors import ReplyError, code_of, rejected, said
from omnidb_cli.drivers.redis.meter import STATEMENT_BYTES
from omnidb_cli.drivers.redis.protocol import Command
from omnidb_cli.drivers.redis.read_only import refusal
from omnidb_cli.drivers.redis.statement import command_of, name_of
from omnidb_cli.drivers.redis.values import COLUMNS, batches_of
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import StatementTimeout, WriteRefusedError

if TYPE_CHECKING:
    from omnidb_cli.drivers.redis.options import Address

_SAME_MOMENT_S = 0.05


class RedisSession:
    """Runs one command. What is not answered until `deadline` (the event loop's clock) is given up.

    Redis has no switch for a session that may only read: with `read_only` each command is looked up first.
    """

    def __init__(
        self, name: str, address: "Address", link: Link, *, read_only: bool, deadline: float, timeout_s: float
    ) -> None:
        self._name = name
        self._address = address
        self._link = link
        self._read_only = read_only
        self._deadline = deadline
        self._timeout_s = timeout_s
        self._is_sent = False
        self.on_closed: Callable[[RedisSession], None] | None = None

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Sends the command once. Cancelled, or out of time, it ends the connection, and so what blocks on it.

        A script of it is stopped on the server, which is waited for 0.4 s at most.
        Raises StatementError, WriteRefusedError, StatementTimeout, ConnectionLostError, and DriverError for trouble
        of the server.
        """
        command = command_of(statement, parameters)
        try:
            async with asyncio.timeout_at(self._deadline):
                if self._read_only:
                    await self._refuse_writes(command)
                self._is_sent = True
                [reply] = await self._link.ask(command, most_bytes=STATEMENT_BYTES)
        except TimeoutError:
            fate = await self._script_stopped(command)
            limit = format_duration(self._timeout_s)
            raise self._late(command, limit, fate or "the connection was ended") from None
        except asyncio.CancelledError:
            is_late = asyncio.get_running_loop().time() > self._deadline - _SAME_MOMENT_S
            fate = await self._script_stopped(command)
            if is_late and fate:  # whoever set the limit ends the statement a moment before, and does not know of it
                raise self._late(command, "the time limit", fate) from None
            raise
        if isinstance(reply, ReplyError):
            if self._read_only and code_of(reply) == "READONLY":
                raise write_refused(self._name, said(reply)) from reply
            raise rejected(reply, self._link.place) from reply
        batches = batches_of(reply)
        return Reply(COLUMNS, batches, lambda: batches.count, lambda: name_of(command))

    async def _script_stopped(self, command: Command) -> str | None:
        """What became of the script of a command that was sent, once the server was told to stop it; None without."""
        from omnidb_cli.drivers.redis.stop import stop

        return await stop(self._address, command) if self._is_sent else None

    def _late(self, command: Command, limit: str, fate: str) -> StatementTimeout:
        return StatementTimeout(
            f"{self._link.place}: no answer to {name_of(command)} within {limit}; {fate}",
            hint="give it longer with --timeout",
        )

    async def _refuse_writes(self, command: Command) -> None:
        try:
            why = await refusal(self._link, command)
        except WriteRefusedError as error:
            raise write_refused(self._name, str(error), error.hint) from error
        if why is not None:
            raise write_refused(self._name, why)

    async def aclose(self) -> None:
        """Ends the connection at once."""
        self._link.abort()
        if self.on_closed is not None:
            self.on_closed(self)
