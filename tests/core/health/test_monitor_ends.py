"""Checks that will not end as they should, and the end of checking."""

import asyncio
from collections.abc import Callable

import pytest

from omnidb_cli import NotConnectedError
from tests.core.clock import advance, now, settle
from tests.core.watch import Watch


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
        await monitor.check(["a"])
        assert now() - before < 3
        await monitor.check(["b"])
        assert watch.words() == [("a", "unhealthy"), ("b", "healthy")]
        await monitor.check(["a"])  # still hanging: this must not wait for it
        assert now() - before < 6
        release.set()
        await settle()
        await monitor.check(["a"])
    assert watch.words()[-1] == ("a", "healthy")


async def test_a_check_that_ignored_its_time_limit_is_told_again_when_checking_ends() -> None:
    told: list[str] = []

    async def stubborn() -> None:
        for when in ("at its time limit", "at the end"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append(when)

    async with Watch(checks={"a": stubborn}, timeout="2s").monitor as monitor:
        await monitor.check(["a"])
        await settle()
        assert told == ["at its time limit"]
    await settle()
    assert told == ["at its time limit", "at the end"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_check_that_answers_although_it_was_cancelled_is_late_all_the_same() -> None:
    async def late() -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return True
        return True

    watch = Watch(checks={"a": late}, timeout="1s")
    async with watch.monitor as monitor:
        await monitor.check()
        await monitor.check()
    assert watch.words() == [("a", "unhealthy")] * 2


async def test_a_check_whose_own_work_was_cancelled_is_a_failed_check_and_no_end_of_checking() -> None:
    async def cancelled() -> None:
        inner = asyncio.get_running_loop().create_future()
        inner.cancel()
        await inner

    watch = Watch("b", checks={"a": cancelled}, limit=1, timeout="2s")
    async with watch.monitor as monitor:
        await asyncio.wait_for(monitor.check(), 60)
        await asyncio.wait_for(monitor.check(), 60)
    assert sorted(watch.words()) == [("a", "unhealthy")] * 2 + [("b", "healthy")] * 2


@pytest.mark.parametrize("answer", [RuntimeError("broken"), "unknown"], ids=repr)
async def test_a_check_that_is_itself_broken_is_unhealthy_and_checking_goes_on(answer: object) -> None:
    watch = Watch("a")
    watch.servers["a"].answer = answer
    async with watch.monitor as monitor:
        await monitor.check()
        watch.servers["a"].up()
        await monitor.check()
    assert watch.words() == [("a", "unhealthy"), ("a", "healthy")]


async def test_leaving_cancels_what_is_under_way_and_no_result_comes_after() -> None:
    watch = Watch(*[f"c{n}" for n in range(100)], timeout="1h", interval="10s")
    for server in watch.servers.values():
        server.hangs = True
    async with watch.monitor as monitor:
        monitor.start()
        waiting = asyncio.create_task(monitor.check())
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
        checking = asyncio.create_task(monitor.check())
        await settle()
    await asyncio.wait({checking})
    assert isinstance(checking.exception(), NotConnectedError)
    assert begun == ["a"]
    assert watch.told == []


async def test_checking_outside_is_refused_and_does_not_hang() -> None:
    watch = Watch("a")
    with pytest.raises(NotConnectedError):
        await watch.monitor.check()
    async with watch.monitor:
        pass
    with pytest.raises(NotConnectedError):
        await watch.monitor.check()
    watch.monitor.request("a")
    assert watch.servers["a"].checks == 0


async def test_one_who_waits_for_a_check_may_leave_and_the_check_goes_on() -> None:
    watch = Watch("a", timeout="5s")
    watch.servers["a"].hangs = True
    async with watch.monitor as monitor:
        first, second = (asyncio.create_task(monitor.check()) for _ in range(2))
        await advance(1)
        first.cancel()
        await second
    assert first.cancelled()
    assert watch.words() == [("a", "unhealthy")]
