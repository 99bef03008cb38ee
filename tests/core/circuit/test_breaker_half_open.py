"""Trial calls: how many, what they decide, and what becomes of their permits."""

import asyncio
from datetime import timedelta

import pytest

from omnidb_cli import CircuitBreaker, CircuitOpenError, CircuitState
from tests.core.breakers import Clock, attempt, fine, wait_over
from tests.core.clock import settle

OPEN, HALF_OPEN, CLOSED = CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED


@pytest.mark.parametrize("permits", [1, 2, 7])
async def test_half_open_admits_so_many_at_a_time_and_refuses_the_rest(clock: Clock, permits: int) -> None:
    breaker = CircuitBreaker(1, "30s", permits, clock=clock)
    await attempt(breaker)
    wait_over(clock)
    gate, began = asyncio.Event(), []

    async def slow() -> None:
        began.append(1)
        await gate.wait()

    calls = [asyncio.create_task(breaker.execute(slow)) for _ in range(500)]
    await settle()
    refused = [call for call in calls if call.done()]
    assert len(began) == permits
    assert len(refused) == 500 - permits
    for call in refused:
        error = call.exception()
        assert isinstance(error, CircuitOpenError)
        assert error.retry_after == timedelta(seconds=30)
    gate.set()
    await asyncio.wait(calls)
    assert breaker.state is CLOSED


async def test_as_many_successes_close_it_one_failure_reopens_it(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    wait_over(clock)
    await breaker.execute(fine)
    assert breaker.state is HALF_OPEN
    await attempt(breaker)
    assert breaker.state is OPEN
    clock.now_s += 53
    assert breaker.state is OPEN
    clock.now_s += 14
    await breaker.execute(fine)
    await breaker.execute(fine)
    assert breaker.state is CLOSED
    assert breaker.failures == 0


async def cancelled_call(breaker: CircuitBreaker) -> None:
    call = asyncio.create_task(breaker.execute(asyncio.Event().wait))
    await settle()
    call.cancel("stop")
    with pytest.raises(asyncio.CancelledError, match="stop"):
        await call


async def test_cancellation_is_neither_success_nor_failure(breaker: CircuitBreaker) -> None:
    await attempt(breaker, 2)
    for _ in range(10):
        await cancelled_call(breaker)
    assert (breaker.state, breaker.failures) == (CLOSED, 2)
    assert isinstance(breaker.last_error, OSError)


async def test_a_cancelled_trial_gives_its_permit_back_and_decides_nothing(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    await attempt(breaker, 3)
    wait_over(clock)
    for _ in range(10):
        await cancelled_call(breaker)
        assert breaker.can_execute()
    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().successes == 0
    await breaker.execute(fine)
    await breaker.execute(fine)
    assert breaker.state is CLOSED


async def test_a_coroutine_that_is_closed_gives_its_permit_back(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    wait_over(clock)

    class Never:
        def __await__(self):
            yield None

    async def wait() -> None:
        await Never()

    for _ in range(10):
        call = breaker.execute(wait)
        call.send(None)
        call.close()
    assert breaker.can_execute()


async def test_a_permit_never_given_back_is_void_after_the_reset_timeout(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    wait_over(clock)
    hung = [asyncio.create_task(breaker.execute(asyncio.Event().wait)) for _ in range(2)]
    await settle()
    assert not breaker.can_execute()
    clock.now_s += 29.9
    assert not breaker.can_execute()
    clock.now_s += 0.1
    assert breaker.can_execute()
    assert await breaker.execute(fine) == "rows"
    for call in hung:
        call.cancel()
    await asyncio.wait(hung)
    assert await breaker.execute(fine) == "rows"
    assert breaker.state is CLOSED
