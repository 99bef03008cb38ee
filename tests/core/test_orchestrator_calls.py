"""Calls: who runs them, what is recorded of them, and what they raise."""

import asyncio
from datetime import timedelta

import pytest

from omnidb_cli import (
    CircuitBreakerConfig,
    CircuitOpenError,
    CircuitState,
    ConnectionUnavailableError,
    OmnidbError,
)
from tests.core.clock import advance, settle
from tests.core.fakes import DownError, Fleet, Server, broken, who

TWO = {"a": "b"}


async def test_a_call_gets_the_client_of_whoever_serves_and_its_result_comes_back() -> None:
    async with Fleet("a", "b", failover=TWO) as fleet:
        assert await fleet.db.execute("a", who) == "a"
        assert fleet.db.get("a") is fleet["a"]
        await fleet.turn("a", up=False)
        assert await fleet.db.execute("a", who) == "b"
        assert fleet.db.get("a") is fleet["b"]


async def test_the_functions_own_exception_passes_through_untouched() -> None:
    trouble = DownError("mine")

    async def raising(_: Server) -> None:
        raise trouble

    async with Fleet("a") as fleet:
        with pytest.raises(DownError) as caught:
            await fleet.db.execute("a", raising)
    assert caught.value is trouble
    assert trouble.__cause__ is None
    assert not hasattr(trouble, "__notes__")


async def test_failures_are_recorded_against_the_one_that_really_ran_it() -> None:
    async with Fleet("a", "b", failover=TWO) as fleet:
        await fleet.turn("a", up=False)
        for _ in range(5):
            with pytest.raises(DownError):
                await fleet.db.execute("a", broken)
        stats = fleet.db.stats()
    assert stats["b"].circuit is CircuitState.OPEN
    assert stats["b"].failures == 5
    assert stats["a"].failures == 1


async def test_a_trip_in_execute_is_announced_once_and_late_failures_are_silent() -> None:
    gate = asyncio.Event()

    async def late(_: Server) -> None:
        await gate.wait()
        raise DownError("late")

    async with Fleet("a") as fleet:
        calls = [asyncio.create_task(fleet.db.execute("a", late)) for _ in range(20)]
        await settle()
        gate.set()
        await asyncio.wait(calls)
        assert fleet.said("circuit:open") == [("circuit:open", "a", "failure-threshold")]
        assert fleet.db.stats()["a"].failures == 5


async def test_a_success_that_began_before_the_trip_closes_nothing() -> None:
    gate = asyncio.Event()

    async def late(server: Server) -> str:
        await gate.wait()
        return server.name

    async with Fleet("a") as fleet:
        calls = [asyncio.create_task(fleet.db.execute("a", late)) for _ in range(5)]
        await settle()
        await fleet.fail("a", 5)
        await advance(34)
        gate.set()
        await asyncio.gather(*calls)
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN
        assert fleet.db.snapshot().connections[0].circuit.successes == 0
        assert fleet.said("circuit:close") == []


async def test_a_trip_by_calls_has_the_connection_checked_at_at_once() -> None:
    async with Fleet("a") as fleet:
        checks = fleet["a"].checks
        await fleet.fail("a", 4)
        await settle()
        assert fleet["a"].checks == checks
        await fleet.fail("a", 1)
        await settle()
        assert fleet["a"].checks == checks + 1


