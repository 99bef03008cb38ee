"""A breaker's memory in another process."""

import asyncio

import pytest

from omnidb_cli import CircuitBreaker, CircuitOpenError, CircuitState, ConfigurationError
from tests.core.breakers import Clock, attempt, wait_over
from tests.core.clock import settle

OPEN, HALF_OPEN, CLOSED = CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED


async def test_the_remaining_wait_survives_another_clocks_origin(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    clock.now_s += 10
    saved = breaker.snapshot()
    elsewhere = Clock()
    elsewhere.now_s = 5.0
    other = CircuitBreaker(3, "30s", 2, clock=elsewhere)
    other.restore(saved)
    assert saved.retry_in_s is not None
    assert 16 < saved.retry_in_s < 24
    assert other.snapshot().retry_in_s == pytest.approx(saved.retry_in_s)
    elsewhere.now_s += saved.retry_in_s - 0.01
    assert (other.state, other.failures) == (OPEN, 3)
    elsewhere.now_s += 0.02
    assert other.state is HALF_OPEN


def test_restoring_again_and_again_extends_no_wait(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.open()
    wait = breaker.snapshot().retry_in_s
    assert wait is not None
    for _ in range(5):
        clock.now_s += wait / 5 + 0.001
        breaker.restore(breaker.snapshot())
    assert breaker.state is HALF_OPEN


def test_a_hold_is_restored_as_a_hold_with_its_remaining_time(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.hold("60s")
    clock.now_s += 20
    saved = breaker.snapshot()
    assert (saved.state, saved.manual, saved.hold_left_s) == (OPEN, True, 40.0)
    other = CircuitBreaker(clock=clock)
    other.restore(saved)
    clock.now_s += 39
    assert other.state is OPEN
    clock.now_s += 1
    assert other.state is HALF_OPEN
    assert not other.snapshot().manual


async def test_what_was_closed_by_hand_or_restored_closed_admits_the_next_call_at_once(breaker: CircuitBreaker) -> None:
    async def fine() -> str:
        return "fine"

    closed = breaker.snapshot()
    for close in (breaker.reset, lambda: breaker.restore(closed)):
        await attempt(breaker, 3)
        for _ in range(2):
            with pytest.raises(CircuitOpenError):
                await breaker.execute(fine)
        close()
        assert await breaker.execute(fine) == "fine"


async def test_permits_are_not_saved(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    wait_over(clock)
    hung = [asyncio.create_task(breaker.execute(asyncio.Event().wait)) for _ in range(2)]
    await settle()
    other = CircuitBreaker(3, "30s", 2, clock=clock)
    other.restore(breaker.snapshot())
    assert other.can_execute()
    for call in hung:
        call.cancel()
    await asyncio.wait(hung)


async def test_results_of_calls_from_before_a_restore_change_nothing(breaker: CircuitBreaker) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise OSError("gone")

    calls = [asyncio.create_task(breaker.execute(late)) for _ in range(5)]
    await settle()
    breaker.restore(CircuitBreaker(3).snapshot())
    gate.set()
    await asyncio.wait(calls)
    assert [type(call.exception()) for call in calls] == [OSError] * 5
    assert (breaker.state, breaker.failures) == (CLOSED, 0)


@pytest.mark.parametrize("begun", range(4))
@pytest.mark.parametrize("recoveries", range(4))
async def test_results_from_before_a_restore_change_nothing_whatever_the_other_went_through(
    breaker: CircuitBreaker, clock: Clock, begun: int, recoveries: int
) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise OSError("gone")

    other = CircuitBreaker(3, "30s", 1, clock=clock)
    for _ in range(begun):
        breaker.open()
        breaker.reset()
    for _ in range(recoveries):
        other.open()
        wait_over(clock)
        other.success()
    calls = [asyncio.create_task(breaker.execute(late)) for _ in range(5)]
    await settle()
    breaker.restore(other.snapshot())
    gate.set()
    await asyncio.wait(calls)
    assert (breaker.state, breaker.failures) == (CLOSED, 0)


def test_only_a_snapshot_can_be_restored(breaker: CircuitBreaker) -> None:
    with pytest.raises(ConfigurationError):
        breaker.restore({"state": "open"})  # type: ignore[arg-type]
