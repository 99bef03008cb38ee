"""When connections are checked, how often at a time, and what becomes of a check that does not end."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from omnidb_cli import Health, HealthCheck
from tests.core.clock import advance, now
from tests.core.watch import Watch


async def test_a_check_answers_for_every_connection() -> None:
    watch = Watch("a", "b")
    watch.servers["b"].down()
    async with watch.monitor as monitor:
        await monitor.check()
        assert sorted(watch.words()) == [("a", "healthy"), ("b", "unhealthy")]
        await monitor.check(["a"])
    assert [server.checks for server in watch.servers.values()] == [2, 1]


@pytest.mark.parametrize("check", [lambda: True, lambda: "degraded", lambda: False], ids=["yes", "so-so", "no"])
async def test_plain_functions_are_checks_too(check: Callable) -> None:
    watch = Watch(checks={"a": check})
    async with watch.monitor as monitor:
        await monitor.check()
    assert len(watch.told) == 1


async def test_each_connection_is_checked_at_an_interval_after_its_last_check_give_or_take_a_twentieth() -> None:
    watch = Watch("a", interval="10s")
    async with watch.monitor as monitor:
        monitor.start()
        await advance(1000)
    times = [at for _, _, at in watch.told]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 90 <= len(times) <= 110
    assert 9.4 < min(gaps) < 9.9
    assert 10.1 < max(gaps) < 10.6


async def test_every_connection_has_its_own_interval() -> None:
    quick = HealthCheck(interval="1s")
    watch = Watch("a", "b", interval="100s", overrides={"a": quick})
    async with watch.monitor as monitor:
        monitor.start()
        await advance(99 * 0.95 - 1)
    checks = {name: server.checks for name, server in watch.servers.items()}
    assert checks["a"] > 80
    assert checks["b"] == 0


async def test_before_it_is_started_it_checks_at_nothing_by_itself() -> None:
    watch = Watch("a", interval="1s")
    async with watch.monitor:
        await advance(100)
    assert watch.told == []


async def test_one_check_per_connection_at_a_time_however_often_it_is_asked() -> None:
    watch = Watch("a", interval="1s", timeout="30s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        asks = [asyncio.create_task(monitor.check()) for _ in range(26)]
        for _ in range(26):
            monitor.request("a")
            await advance(1)
        assert watch.servers["a"].checks == 1
        await asyncio.gather(*asks)
    assert watch.servers["a"].most_at_once == 1
    assert len(watch.told) == 1


async def test_a_hanging_check_delays_only_its_own_next_one() -> None:
    watch = Watch("a", "b", interval="10s", timeout="1h")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        await advance(1000)
    assert watch.servers["a"].checks == 1
    assert watch.servers["b"].checks > 90


async def test_the_timeout_bounds_each_attempt_and_the_cancelled_attempt_really_stops() -> None:
    watch = Watch("a", timeout="2s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        before = now()
        await monitor.check()
        assert now() - before == pytest.approx(2)
        assert watch.servers["a"].at_once == 0
    result = watch.checked[0].result
    assert (result.health, result.kind, result.detail) == (Health.UNHEALTHY, "timeout", "no answer within 2s")


async def test_attempts_are_one_and_the_retries_their_delay_apart() -> None:
    watch = Watch("a", retries=3, retry_delay="1s")
    watch.servers["a"].down()
    async with watch.monitor as monitor:
        before = now()
        await monitor.check()
        assert now() - before == pytest.approx(3)
    assert watch.servers["a"].checks == 4
    assert watch.words() == [("a", "unhealthy")]


async def test_each_attempt_has_the_whole_timeout() -> None:
    watch = Watch("a", retries=2, retry_delay="1s", timeout="5s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        before = now()
        await monitor.check()
        assert now() - before == pytest.approx(17)
    assert watch.servers["a"].checks == 3


async def test_a_good_retry_is_a_good_check_and_ends_the_trying() -> None:
    answers = iter([False, True, False])
    watch = Watch(checks={"a": lambda: next(answers)}, retries=5)
    async with watch.monitor as monitor:
        await monitor.check()
    assert watch.words() == [("a", "healthy")]
    assert next(answers) is False


async def test_degraded_is_an_answer_and_is_not_retried() -> None:
    watch = Watch("a", retries=5)
    watch.servers["a"].answer = "degraded"
    async with watch.monitor as monitor:
        await monitor.check()
    assert watch.servers["a"].checks == 1


async def test_at_most_so_many_checks_are_in_flight() -> None:
    at_once = most = 0

    async def check() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(1)
        at_once -= 1

    watch = Watch(checks={f"c{n}": check for n in range(500)})
    async with watch.monitor as monitor:
        before = now()
        await monitor.check()
        assert now() - before == pytest.approx(8, abs=0.5)  # 500 checks of 1 s, 64 at a time
    assert most == 64


async def test_hanging_ones_delay_nobody_elses_result() -> None:
    watch = Watch(*[f"h{n}" for n in range(63)], "quick", timeout="60s", interval="1h")
    for name, server in watch.servers.items():
        server.hangs = name != "quick"
    async with watch.monitor as monitor:
        before = now()
        everybody = asyncio.create_task(monitor.check())
        await advance(0.5)
        assert ("quick", Health.HEALTHY, before) in watch.told
        await everybody
    assert len(watch.told) == 64


async def test_latency_is_measured_for_answers_only() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.25)

    watch = Watch("b", checks={"a": slow})
    watch.servers["b"].down()
    async with watch.monitor as monitor:
        await monitor.check(["a"])
        await monitor.check(["b"])
    assert [checked.latency_s for checked in watch.checked] == [pytest.approx(0.25), None]


async def test_unknown_names_are_not_its_business() -> None:
    watch = Watch("a")
    async with watch.monitor as monitor:
        monitor.request("ghost")
        await monitor.check(["ghost"])
        assert "ghost" not in monitor
        assert "a" in monitor
