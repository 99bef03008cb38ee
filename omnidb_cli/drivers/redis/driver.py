"""Redis and Valkey, by hiredis. One check tells the role, and whether replication goes on."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import HANGS, Session, Target, unresponsive
from omnidb_cli.drivers.check_connection import CheckConnection
from omnidb_cli.drivers.redis.options import Address, address_of

if TYPE_CHECKING:
    from omnidb_cli.drivers.redis.check import Checker
    from omnidb_cli.drivers.redis.session import RedisSession


def open_driver(target: Target) -> "RedisDriver":
    """The driver for the server of `target`. Raises TopologyError for a parameter that its URL cannot have."""
    return RedisDriver(target, address_of(target))


class RedisDriver:
    """One endpoint. The connection for checks is kept; each session has one of its own."""

    def __init__(self, target: Target, address: Address) -> None:
        self._target = target
        self._address = address
        self._limit_s = target.limit_s
        self._checks: CheckConnection[Checker] = CheckConnection(self._opened, self._lost)
        self._sessions: set[RedisSession] = set()
        self.on_lost: Callable[[], None] | None = None

    def load(self) -> None:
        """Imports what a check needs, before it begins: that is no latency of the server."""
        from omnidb_cli.drivers.redis import (
            check,  # noqa: F401
            connection,  # noqa: F401
        )

        if self._target.statement is not None:
            from omnidb_cli.drivers.redis import read_only  # noqa: F401

    async def check(self) -> Observation:
        """PING, INFO replication, and the topology's own check statement, if any, in one round trip.

        Raises ConnectError, AuthenticationError, StatementError for a check statement that fails or that may write,
        and DriverError of another kind for what the server says of itself.
        """
        if not self._checks.is_held:
            self.load()
        started = perf_counter()
        deadline = asyncio.get_running_loop().time() + self._limit_s
        return await self._checks.run(lambda checker, _kept: self._checked(checker, started, deadline), deadline)

    async def _opened(self, deadline: float) -> "Checker":
        from omnidb_cli.drivers.redis.check import Checker
        from omnidb_cli.drivers.redis.connection import Link

        link = Link(self._address)
        await link.open(deadline, self._target.configured_s)
        return Checker(link, self._target.statement)

    async def _checked(self, checker: "Checker", started: float, deadline: float) -> Observation:
        try:
            async with asyncio.timeout_at(deadline):
                return await checker.check(started)
        except TimeoutError:
            raise unresponsive(self._address.place, self._target.configured_s, hint=HANGS) from None

    def _lost(self) -> None:
        if self.on_lost is not None:
            self.on_lost()

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one command, on a server that is ready for it.

        `timeout_s` bounds connecting and the command together. Raises ConnectError and AuthenticationError.
        """
        from omnidb_cli.drivers.redis.connection import Link
        from omnidb_cli.drivers.redis.session import RedisSession

        deadline = asyncio.get_running_loop().time() + timeout_s
        link = Link(self._address)
        await link.open(deadline, timeout_s)
        await link.be_ready(deadline, timeout_s)
        session = RedisSession(
            self._target.name, self._address, link, read_only=read_only, deadline=deadline, timeout_s=timeout_s
        )
        self._sessions.add(session)
        session.on_closed = self._sessions.discard
        return session

    async def aclose(self) -> None:
        """Ends every connection, at once: nothing is awaited of the server."""
        await self._checks.aclose()
        for session in tuple(self._sessions):
            await session.aclose()
