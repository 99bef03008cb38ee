"""Trial calls through the orchestrator: permits, the backup for the rest, and what decides nothing."""

import asyncio

import pytest

from omnidb_cli import (
    CircuitBreakerConfig,
    CircuitState,
    ConnectionUnavailableError,
)
from tests.core.clock import advance, settle
from tests.core.fakes import DownError, Fleet, Server, who

TWO = {"a": "b"}


async def half_open(fleet: Fleet, name: str = "a") -> None:
    """Trips it by calls and waits until trial calls are admitted."""
    await fleet.fail(name, 5)
    await advance(34)
    assert fleet.db.stats()[name].circuit is CircuitState.HALF_OPEN


async def test_half_open_admits_two_of_five_hundred_and_refuses_the_rest() -> None:
    gate, began = asyncio.Event(), []

    async def slow(_: Server) -> None:
        began.append(1)
        await gate.wait()

    async with Fleet("a") as fleet:
        await half_open(fleet)
        calls = [asyncio.create_task(fleet.db.execute("a", slow)) for _ in range(500)]
        await settle()
        refused = [call.exception() for call in calls if call.done()]
        assert len(began) == 2
        assert len(refused) == 498
        assert all(isinstance(error, ConnectionUnavailableError) for error in refused)
        gate.set()
        await asyncio.wait(calls)
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED
        assert await fleet.db.execute("a", who) == "a"


async def test_calls_beyond_the_permits_go_to_the_backup() -> None:
    gate = asyncio.Event()

    async def slow(server: Server) -> str:
        await gate.wait()
        return server.name

    async with Fleet("a", "b", failover=TWO) as fleet:
        await half_open(fleet)
        calls = [asyncio.create_task(fleet.db.execute("a", slow)) for _ in range(10)]
        await settle()
        assert fleet.db.route("a").serving == "b"
        gate.set()
        assert sorted(await asyncio.gather(*calls)) == ["a"] * 2 + ["b"] * 8


async def test_get_takes_no_permit() -> None:
    async with Fleet("a") as fleet:
        await half_open(fleet)
        for _ in range(10):
            assert fleet.db.get("a") is fleet["a"]
        assert await fleet.db.execute("a", who) == "a"


async def test_a_cancelled_call_is_no_failure_and_gives_its_permit_back() -> None:
    async with Fleet("a") as fleet:
        await fleet.fail("a", 4)
        for _ in range(10):
            await cancelled(fleet)
        assert (fleet.db.stats()["a"].circuit, fleet.db.stats()["a"].failures) == (CircuitState.CLOSED, 4)
        await fleet.fail("a", 1)
        await advance(34)
        for _ in range(10):
            await cancelled(fleet)
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN
        assert await fleet.db.execute("a", who) == "a"
        assert await fleet.db.execute("a", who) == "a"
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED


async def cancelled(fleet: Fleet) -> None:
    async def hang(_: Server) -> None:
        await asyncio.Event().wait()

    call = asyncio.create_task(fleet.db.execute("a", hang))
    await settle()
    call.cancel("stop")
    with pytest.raises(asyncio.CancelledError, match="stop"):
        await call


async def test_a_permit_never_given_back_is_void_after_the_reset_timeout() -> None:
    async def hang(_: Server) -> None:
        await asyncio.Event().wait()

    async with Fleet("a") as fleet:
        await half_open(fleet)
        hung = [asyncio.create_task(fleet.db.execute("a", hang)) for _ in range(2)]
        await settle()
        assert fleet.db.route("a").serving is None
        await advance(29)
        with pytest.raises(ConnectionUnavailableError):
            await fleet.db.execute("a", who)
        await advance(1.1)
        assert await fleet.db.execute("a", who) == "a"
        for call in hung:
            call.cancel()
        await asyncio.wait(hung)


async def test_an_ignored_error_decides_nothing_and_gives_its_permit_back() -> None:
    async def typo(_: Server) -> None:
        raise SyntaxError("selec")

    only_down = CircuitBreakerConfig(counts_as_failure=lambda error: isinstance(error, DownError))
    async with Fleet("a", circuit_breaker=only_down) as fleet:
        for _ in range(20):
            with pytest.raises(SyntaxError):
                await fleet.db.execute("a", typo)
        assert fleet.db.stats()["a"].failures == 0
        await half_open(fleet)
        for _ in range(20):
            with pytest.raises(SyntaxError):
                await fleet.db.execute("a", typo)
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN


async def test_a_hold_made_by_a_listener_of_half_open_is_respected_by_the_very_call_that_found_it() -> None:
    async with Fleet("a", checked=()) as fleet:
        await fleet.fail("a", 5)
        fleet.db.once("circuit:half-open", lambda event: fleet.db.open_circuit("a"))
        await asyncio.sleep(0)
        asyncio.get_running_loop().now_s += 34  # time passed, and no timer had its turn yet
        with pytest.raises(ConnectionUnavailableError):
            await fleet.db.execute("a", who)
