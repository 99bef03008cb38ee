"""When connections are looked at, how often at a time, and what becomes of a look that does not end."""

import asyncio
from collections.abc import Callable

import pytest

from omnidb_cli import Health, HealthCheck, HealthMonitor, NotConnectedError
from omnidb_cli.core.circuit import Moment
from omnidb_cli.core.endpoint import Checked
from tests.core.clock import advance, now, settle
from tests.core.fakes import Server


class Watch:
    """A monitor over fake databases, and the results it told: (name, health, when)."""

    def __init__(self, *names: str, limit: int = 64, checks: dict[str, Callable] | None = None, **settings: object):
        self.servers = {name: Server(name) for name in names}
        self.told: list[tuple[str, Health, float]] = []
        self.checked: list[Checked] = []
        functions = {name: server.look for name, server in self.servers.items()} | (checks or {})
        self.monitor = HealthMonitor(functions, HealthCheck(**settings), self.hear, limit=limit)  # type: ignore[arg-type]

    def hear(self, name: str, checked: Checked, at: Moment) -> None:
        self.told.append((name, checked.result.health, at.clock))
        self.checked.append(checked)

    def words(self) -> list[tuple[str, str]]:
        return [(name, health.value) for name, health, _ in self.told]


async def test_a_look_answers_for_every_connection() -> None:
    watch = Watch("a", "b")
    watch.servers["b"].down()
    async with watch.monitor as monitor:
        await monitor.look()
        assert sorted(watch.words()) == [("a", "healthy"), ("b", "unhealthy")]
        await monitor.look(["a"])
    assert [server.looks for server in watch.servers.values()] == [2, 1]


@pytest.mark.parametrize("check", [lambda: True, lambda: "degraded", lambda: False], ids=["yes", "so-so", "no"])
async def test_plain_functions_are_checks_too(check: Callable) -> None:
    watch = Watch(checks={"a": check})
    async with watch.monitor as monitor:
        await monitor.look()
    assert len(watch.told) == 1


async def test_each_connection_is_looked_at_an_interval_after_its_last_look_give_or_take_a_twentieth() -> None:
    watch = Watch("a", interval="10s")
    async with watch.monitor as monitor:
        monitor.start()
        await advance(1000)
    times = [at for _, _, at in watch.told]
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert 90 <= len(times) <= 110
    assert 9.4 < min(gaps) < 9.9 < 10.1 < max(gaps) < 10.6


async def test_every_connection_has_its_own_interval() -> None:
    quick = HealthCheck(interval="1s")
    watch = Watch("a", "b", interval="100s", overrides={"a": quick})
    async with watch.monitor as monitor:
        monitor.start()
        await advance(99 * 0.95 - 1)
    looks = {name: server.looks for name, server in watch.servers.items()}
    assert looks["a"] > 80
    assert looks["b"] == 0


async def test_before_it_is_started_it_looks_at_nothing_by_itself() -> None:
    watch = Watch("a", interval="1s")
    async with watch.monitor:
        await advance(100)
    assert watch.told == []


