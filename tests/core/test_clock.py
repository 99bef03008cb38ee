"""The clock that the other tests rely on."""

import asyncio

import pytest

from tests.core.clock import START_S, JumpingLoop, StandstillError, now, run


async def test_tests_of_this_room_run_on_it() -> None:
    assert isinstance(asyncio.get_running_loop(), JumpingLoop)


async def test_a_sleep_moves_the_clock_by_exactly_its_length() -> None:
    await asyncio.sleep(3600)
    assert now() == START_S + 3600


async def test_timers_run_in_the_order_of_their_deadlines() -> None:
    order: list[float] = []
    loop = asyncio.get_running_loop()
    for delay in (30.0, 10.0, 20.0):
        loop.call_later(delay, order.append, delay)
    await asyncio.sleep(60)
    assert order == [10.0, 20.0, 30.0]


def test_waiting_for_what_never_comes_fails_at_once() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StandstillError):
        run(forever())


def test_spinning_without_time_fails_too() -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(StandstillError):
        run(spin())
