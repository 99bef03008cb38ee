"""The beginning: once, after the first check, and without a trace where it is broken off."""

import asyncio

import pytest

from omnidb_cli import (
    CheckResult,
    ConnectionUnavailableError,
    Event,
    Health,
    NotConnectedError,
)
from tests.core.clock import advance, settle
from tests.core.fakes import Fleet, alone, who


async def test_is_connected_says_whether_execute_may_be_used() -> None:
    fleet = Fleet("a")
    assert not fleet.db.is_connected
    async with fleet:
        assert fleet.db.is_connected
    assert not fleet.db.is_connected


@pytest.mark.parametrize("rounds", range(8))
async def test_connect_cancelled_at_any_moment_leaves_no_task_behind(rounds: int) -> None:
    fleet = Fleet("a", "b", timeout="1h")
    fleet["b"].hangs = True
    connecting = asyncio.create_task(fleet.db.connect())
    for _ in range(rounds):
        await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await settle()
    assert alone()
    assert not fleet.db.is_connected
    fleet["b"].up()
    async with fleet:
        assert await fleet.db.execute("b", who) == "b"
    assert alone()


@pytest.mark.parametrize("rounds", range(8))
async def test_entering_cancelled_at_any_moment_closes_what_was_begun(rounds: int) -> None:
    fleet = Fleet("a", timeout="1h")
    fleet["a"].hangs = True

    async def enter() -> None:
        async with fleet:
            raise AssertionError("the first check cannot be over")

    entering = asyncio.create_task(enter())
    for _ in range(rounds):
        await asyncio.sleep(0)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert alone()


@pytest.mark.parametrize("checked", [(), ("a",)], ids=["unchecked", "checked"])
@pytest.mark.parametrize("rounds", range(6))
async def test_disconnect_at_any_moment_of_connect_wins(rounds: int, checked: tuple[str, ...]) -> None:
    fleet = Fleet("a", checked=checked)
    connecting = asyncio.create_task(fleet.db.connect())
    meanwhile = asyncio.get_running_loop().create_future()

    async def leave() -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)
        begun = bool(asyncio.all_tasks() - {asyncio.current_task(), connecting, meanwhile_owner})
        await fleet.db.disconnect()
        meanwhile.set_result(begun)

    meanwhile_owner = asyncio.current_task()
    leaving = asyncio.create_task(leave())
    await asyncio.wait({connecting, leaving})
    if meanwhile.result():
        assert not fleet.db.is_connected
        with pytest.raises(NotConnectedError):
            await fleet.db.execute("a", who)
    await fleet.db.disconnect()
    await settle()
    assert alone()
    assert connecting.exception() is None or isinstance(connecting.exception(), NotConnectedError)


async def test_connecting_twice_is_once_and_both_return_after_the_first_check() -> None:
    fleet = Fleet("a", timeout="5s")
    fleet["a"].hangs = True
    first, second = (asyncio.create_task(fleet.db.connect()) for _ in range(2))
    await advance(1)
    assert not first.done()
    assert not second.done()
    await asyncio.gather(first, second)
    await fleet.db.connect()
    assert fleet["a"].checks == 1
    await fleet.db.disconnect()


async def test_it_can_connect_again_after_it_was_disconnected() -> None:
    fleet = Fleet("a", "b", failover={"a": "b"}, interval="10s")
    for _ in range(3):
        async with fleet:
            assert await fleet.db.execute("a", who) == "a"
            await fleet.turn("a", up=False)
            assert await fleet.db.execute("a", who) == "b"
            fleet["a"].up()
            await advance(40)
            assert await fleet.db.execute("a", who) == "a"
    assert alone()


async def test_holds_before_connecting_are_kept_and_their_events_are_heard() -> None:
    fleet = Fleet("a")
    fleet.db.open_circuit("a", hold_for="60s")
    assert fleet.said("circuit:open") == [("circuit:open", "a", "manual")]
    async with fleet:
        assert fleet.said("circuit:open", "circuit:close") == [("circuit:open", "a", "manual")]
        with pytest.raises(ConnectionUnavailableError):
            await fleet.db.execute("a", who)


async def test_a_listener_that_fails_in_connect_does_not_hinder_it() -> None:
    fleet = Fleet("a")

    def fail(event: Event) -> None:
        raise ValueError("mine")

    fleet.db.on("connected", fail)
    async with fleet:
        assert await fleet.db.execute("a", who) == "a"
    assert [name for word, name, _ in fleet.said("error")] == ["a"]


async def test_reports_from_outside_are_taken_while_disconnected_too() -> None:
    fleet = Fleet("a", "b", failover={"a": "b"})
    fleet.db.record_check("a", CheckResult(Health.UNHEALTHY, detail="no", kind="refused"))
    assert fleet.db.route("a").serving == "b"
    assert fleet.db.health()["a"] is Health.UNHEALTHY


async def test_a_first_check_that_hangs_delays_nobody_else_s_second() -> None:
    fleet = Fleet("a", "b", interval="10s", timeout="1h")
    fleet["b"].hangs = True
    connecting = asyncio.create_task(fleet.db.connect())
    await advance(12)
    assert fleet["a"].checks == 2
    assert not connecting.done()
    await fleet.db.disconnect()
    with pytest.raises(NotConnectedError):
        await connecting