async def test_one_check_per_connection_at_a_time_however_often_it_is_asked() -> None:
    watch = Watch("a", interval="1s", timeout="30s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        asks = [asyncio.create_task(monitor.look()) for _ in range(26)]
        for _ in range(26):
            monitor.request("a")
            await advance(1)
        assert watch.servers["a"].looks == 1
        await asyncio.gather(*asks)
    assert watch.servers["a"].most_at_once == 1
    assert len(watch.told) == 1


async def test_a_hanging_check_delays_only_its_own_next_one() -> None:
    watch = Watch("a", "b", interval="10s", timeout="1h")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        await advance(1000)
    assert watch.servers["a"].looks == 1
    assert watch.servers["b"].looks > 90


async def test_the_timeout_bounds_each_attempt_and_the_cancelled_attempt_really_stops() -> None:
    watch = Watch("a", timeout="2s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        before = now()
        await monitor.look()
        assert now() - before == pytest.approx(2)
        assert watch.servers["a"].at_once == 0
    result = watch.checked[0].result
    assert (result.health, result.kind, result.detail) == (Health.UNHEALTHY, "timeout", "no answer within 2s")


async def test_attempts_are_one_and_the_retries_their_delay_apart() -> None:
    watch = Watch("a", retries=3, retry_delay="1s")
    watch.servers["a"].down()
    async with watch.monitor as monitor:
        before = now()
        await monitor.look()
        assert now() - before == pytest.approx(3)
    assert watch.servers["a"].looks == 4
    assert watch.words() == [("a", "unhealthy")]


async def test_each_attempt_has_the_whole_timeout() -> None:
    watch = Watch("a", retries=2, retry_delay="1s", timeout="5s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        before = now()
        await monitor.look()
        assert now() - before == pytest.approx(17)
    assert watch.servers["a"].looks == 3


async def test_a_good_retry_is_a_good_look_and_ends_the_trying() -> None:
    answers = iter([False, True, False])
    watch = Watch(checks={"a": lambda: next(answers)}, retries=5)
    async with watch.monitor as monitor:
        await monitor.look()
    assert watch.words() == [("a", "healthy")]
    assert next(answers) is False


async def test_degraded_is_an_answer_and_is_not_retried() -> None:
    watch = Watch("a", retries=5)
    watch.servers["a"].answer = "degraded"
    async with watch.monitor as monitor:
        await monitor.look()
    assert watch.servers["a"].looks == 1


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
        await monitor.look()
        assert now() - before == pytest.approx(8, abs=0.5)  # 500 looks of 1 s, 64 at a time
    assert most == 64


async def test_hanging_ones_delay_nobody_elses_result() -> None:
    watch = Watch(*[f"h{n}" for n in range(63)], "quick", timeout="60s", interval="1h")
    for name, server in watch.servers.items():
        server.hangs = name != "quick"
    async with watch.monitor as monitor:
        before = now()
        everybody = asyncio.create_task(monitor.look())
        await advance(0.5)
        assert ("quick", Health.HEALTHY, before) in watch.told
        await everybody
    assert len(watch.told) == 64


async def test_a_check_that_ignores_its_cancellation_gets_its_verdict_and_its_place_is_filled() -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    watch = Watch("b", checks={"a": stubborn}, limit=1, timeout="2s")
    async with watch.monitor as monitor:
        before = now()
        await monitor.look(["a"])
        assert now() - before < 3
        await monitor.look(["b"])
        assert watch.words() == [("a", "unhealthy"), ("b", "healthy")]
        await monitor.look(["a"])  # still hanging: this must not wait for it
        assert now() - before < 6
        release.set()
        await settle()
        await monitor.look(["a"])
    assert watch.words()[-1] == ("a", "healthy")


async def test_a_check_that_answers_although_it_was_cancelled_is_late_all_the_same() -> None:
    async def late() -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return True
        return True

    watch = Watch(checks={"a": late}, timeout="1s")
    async with watch.monitor as monitor:
        await monitor.look()
        await monitor.look()
    assert watch.words() == [("a", "unhealthy")] * 2


async def test_a_check_whose_own_work_was_cancelled_is_a_failed_check_and_no_end_of_looking() -> None:
    async def cancelled() -> None:
        inner = asyncio.get_running_loop().create_future()
        inner.cancel()
        await inner

    watch = Watch("b", checks={"a": cancelled}, limit=1, timeout="2s")
    async with watch.monitor as monitor:
        await asyncio.wait_for(monitor.look(), 60)
        await asyncio.wait_for(monitor.look(), 60)
    assert sorted(watch.words()) == [("a", "unhealthy")] * 2 + [("b", "healthy")] * 2


@pytest.mark.parametrize("answer", [RuntimeError("broken"), "unknown"], ids=repr)
async def test_a_check_that_is_itself_broken_is_unhealthy_and_looking_goes_on(answer: object) -> None:
    watch = Watch("a")
    watch.servers["a"].answer = answer
    async with watch.monitor as monitor:
        await monitor.look()
        watch.servers["a"].up()
        await monitor.look()
    assert watch.words() == [("a", "unhealthy"), ("a", "healthy")]


async def test_latency_is_measured_for_answers_only() -> None:
    async def slow() -> None:
        await asyncio.sleep(0.25)

    watch = Watch("b", checks={"a": slow})
    watch.servers["b"].down()
    async with watch.monitor as monitor:
        await monitor.look(["a"])
        await monitor.look(["b"])
    assert [checked.latency_s for checked in watch.checked] == [pytest.approx(0.25), None]


async def test_leaving_cancels_what_is_under_way_and_no_result_comes_after() -> None:
    watch = Watch(*[f"c{n}" for n in range(100)], timeout="1h", interval="10s")
    for server in watch.servers.values():
        server.hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        waiting = asyncio.create_task(monitor.look())
        await advance(1)
        in_flight = set(monitor.in_flight)
        assert len(in_flight) == 100
    assert isinstance(waiting.exception(), NotConnectedError)
    assert all(server.at_once == 0 for server in watch.servers.values())
    await advance(1000)
    assert watch.told == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_after_leaving_nothing_that_still_waits_is_begun() -> None:
    begun = []

    def check(name: str) -> Callable:
        async def swallow() -> None:
            begun.append(name)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

        return swallow

    watch = Watch(checks={name: check(name) for name in "abc"}, limit=1, timeout="1h")
    async with watch.monitor as monitor:
        looking = asyncio.create_task(monitor.look())
        await settle()
    await asyncio.wait({looking})
    assert isinstance(looking.exception(), NotConnectedError)
    assert begun == ["a"]
    assert watch.told == []


async def test_looking_outside_is_refused_and_does_not_hang() -> None:
    watch = Watch("a")
    with pytest.raises(NotConnectedError):
        await watch.monitor.look()
    async with watch.monitor:
        pass
    with pytest.raises(NotConnectedError):
        await watch.monitor.look()
    watch.monitor.request("a")
    assert watch.servers["a"].looks == 0


async def test_one_who_waits_for_a_look_may_leave_and_the_look_goes_on() -> None:
    watch = Watch("a", timeout="5s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        first, second = (asyncio.create_task(monitor.look()) for _ in range(2))
        await advance(1)
        first.cancel()
        await second
    assert first.cancelled()
    assert watch.words() == [("a", "unhealthy")]


async def test_unknown_names_are_not_its_business() -> None:
    watch = Watch("a")
    async with watch.monitor as monitor:
        monitor.request("ghost")
        await monitor.look(["ghost"])
        assert "ghost" not in monitor
        assert "a" in monitor
