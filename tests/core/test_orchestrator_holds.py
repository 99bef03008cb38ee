"""Circuits opened and closed by hand."""

import asyncio

import pytest

from omnidb_cli import CircuitState, ConfigurationError, ConnectionUnavailableError, Health
from tests.core.clock import advance
from tests.core.fakes import Fleet, who

CIRCUIT = ("circuit:open", "circuit:half-open", "circuit:close")


async def test_a_hold_takes_out_of_rotation_at_once_and_says_who_and_why() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet.forget()
        fleet.db.open_circuit("a", reason="upgrade", actor="ann", hold_for="30m")
        event = fleet.heard[0]
        assert (event.type, event.reason, event.note, event.actor) == ("circuit:open", "manual", "upgrade", "ann")
        assert [word for word, *_ in fleet.said()] == ["circuit:open", "failover"]
        assert await fleet.db.execute("a", who) == "b"
        view = fleet.db.snapshot().connections[0].circuit
        assert (view.state, view.manual, view.reason, view.actor) == (CircuitState.OPEN, True, "upgrade", "ann")
        assert view.held_until is not None
        assert view.opened_at is not None
        assert (view.held_until - view.opened_at).total_seconds() == pytest.approx(1800)


async def test_holding_what_is_held_changes_its_time_and_reason_and_sends_no_second_event() -> None:
    async with Fleet("a") as fleet:
        fleet.forget()
        fleet.db.open_circuit("a", reason="one", hold_for="60s")
        fleet.db.open_circuit("a", reason="two")
        assert fleet.said(*CIRCUIT) == [("circuit:open", "a", "manual")]
        view = fleet.db.snapshot().connections[0].circuit
        assert (view.reason, view.held_until) == ("two", None)
        await advance(1000)
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN


async def test_a_shorter_hold_takes_the_longer_ones_place() -> None:
    async with Fleet("a", checked=()) as fleet:
        fleet.db.open_circuit("a", hold_for="10h")
        fleet.db.open_circuit("a", hold_for="60s")
        await advance(61)
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN


async def test_nothing_automatic_ends_a_hold_early() -> None:
    async with Fleet("a", interval="10s") as fleet:
        fleet.db.open_circuit("a", hold_for="1h")
        fleet.forget()
        for _ in range(5):
            fleet.db.record_success("a")
            fleet.db.record_failure("a")
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        await advance(3590)
        assert fleet["a"].checks > 300
        assert fleet.said(*CIRCUIT) == []
        with pytest.raises(ConnectionUnavailableError):
            await fleet.db.execute("a", who)


async def test_a_hold_whose_time_is_up_goes_half_open_by_itself_and_checks_close_it() -> None:
    async with Fleet("a", interval="10s") as fleet:
        fleet.db.open_circuit("a", hold_for="60s")
        fleet.forget()
        await advance(60.1)
        assert fleet.said(*CIRCUIT) == [("circuit:half-open", "a", "hold-expired")]
        await advance(30)
        assert fleet.said(*CIRCUIT)[1:] == [("circuit:close", "a", "health-recovered")]


async def test_a_hold_over_a_dead_server_opens_again_by_health() -> None:
    async with Fleet("a", interval="10s") as fleet:
        fleet.db.open_circuit("a", hold_for="60s")
        fleet["a"].down()
        fleet.forget()
        await advance(100)
        assert fleet.said(*CIRCUIT) == [
            ("circuit:half-open", "a", "hold-expired"),
            ("circuit:open", "a", "health-check-failed"),
        ]
        assert not fleet.db.snapshot().connections[0].circuit.manual


async def test_a_hold_works_with_circuits_off_and_ends_as_disabled() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, circuit_breaker=None) as fleet:
        fleet.db.open_circuit("a", hold_for="60s")
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
        assert await fleet.db.execute("a", who) == "b"
        await advance(61)
        assert fleet.db.stats()["a"].circuit is CircuitState.DISABLED
        assert await fleet.db.execute("a", who) == "a"
        assert [(e.previous, e.current) for e in fleet.heard if e.type in CIRCUIT] == [
            ("disabled", "open"),
            ("open", "disabled"),
        ]


async def test_closing_clears_hold_counters_and_verdict_so_that_it_serves_at_once() -> None:
    async with Fleet("a") as fleet:
        await fleet.turn("a", up=False)
        fleet.forget()
        fleet.db.close_circuit("a", actor="ann")
        assert fleet.db.health() == {"a": Health.UNKNOWN}
        stats = fleet.db.stats()["a"]
        assert (stats.circuit, stats.failures) == (CircuitState.CLOSED, 0)
        assert await fleet.db.execute("a", who) == "a"
        assert fleet.said() == [
            ("health:changed", "a", None),
            ("circuit:close", "a", "manual"),
            ("recovery", "a", "a not checked yet"),
        ]
        assert [event.actor for event in fleet.heard if event.type == "circuit:close"] == ["ann"]


async def test_closed_by_hand_on_a_server_still_down_the_next_check_opens_it_and_says_so() -> None:
    async with Fleet("a", interval="10s") as fleet:
        await fleet.turn("a", up=False)
        fleet.db.close_circuit("a")
        fleet.forget()
        await advance(11)
        assert fleet.said("health:changed", *CIRCUIT) == [
            ("health:changed", "a", "refused"),
            ("circuit:open", "a", "health-check-failed"),
        ]


async def test_a_close_is_announced_once_and_as_what_it_is() -> None:
    async with Fleet("a") as fleet:
        fleet.db.open_circuit("a")
        fleet.forget()
        fleet.db.close_circuit("a")
        fleet.db.close_circuit("a")
        assert fleet.said(*CIRCUIT) == [("circuit:close", "a", "manual")]
        event = next(event for event in fleet.heard if event.type == "circuit:close")
        assert (event.previous, event.current) == ("open", "closed")


async def test_late_results_of_calls_from_before_a_close_change_nothing() -> None:
    gate = asyncio.Event()

    async def late(_: object) -> None:
        await gate.wait()
        raise OSError("late")

    async with Fleet("a") as fleet:
        calls = [asyncio.create_task(fleet.db.execute("a", late)) for _ in range(10)]
        await asyncio.sleep(0)
        fleet.db.close_circuit("a")
        gate.set()
        await asyncio.wait(calls)
        assert [type(call.exception()) for call in calls] == [OSError] * 10
        stats = fleet.db.stats()["a"]
        assert (stats.circuit, stats.failures) == (CircuitState.CLOSED, 0)


@pytest.mark.parametrize("bad", [0, -1, True, float("nan"), "5 years", "0s", "91d"], ids=repr)
async def test_a_hold_of_no_duration_is_refused_and_changes_nothing(bad: object) -> None:
    async with Fleet("a") as fleet:
        with pytest.raises(ConfigurationError, match="hold_for"):
            fleet.db.open_circuit("a", hold_for=bad)  # type: ignore[arg-type]
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED


async def test_coming_into_a_persons_hands_while_open_is_said() -> None:
    async with Fleet("a") as fleet:
        await fleet.turn("a", up=False)
        fleet.forget()
        fleet.db.open_circuit("a")
        assert fleet.said(*CIRCUIT) == [("circuit:open", "a", "manual")]
        await fleet.turn("a", up=True)
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
