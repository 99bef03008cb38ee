"""The end: bounded, once, whatever clients, checks and handlers do, and no task left behind."""

import asyncio
from typing import Any

import pytest

from omnidb_cli import (
    Event,
    HealthCheck,
    NotConnectedError,
    Orchestrator,
)
from tests.core.clock import advance, now, settle
from tests.core.fakes import Fleet, Server, alone, check


async def test_disconnect_closes_every_client_once_and_says_so_of_each() -> None:
    fleet = Fleet("a", "b")
    async with fleet:
        fleet.forget()
    assert fleet.said() == [("disconnected", "a", None), ("disconnected", "b", None)]
    assert [server.closed for server in fleet.servers.values()] == [1, 1]
    assert alone()


class Client:
    """A client whose closing is as bad as `how` says."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.closed = False

    async def aclose(self) -> None:
        match self.how:
            case "fails":
                raise OSError("already gone")
            case "hangs":
                await asyncio.Event().wait()
            case "is-cancelled":
                raise asyncio.CancelledError
        self.closed = True


@pytest.mark.parametrize(
    ("how", "error"), [("fails", OSError), ("hangs", TimeoutError), ("is-cancelled", asyncio.CancelledError)]
)
async def test_a_client_that_cannot_be_closed_is_an_error_event_and_the_others_are_closed(
    how: str, error: type[BaseException]
) -> None:
    clients = {"bad": Client(how), "good": Client("closes")}
    db = Orchestrator(clients)
    heard: list[Event] = []
    db.on("error", heard.append)
    db.on("disconnected", heard.append)
    stream = db.events()
    await db.connect()
    before = now()
    await db.disconnect()
    assert now() - before < 10
    assert clients["good"].closed
    assert [(event.type.value, event.name) for event in heard] == [
        ("error", "bad"),
        ("disconnected", "bad"),
        ("disconnected", "good"),
    ]
    assert isinstance(heard[0].error, error)
    assert [event.name async for event in stream][-1] == "good"
    assert alone()


async def test_a_check_in_flight_is_stopped_and_whoever_waits_for_it_is_told() -> None:
    async with Fleet("a", timeout="1h") as fleet:
        fleet["a"].hangs = True
        checking = asyncio.create_task(fleet.db.check())
        await settle()
        before = now()
        await fleet.db.disconnect()
        assert now() == before
        await asyncio.wait({checking})
    assert isinstance(checking.exception(), NotConnectedError)
    assert fleet["a"].at_once == 0
    assert alone()


async def test_a_check_that_will_not_stop_does_not_keep_disconnect_from_ending() -> None:
    release = asyncio.Event()

    async def stubborn(server: Server) -> None:
        while not release.is_set() and server.hangs:
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    server = Server("a")
    db = Orchestrator({"a": server}, health_check=HealthCheck(checks={"a": stubborn}, timeout="1s"))
    await db.connect()
    server.hangs = True
    await db.check()
    before = now()
    await db.disconnect()
    assert now() - before < 10
    assert server.closed == 1
    release.set()
    await settle()
    assert alone()


async def test_an_async_handler_that_hangs_is_waited_for_so_long_and_then_stopped() -> None:
    fleet = Fleet("a")

    async def hang(event: Event) -> None:
        await asyncio.Event().wait()

    fleet.db.on("connected", hang)
    await fleet.db.connect()
    before = now()
    await fleet.db.disconnect()
    assert now() - before < 10
    assert alone()


async def test_a_handler_that_still_has_something_to_do_may_finish() -> None:
    done = []
    fleet = Fleet("a")

    async def write_down(event: Event) -> None:
        await asyncio.sleep(1)
        done.append(event.name)

    fleet.db.on("disconnected", write_down)
    async with fleet:
        pass
    assert done == ["a"]


async def test_disconnecting_twice_or_at_the_same_time_is_one_ending() -> None:
    fleet = Fleet("a")
    await fleet.db.connect()
    fleet.forget()
    await asyncio.gather(*[fleet.db.disconnect() for _ in range(5)])
    await fleet.db.disconnect()
    assert fleet.said() == [("disconnected", "a", None)]
    assert fleet["a"].closed == 1
    assert alone()


async def test_disconnecting_what_never_connected_is_nothing() -> None:
    fleet = Fleet("a")
    await fleet.db.disconnect()
    assert fleet.said() == []
    assert fleet["a"].closed == 0


async def test_one_who_is_cancelled_while_disconnecting_leaves_the_ending_to_end() -> None:
    clients = {"a": Client("hangs")}
    db = Orchestrator(clients)
    await db.connect()
    ending = asyncio.create_task(db.disconnect())
    await settle()
    ending.cancel()
    await asyncio.wait({ending})
    assert ending.cancelled()
    await db.wait_closed()
    assert alone()


async def test_disconnect_inside_an_async_handler_ends_at_once_and_the_handler_goes_on() -> None:
    went_on = []
    fleet = Fleet("a")

    async def leave(event: Event) -> None:
        await fleet.db.disconnect()
        went_on.append(event.name)

    await fleet.db.connect()
    fleet.db.on("circuit:open", leave)
    before = now()
    fleet.db.open_circuit("a")
    await fleet.db.wait_closed()
    await settle()
    assert now() == before
    assert went_on == ["a"]
    assert not fleet.db.is_connected
    assert alone()


async def test_a_plain_handler_may_start_the_disconnect() -> None:
    fleet = Fleet("a")
    tasks = []
    await fleet.db.connect()
    fleet.db.on("circuit:open", lambda _: tasks.append(asyncio.create_task(fleet.db.disconnect())))
    fleet.db.open_circuit("a")
    await tasks[0]
    assert not fleet.db.is_connected
    assert alone()


async def test_connecting_while_disconnecting_begins_anew_after_the_end() -> None:
    clients = {"a": Client("hangs")}
    db = Orchestrator(clients, health_check=HealthCheck(checks={"a": bool}))
    await db.connect()
    ending = asyncio.create_task(db.disconnect())
    await settle()
    await db.connect()
    assert ending.done()
    assert db.is_connected
    await db.disconnect()
    assert not db.is_connected
    assert alone()


async def test_wait_closed_returns_when_the_ending_is_done_and_at_once_where_nothing_began() -> None:
    db = Orchestrator({"a": Client("hangs")})
    await db.wait_closed()
    await db.connect()
    waiting = asyncio.create_task(db.wait_closed())
    await advance(100)
    assert not waiting.done()
    ending = asyncio.create_task(db.disconnect())
    await settle()
    assert not waiting.done()
    await asyncio.wait({waiting})
    assert not db.is_connected
    await ending
    await db.wait_closed()


async def test_timers_of_circuits_and_failbacks_end_with_the_connection() -> None:
    fleet = Fleet("a", checked=())
    async with fleet:
        await fleet.fail("a", 5)
    fleet.forget()
    await advance(1000)
    assert fleet.said() == []


async def test_streams_end_at_disconnect_and_have_what_was_said_before_it() -> None:
    fleet = Fleet("a")
    stream = fleet.db.events()
    async with fleet:
        pass
    types = [event.type.value async for event in stream]
    assert types == ["health:changed", "connected", "disconnected"]


class Journal:
    """Writes nothing down; raises from `record` when it is told to."""

    broken = False

    def record(self, *given: Any) -> None:
        if self.broken:
            raise OSError("disk full")

    def routed(self, *given: Any) -> None: ...

    def published(self, event: Event) -> None: ...


async def test_a_defect_that_stops_the_monitor_is_said_and_nobody_waits_for_ever() -> None:
    journal, server = Journal(), Server("a")
    heard: list[Event] = []
    db = Orchestrator({"a": server}, health_check=HealthCheck(checks={"a": check}), journal=journal)
    db.on("error", heard.append)
    await db.connect()
    journal.broken = True
    with pytest.raises(NotConnectedError):
        await db.check()
    await settle()
    assert "defect" in str(heard[0].reason)
    with pytest.raises(NotConnectedError):
        await db.check()
    journal.broken = False
    await db.disconnect()
    assert alone()


async def test_wait_closed_waits_for_the_ending_even_where_the_monitor_died_of_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet("a", interval="10s")
    async with fleet:
        monkeypatch.setattr(fleet.db._lifetime._monitor, "on_result", lambda *_: 1 / 0)
        await advance(12)
        assert fleet.said()[-1][0] == "error"
        waiting = asyncio.create_task(fleet.db.wait_closed())
        await advance(100)
        assert not waiting.done()
    await waiting