async def test_nobody_eligible_is_unavailable_with_every_candidates_reason() -> None:
    async with Fleet("a", "b", "c", failover={"a": ["b", "c"]}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        fleet.db.open_circuit("c", reason="upgrade", actor="ann")
        with pytest.raises(ConnectionUnavailableError) as caught:
            await fleet.db.execute("a", who)
    error = caught.value
    assert str(error) == 'Connection "a" is unavailable'
    assert isinstance(error, OmnidbError)
    assert error.name == "a"
    assert [(one.name, one.eligible, one.reason) for one in error.candidates] == [
        ("a", False, "unhealthy: a refused"),
        ("b", False, "unhealthy: b refused"),
        ("c", False, "held by ann: upgrade"),
    ]


async def test_every_refusal_is_a_new_error_and_a_later_one_has_the_later_reasons() -> None:
    async with Fleet("a") as fleet:
        fleet.db.open_circuit("a", reason="one")
        errors = []
        for reason in ("one", "two"):
            fleet.db.open_circuit("a", reason=reason)
            for _ in range(2):
                with pytest.raises(ConnectionUnavailableError) as caught:
                    await fleet.db.execute("a", who)
                errors.append(caught.value)
    assert len({id(error) for error in errors}) == 4
    assert [error.candidates[0].reason for error in errors] == ["held by hand: one"] * 2 + ["held by hand: two"] * 2


async def test_without_failover_it_is_this_one_or_nobody() -> None:
    async with Fleet("a", "b", failover=TWO) as fleet:
        assert await fleet.db.execute("a", who, failover=False) == "a"
        await fleet.turn("a", up=False)
        with pytest.raises(ConnectionUnavailableError) as caught:
            await fleet.db.execute("a", who, failover=False)
        assert [one.name for one in caught.value.candidates] == ["a"]
        assert await fleet.db.execute("a", who) == "b"


async def test_without_failover_a_refusal_gives_the_verdict_of_this_one_alone() -> None:
    async with Fleet("a", "b", failover=TWO) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        refused = []
        for failover in (True, False, True):
            with pytest.raises(ConnectionUnavailableError) as caught:
                await fleet.db.execute("a", who, failover=failover)
            refused.append([one.name for one in caught.value.candidates])
    assert refused == [["a", "b"], ["a"], ["a", "b"]]


async def test_without_failover_the_outcome_is_booked_on_the_connection_that_ran() -> None:
    async with Fleet("a", "b", failover=TWO) as fleet:
        fleet.db.open_circuit("a", hold_for="1s")
        await fleet.fail("b", 2)
        assert fleet.db.stats()["b"].failures == 2
        await asyncio.sleep(2)
        assert await fleet.db.execute("a", who) == "b"
        assert fleet.db.stats()["b"].failures == 0
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN
        with pytest.raises(DownError):
            await fleet.db.execute("a", broken, failover=False)
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
        assert fleet.db.stats()["b"].failures == 0


async def test_get_when_nobody_is_eligible_is_circuit_open_and_an_error_event() -> None:
    async with Fleet("a") as fleet:
        await fleet.fail("a", 5)
        fleet.forget()
        with pytest.raises(CircuitOpenError) as caught:
            fleet.db.get("a")
    error = caught.value
    assert str(error) == 'Circuit open for "a"'
    assert isinstance(error.last_error, DownError)
    assert error.retry_after is not None
    assert timedelta(seconds=26) < error.retry_after <= timedelta(seconds=33)
    assert [one.name for one in error.candidates] == ["a"]
    told = [event for event in fleet.heard if event.type == "error"]
    assert [(event.name, event.error) for event in told] == [("a", error)]


async def test_get_says_no_time_for_a_hold_without_end_and_the_rest_of_one_with() -> None:
    async with Fleet("a") as fleet:
        fleet.db.open_circuit("a")
        with pytest.raises(CircuitOpenError) as caught:
            fleet.db.get("a")
        assert caught.value.retry_after is None
        fleet.db.open_circuit("a", hold_for="1h")
        await asyncio.sleep(600)
        with pytest.raises(CircuitOpenError) as caught:
            fleet.db.get("a")
        assert caught.value.retry_after == timedelta(minutes=50)


async def test_calls_reported_by_hand_count_like_calls() -> None:
    async with Fleet("a") as fleet:
        for _ in range(4):
            fleet.db.record_failure("a")
        fleet.db.record_success("a")
        assert fleet.db.stats()["a"].failures == 0
        for _ in range(5):
            fleet.db.record_failure("a", DownError("gone"))
        assert fleet.said("circuit:open") == [("circuit:open", "a", "failure-threshold")]
        await advance(34)
        fleet.db.record_success("a")
        fleet.db.record_success("a")
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED


async def test_a_reported_error_is_asked_of_the_predicate() -> None:
    only_down = CircuitBreakerConfig(1, counts_as_failure=lambda error: isinstance(error, DownError))
    async with Fleet("a", circuit_breaker=only_down) as fleet:
        fleet.db.record_failure("a", SyntaxError("selec"))
        fleet.db.record_failure("a", asyncio.CancelledError())
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED
        fleet.db.record_failure("a", DownError("gone"))
        with pytest.raises(CircuitOpenError) as caught:
            fleet.db.get("a")
        assert isinstance(caught.value.last_error, DownError)


async def test_with_circuits_off_and_nobody_eligible_the_name_itself_is_the_last_resort() -> None:
    async with Fleet("a", "b", failover=TWO, circuit_breaker=None) as fleet:
        await fleet.fail("a", 50)
        assert fleet.db.stats()["a"].circuit is CircuitState.DISABLED
        assert fleet.said("circuit:open") == []
        await fleet.turn("a", up=False)
        assert await fleet.db.execute("a", who) == "b"
        await fleet.turn("b", up=False)
        assert fleet.db.route("a").serving is None
        assert await fleet.db.execute("a", who) == "a"
        assert await fleet.db.execute("a", who, failover=False) == "a"
        assert fleet.db.get("a") is fleet["a"]


async def test_the_last_resort_never_overrides_a_hold() -> None:
    async with Fleet("a", circuit_breaker=None) as fleet:
        fleet.db.open_circuit("a")
        for _ in range(2):
            with pytest.raises(ConnectionUnavailableError):
                await fleet.db.execute("a", who)
        with pytest.raises(CircuitOpenError):
            fleet.db.get("a")
