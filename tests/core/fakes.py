"""Databases, listeners and orchestrators as the core's tests want them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from omnidb_cli import CircuitBreakerConfig, Event, EventType, HealthCheck, Orchestrator
from omnidb_cli.core.routing.router import FailoverSpec
from tests.core.clock import settle

CIRCUITS = CircuitBreakerConfig()
MOVES = ("failover", "recovery", "no-route")


class DownError(ConnectionRefusedError):
    """What a fake database raises when it is down."""


class Server:
    """A database: `answer` is what its check returns, or raises; `hangs` makes the check wait for ever."""

    def __init__(self, name: str, answer: object = True) -> None:
        self.name = name
        self.answer = answer
        self.hangs = False
        self.checks = 0
        self.at_once = 0
        self.most_at_once = 0
        self.closed = 0
        self.may_close: asyncio.Event | None = None

    def __repr__(self) -> str:
        return f"Server({self.name!r})"

    def down(self) -> None:
        self.answer = DownError(f"{self.name} refused")

    def up(self) -> None:
        self.answer = True
        self.hangs = False

    async def check(self) -> object:
        self.checks += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.at_once -= 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def close_slowly(self) -> asyncio.Event:
        """From now on closing it takes until the returned event is set."""
        self.may_close = asyncio.Event()
        return self.may_close

    async def aclose(self) -> None:
        if self.may_close is not None:
            await self.may_close.wait()
        self.closed += 1


async def check(server: Server) -> object:
    """The check function of every fake database."""
    return await server.check()


async def who(server: Server) -> str:
    """A call that goes well: the name of whoever served it."""
    return server.name


async def broken(server: Server) -> str:
    """A call that fails."""
    raise DownError(f"{server.name} refused")


class Fleet:
    """An orchestrator over fake databases, and everything that it said."""

    def __init__(
        self,
        *names: str,
        failover: Mapping[str, FailoverSpec] | None = None,
        circuit_breaker: CircuitBreakerConfig | None = CIRCUITS,
        checked: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        self.servers = {name: Server(name) for name in names}
        checks = dict.fromkeys(names if checked is None else checked, check)
        self.db = Orchestrator(
            self.servers,
            failover=failover,
            health_check=HealthCheck(checks=checks, **settings),
            circuit_breaker=circuit_breaker,
        )
        self.heard: list[Event] = []
        for word in EventType:
            self.db.on(word, self.heard.append)

    def __getitem__(self, name: str) -> Server:
        return self.servers[name]

    async def __aenter__(self) -> "Fleet":
        await self.db.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self.db.__aexit__(*exc_info)

    def said(self, *types: str) -> list[tuple[str, str | None, str | None]]:
        """What was heard (of these types), as (type, name, reason)."""
        return [(e.type.value, e.name, e.reason) for e in self.heard if not types or e.type in types]

    async def moves(self) -> list[tuple[str, str | None, str | None, str | None]]:
        """The failovers, recoveries and missing routes so far, as (type, name, primary, backup)."""
        await settle()
        return [(e.type.value, e.name, e.primary, e.backup) for e in self.heard if e.type in MOVES]

    def forget(self) -> None:
        self.heard.clear()

    async def fail(self, name: str, times: int) -> None:
        """Lets `times` calls to `name` itself fail."""
        for _ in range(times):
            try:
                await self.db.execute(name, broken, failover=False)
            except DownError:
                continue

    async def turn(self, name: str, *, up: bool) -> None:
        """Lets `name` go down or come up, and checks it."""
        if up:
            self[name].up()
        else:
            self[name].down()
        await self.db.check(name)


def alone() -> bool:
    """Whether this test is the only task."""
    return asyncio.all_tasks() == {asyncio.current_task()}
