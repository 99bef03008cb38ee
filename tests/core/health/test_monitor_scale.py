"""Checking very many connections: nobody is starved, nothing is left behind."""

import asyncio
from itertools import pairwise

from omnidb_cli import Health, HealthCheck, HealthMonitor
from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.reducer import CheckCompleted
from tests.core.clock import advance, now

PLACES = 64


async def hang() -> None:
    await asyncio.Event().wait()


async def answer() -> bool:
    return True


async def answer_soon() -> bool:
    await asyncio.sleep(0.001)
    return True


class Ages:
    """When each connection was last heard of, and the longest that any of them went without."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.longest: dict[str, float] = {}

    def hear(self, name: str, _checked: CheckCompleted, at: Instant) -> None:
        gap = at.clock - self.last.get(name, at.clock)
        self.longest[name] = max(gap, self.longest.get(name, 0.0))
        self.last[name] = at.clock


async def test_hanging_endpoints_as_many_as_there_are_places_delay_nobody_else() -> None:
    ages = Ages()
    checks = {f"hangs-{n}": hang for n in range(PLACES)} | {f"lives-{n}": answer_soon for n in range(100)}
    monitor = HealthMonitor(checks, HealthCheck(interval="1s", timeout="5s"), ages.hear)
    async with monitor:
        await monitor.check()
        monitor.start()
        ages.longest.clear()
        await advance(60)
    assert max(gap for name, gap in ages.longest.items() if name.startswith("lives")) < 1.3
    assert max(gap for name, gap in ages.longest.items() if name.startswith("hangs")) < 20


async def test_endpoints_that_hang_no_longer_are_checked_at_like_all_others() -> None:
    ages, well = Ages(), asyncio.Event()

    async def hang_for_a_while() -> bool:
        await well.wait()
        return True

    checks = {f"db-{n}": hang_for_a_while for n in range(200)}
    monitor = HealthMonitor(checks, HealthCheck(interval="1s", timeout="5s"), ages.hear)
    async with monitor:
        await monitor.check()
        monitor.start()
        well.set()
        await advance(10)
        ages.longest.clear()
        await advance(10)
    assert len(ages.longest) == 200
    assert max(ages.longest.values()) < 1.3


async def test_checks_that_never_wait_let_the_loop_run_others() -> None:
    checked: list[str] = []
    at_each_round: list[int] = []

    async def count_the_rounds() -> None:
        while True:
            at_each_round.append(len(checked))
            await asyncio.sleep(0)

    checks = {f"db-{n}": answer for n in range(5000)}
    async with HealthMonitor(checks, HealthCheck(), lambda name, *_: checked.append(name)) as monitor:
        other = asyncio.create_task(count_the_rounds())
        await monitor.check()
        other.cancel()
    assert len(checked) == 5000
    assert max(later - earlier for earlier, later in pairwise(at_each_round)) <= 64


async def test_checks_that_wait_come_to_fill_all_places_at_once() -> None:
    began: list[float] = []

    async def answer_late() -> bool:
        began.append(now())
        await asyncio.sleep(1)
        return True

    checks = {f"db-{n}": answer_late for n in range(PLACES * 3)}
    async with HealthMonitor(checks, HealthCheck(), lambda *_: None) as monitor:
        await monitor.check()
    assert sorted(round(at - began[0]) for at in began) == [0] * PLACES + [1] * PLACES + [2] * PLACES


async def test_a_check_that_never_stops_holds_up_no_later_check() -> None:
    told: list[Health] = []
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    checks = {"a": stubborn}
    async with HealthMonitor(checks, HealthCheck(timeout="1s"), lambda _n, c, _at: told.append(c.result.health)) as m:
        await m.check()
        began = now()
        await m.check()
        assert now() == began
        released.set()
        await advance(1)
        await m.check()
    assert told == [Health.UNHEALTHY, Health.UNHEALTHY, Health.HEALTHY]


async def test_checking_often_leaves_one_turn_for_each_connection() -> None:
    checks = {f"db-{n}": answer for n in range(10)}
    async with HealthMonitor(checks, HealthCheck(interval="1h"), lambda *_: None) as monitor:
        await monitor.check()
        monitor.start()
        for _ in range(100):
            await monitor.check()
        assert len(monitor._schedule._entries) == 10
