"""One circuit breaker: what it lets through, what it counts, and what it gives back."""

import asyncio
from datetime import timedelta

import pytest

from omnidb_cli import CircuitBreaker, CircuitOpenError, CircuitState, ConfigurationError, OmnidbError
from tests.core.breakers import Clock, attempt, fine, wait_over
from tests.core.clock import START_S, now, settle

OPEN, HALF_OPEN, CLOSED = CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED


async def test_results_and_exceptions_of_the_function_pass_through_untouched(breaker: CircuitBreaker) -> None:
    trouble = KeyError("mine")

    async def raising() -> None:
        raise trouble

    assert await breaker.execute(fine) == "rows"
    with pytest.raises(KeyError) as caught:
        await breaker.execute(raising)
    assert caught.value is trouble
    assert not hasattr(trouble, "__notes__")


async def test_it_opens_at_threshold_failures_in_a_row(breaker: CircuitBreaker) -> None:
    await attempt(breaker, 2)
    await breaker.execute(fine)
    await attempt(breaker, 2)
    assert (breaker.state, breaker.failures) == (CLOSED, 2)
    await attempt(breaker)
    assert (breaker.state, breaker.failures) == (OPEN, 3)


async def test_a_refusal_is_a_new_error_with_when_to_come_back_and_the_last_error(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    await attempt(breaker, 3)
    errors = []
    for _ in range(2):
        with pytest.raises(CircuitOpenError, match=r"^Circuit breaker is OPEN$") as caught:
            await breaker.execute(fine)
        errors.append(caught.value)
        clock.now_s += 5
    first, second = errors
    assert first is not second
    assert isinstance(first, OmnidbError)
    assert first.name is None
    assert isinstance(first.last_error, OSError)
    assert first.retry_after is not None
    assert second.retry_after is not None
    assert first.retry_after - second.retry_after == pytest.approx(timedelta(seconds=5), abs=timedelta(milliseconds=1))
    assert timedelta(seconds=27) <= first.retry_after <= timedelta(seconds=33)


async def test_the_refused_function_is_not_called(breaker: CircuitBreaker) -> None:
    called = []

    async def note() -> None:
        called.append(1)

    breaker.open()
    with pytest.raises(CircuitOpenError):
        await breaker.execute(note)
    assert called == []


async def test_asking_changes_nothing(breaker: CircuitBreaker, clock: Clock) -> None:
    await attempt(breaker, 3)
    wait_over(clock)
    before = breaker.circuit
    for _ in range(1000):
        assert breaker.state is HALF_OPEN
        assert breaker.can_execute()
        assert breaker.failures == 3
        breaker.snapshot()
    assert breaker.circuit is before


async def test_late_failures_do_not_move_the_deadline(breaker: CircuitBreaker, clock: Clock) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise OSError("gone")

    calls = [asyncio.create_task(breaker.execute(late)) for _ in range(5)]
    await settle()
    await attempt(breaker, 3)
    deadline = breaker.snapshot().retry_in_s
    gate.set()
    await asyncio.wait(calls)
    assert [str(call.exception()) for call in calls] == ["gone"] * 5
    assert breaker.snapshot().retry_in_s == deadline
    assert breaker.failures == 3


async def test_a_success_that_began_before_the_trip_does_not_close_it(breaker: CircuitBreaker, clock: Clock) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()

    calls = [asyncio.create_task(breaker.execute(late)) for _ in range(5)]
    await settle()
    await attempt(breaker, 3)
    wait_over(clock)
    breaker.success()
    gate.set()
    await asyncio.gather(*calls)
    assert breaker.state is HALF_OPEN
    assert breaker.snapshot().successes == 1


async def test_a_failure_that_began_before_the_trip_does_not_reopen_it(breaker: CircuitBreaker, clock: Clock) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise OSError("gone")

    call = asyncio.create_task(breaker.execute(late))
    await settle()
    await attempt(breaker, 3)
    wait_over(clock)
    await breaker.execute(fine)
    gate.set()
    await asyncio.wait({call})
    assert isinstance(call.exception(), OSError)
    assert breaker.state is HALF_OPEN


async def test_a_predicate_decides_what_a_failure_is_and_an_ignored_error_decides_nothing(clock: Clock) -> None:
    breaker = CircuitBreaker(1, counts_as_failure=lambda error: isinstance(error, OSError), clock=clock)

    async def typo() -> None:
        raise SyntaxError("selec")

    for _ in range(20):
        with pytest.raises(SyntaxError):
            await breaker.execute(typo)
    assert (breaker.state, breaker.failures, breaker.last_error) == (CLOSED, 0, None)
    await attempt(breaker)
    wait_over(clock)
    for _ in range(20):
        with pytest.raises(SyntaxError):
            await breaker.execute(typo)
    assert (breaker.state, breaker.snapshot().successes) == (HALF_OPEN, 0)


async def test_a_predicate_that_fails_counts_the_error_and_does_not_replace_it(clock: Clock) -> None:
    breaker = CircuitBreaker(1, counts_as_failure=lambda error: 1 / 0 > 1, clock=clock)
    await attempt(breaker)
    assert breaker.state is OPEN
    assert "ZeroDivisionError" in "".join(breaker.last_error.__notes__)  # type: ignore[union-attr]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
async def test_what_is_no_exception_but_an_order_to_stop_is_no_failure(clock: Clock, stop: type[BaseException]) -> None:
    breaker = CircuitBreaker(1, clock=clock)

    async def stopping() -> None:
        raise stop

    with pytest.raises(stop):
        await breaker.execute(stopping)
    assert breaker.state is CLOSED


def test_success_and_failure_are_recorded_by_hand(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.failure()
    assert breaker.state is OPEN
    breaker.success()
    assert breaker.state is OPEN
    wait_over(clock)
    breaker.success()
    breaker.success()
    assert breaker.state is CLOSED


async def test_opened_by_hand_of_the_program_it_is_half_open_after_the_wait(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.open()
    assert breaker.state is OPEN
    wait_over(clock)
    assert breaker.state is HALF_OPEN


async def test_a_hold_is_ended_by_its_time_or_by_reset_and_by_nothing_else(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.hold("1h")
    for _ in range(10):
        breaker.success()
    clock.now_s += 3599
    assert breaker.state is OPEN
    with pytest.raises(CircuitOpenError) as caught:
        await breaker.execute(fine)
    assert caught.value.retry_after == timedelta(seconds=1)
    clock.now_s += 1
    assert breaker.state is HALF_OPEN
    breaker.hold()
    clock.now_s += 1e6
    with pytest.raises(CircuitOpenError) as caught:
        await breaker.execute(fine)
    assert caught.value.retry_after is None
    breaker.reset()
    assert await breaker.execute(fine) == "rows"


async def test_reset_clears_counters_hold_and_the_last_error(breaker: CircuitBreaker) -> None:
    await attempt(breaker, 3)
    breaker.hold()
    breaker.reset()
    assert (breaker.state, breaker.failures, breaker.last_error) == (CLOSED, 0, None)


@pytest.mark.parametrize("bad", [0, -1, True, float("nan"), "5 years", "0s"], ids=repr)
def test_a_hold_of_no_duration_is_refused_and_changes_nothing(breaker: CircuitBreaker, bad: object) -> None:
    with pytest.raises(ConfigurationError, match="hold_for"):
        breaker.hold(bad)  # type: ignore[arg-type]
    assert breaker.state is CLOSED


async def test_the_closed_path_reads_no_clock() -> None:
    def forbidden() -> float:
        raise AssertionError("the clock was read")

    breaker = CircuitBreaker(clock=forbidden)
    assert await breaker.execute(fine) == "rows"


async def test_any_clock_will_do() -> None:
    breaker = CircuitBreaker(1, "10s", clock=now)
    await attempt(breaker)
    await asyncio.sleep(12)
    assert now() == START_S + 12
    assert breaker.state is HALF_OPEN
