"""One timer for many limits: each ends what it guards at its own time, and nothing that was lifted."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers._limits import Limits, limits
from tests.core.clock import JumpingLoop

PLANS = st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.05, 9.05)), min_size=1, max_size=12)
"""When each begins, how long it is given, and when after its beginning it is lifted."""


@given(PLANS)
def test_each_ends_in_time_unless_it_was_lifted(plans: list[tuple[float, float, float]]) -> None:
    loop = JumpingLoop()
    ended: list[tuple[int, float]] = []

    async def one(number: int, begins_s: float, given_s: float, lifted_s: float) -> bool:
        await asyncio.sleep(begins_s)
        limit = limits().begin(given_s, lambda: ended.append((number, loop.time())))
        await asyncio.sleep(lifted_s)
        limits().lift(limit)
        return limit.is_over

    async def all_of_them() -> list[bool]:
        over = await asyncio.gather(*(one(number, *plan) for number, plan in enumerate(plans)))
        await asyncio.sleep(20)
        return over

    start_s = loop.time()
    try:
        over = loop.run_until_complete(all_of_them())
    finally:
        loop.close()
    due = {number: start_s + begins + given_s for number, (begins, given_s, _) in enumerate(plans)}
    late = {number for number, (_, given_s, lifted_s) in enumerate(plans) if lifted_s - given_s > 1e-6}
    early = {number for number, (_, given_s, lifted_s) in enumerate(plans) if given_s - lifted_s > 1e-6}
    times = dict(ended)
    assert len(times) == len(ended)
    assert late <= times.keys()
    assert not early & times.keys()
    assert {number for number, was_over in enumerate(over) if was_over} == times.keys()
    assert all(abs(times[number] - due[number]) < 1e-6 for number in times)


async def test_a_loop_has_limits_of_its_own() -> None:
    assert limits() is limits()
    assert limits() is not Limits()
    other = asyncio.new_event_loop()
    try:
        assert await asyncio.to_thread(lambda: other.run_until_complete(_of_this_loop())) is not limits()
    finally:
        other.close()


async def _of_this_loop() -> Limits:
    return limits()
