"""Checks very many held connections to real servers, against the bare client asking the same on as many."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import omnidb_cli.drivers
from omnidb_cli.cli.wiring import open_drivers, orchestrator
from omnidb_cli.core.orchestrator import Orchestrator
from omnidb_cli.drivers.postgres.check import CHECK
from omnidb_cli.state import store
from omnidb_cli.topology.loader import load
from tests.bench.row import Row, at_most
from tests.bench.scale import Scale
from tests.bench.servers import Servers, postgres_url, redis_url
from tests.bench.timing import alternate_async, ratio
from tests.servers import redis
from tests.servers.folders import copy
from tests.servers.postgres import PostgresServer

_IN_FLIGHT = 64
"""As many as omnidb has (semantics, Health 5)."""


async def rows(scale: Scale, servers: Servers, folder: Path) -> list[Row]:
    """The rows of this section."""
    return [await _postgres(scale, servers, folder), await _redis(scale, servers, folder)]


async def _postgres(scale: Scale, servers: Servers, folder: Path) -> Row:
    server = PostgresServer("pg-many", servers.folder)
    copy(servers.postgres.template / "data", server.data)
    server.options = ["-c", f"max_connections={scale.held + 20}"]
    server.start()
    server.wait_ready()
    try:
        async with _checking(postgres_url(server), scale.held, folder) as (db, drivers):

            async def bare() -> None:
                await _each((driver._checks._held.connection for driver in drivers), lambda one: one.fetchrow(CHECK))

            seconds = await alternate_async({"omnidb": db.check, "bare": bare}, scale.held_checks)
    finally:
        server.kill()
    cost = _microseconds(seconds["omnidb"], scale.held)
    note = f" asyncpg with the same query ({cost:.0f} µs a check)"
    return at_most(
        "checks 1,000 held PostgreSQL connections, CPU", ratio(seconds, "omnidb", "bare"), 1.3, unit=" ×", note=note
    )


async def _redis(scale: Scale, servers: Servers, folder: Path) -> Row:
    server = servers.redis.primary
    clients = [_redis_client(server.port) for _ in range(scale.held)]
    await _each(clients, lambda client: client.connect())

    async def ask(client: Any) -> None:
        await client.send_packed_command(client.pack_commands([("PING",), ("INFO", "replication")]))
        await client.read_response()
        await client.read_response()

    try:
        async with _checking(redis_url(server), scale.held, folder) as (db, _):
            seconds = await alternate_async(
                {"omnidb": db.check, "bare": lambda: _each(clients, ask)}, scale.held_checks
            )
    finally:
        await _each(clients, lambda client: client.disconnect())
    cost = _microseconds(seconds["omnidb"], scale.held)
    note = f" redis-py with the same commands ({cost:.0f} µs a check)"
    return at_most(
        "checks 1,000 held Redis connections, CPU", ratio(seconds, "omnidb", "bare"), 1.3, unit=" ×", note=note
    )


def _redis_client(port: int) -> Any:
    from redis.asyncio.connection import Connection
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Connection(
        host="127.0.0.1", port=port, username="app", password=redis.PASSWORD, protocol=3, retry=Retry(NoBackoff(), 0)
    )


@asynccontextmanager
async def _checking(url: str, number: int, folder: Path) -> AsyncIterator[tuple[Orchestrator, list[Any]]]:
    """The core over so many connections to one server, each checked once; and its drivers."""
    file = folder / "held.yaml"
    lines = ["connections:", *(f'  db-{one}: {{url: "{url}"}}' for one in range(number))]
    file.write_text("\n".join([*lines, "health_check: {interval: 1h, timeout: 60s}"]) + "\n")
    topology = load(file, engines=omnidb_cli.drivers, stores=store)
    drivers = open_drivers(topology)
    db = orchestrator(topology, drivers)
    await db.connect(keep_checking=False)
    try:
        ill = [name for name, health in db.health().items() if health != "healthy"]
        assert not ill, f"{len(ill)} of {number} connections cannot be measured: {db.route(ill[0]).reason}"
        yield db, list(drivers.values())
    finally:
        await db.disconnect()


async def _each(things: Iterable[Any], act: Callable[[Any], Awaitable[object]]) -> None:
    """`act` on each, so many at a time as omnidb checks."""
    waiting = iter(things)

    async def work() -> None:
        for thing in waiting:
            await act(thing)

    async with asyncio.TaskGroup() as workers:
        for _ in range(_IN_FLIGHT):
            workers.create_task(work())


def _microseconds(seconds: list[float], number: int) -> float:
    return median(seconds) / number * 1e6
