"""Hundreds of calls at once, and cancellation wherever something waits."""

import asyncio
from random import Random

import pytest

from omnidb_cli import (
    CircuitBreakerConfig,
    CircuitState,
    ConnectionUnavailableError,
    NotConnectedError,
)
from tests.core.clock import advance, now, settle
from tests.core.fakes import DownError, Fleet, Server, who


class Traffic:
    """Calls of random length and luck; how many ran at once on a half-open circuit, and what became of all."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.random = Random(seed)
        self.trials: dict[tuple[str, int], int] = {}
        self.most_trials = 0
        self.ended = {"ok": 0, "failed": 0, "refused": 0, "cancelled": 0}
        self.stretch = dict.fromkeys(fleet.servers, 0)
        for word in ("circuit:open", "circuit:half-open", "circuit:close"):
            fleet.db.on(word, self.next_stretch)

    def next_stretch(self, event: object) -> None:
        self.stretch[event.name] += 1  # type: ignore[attr-defined]

    async def run(self, server: Server) -> None:
        key = (server.name, self.stretch[server.name])
        trial = self.fleet.db.stats()[server.name].circuit is CircuitState.HALF_OPEN
        if trial:
            self.trials[key] = self.trials.get(key, 0) + 1
            self.most_trials = max(self.most_trials, self.trials[key])
        try:
            await asyncio.sleep(self.random.uniform(0, 5))
            if self.random.random() < 0.15:
                raise DownError("unlucky")
        finally:
            if trial:
                self.trials[key] -= 1

    async def call(self, name: str) -> None:
        await asyncio.sleep(self.random.uniform(0, 200))
        try:
            await asyncio.wait_for(self.fleet.db.execute(name, self.run), self.random.choice([1, 3, 30]))
        except DownError:
            self.ended["failed"] += 1
        except ConnectionUnavailableError:
            self.ended["refused"] += 1
        except TimeoutError:
            self.ended["cancelled"] += 1
        else:
            self.ended["ok"] += 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("permits", [1, 3])
async def test_never_more_trials_than_permits_under_hundreds_of_calls(seed: int, permits: int) -> None:
    circuits = CircuitBreakerConfig(2, "7s", permits)
    async with Fleet("a", "b", failover={"a": "b"}, circuit_breaker=circuits, interval="5s") as fleet:
        traffic = Traffic(fleet, seed)
        await asyncio.gather(*[traffic.call("a") for _ in range(1500)])
        assert traffic.most_trials == permits
        assert min(traffic.ended.values()) > 5
        assert sum(traffic.ended.values()) == 1500
        await advance(400)
        for _ in range(2 * permits):
            await fleet.db.execute("a", who, failover=False)
            await fleet.db.execute("b", who, failover=False)
        assert {one.circuit for one in fleet.db.stats().values()} == {CircuitState.CLOSED}


async def test_hundreds_at_once_against_half_open_admit_no_more_than_the_permits() -> None:
    gate = asyncio.Event()
    ran = []

    async def slow(server: Server) -> None:
        ran.append(server.name)
        await gate.wait()

    async with Fleet("a", checked=()) as fleet:
        await fleet.fail("a", 5)
        await advance(34)
        calls = [asyncio.create_task(fleet.db.execute("a", slow)) for _ in range(800)]
        await settle()
        assert len(ran) == 2
        assert sum(call.done() for call in calls) == 798
        gate.set()
        await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("rounds", range(5))
async def test_a_trial_cancelled_at_any_moment_gives_its_permit_back(rounds: int) -> None:
    async def three_rounds(_: Server) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    async with Fleet("a", checked=()) as fleet:
        await fleet.fail("a", 5)
        await advance(34)
        for _ in range(6):
            call = asyncio.create_task(fleet.db.execute("a", three_rounds))
            for _ in range(rounds):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait({call})
            assert call.cancelled() is (rounds < 4)
            assert fleet.db.route("a").serving == "a"


async def test_a_call_cancelled_before_it_began_runs_nothing_and_records_nothing() -> None:
    async with Fleet("a") as fleet:
        call = asyncio.create_task(fleet.db.execute("a", who))
        call.cancel()
        await asyncio.wait({call})
        assert fleet.db.stats()["a"].failures == 0


@pytest.mark.parametrize("rounds", range(5))
async def test_a_check_cancelled_at_any_moment_hurts_nobody_elses(rounds: int) -> None:
    async with Fleet("a", "b", timeout="5s") as fleet:
        fleet["a"].hangs = True
        mine, theirs = (asyncio.create_task(fleet.db.check()) for _ in range(2))
        for _ in range(rounds):
            await asyncio.sleep(0)
        mine.cancel()
        before = now()
        await theirs
        assert now() - before == pytest.approx(5)
        assert mine.cancelled()
        assert fleet.db.health() == {"a": "unhealthy", "b": "healthy"}
        assert fleet["a"].most_at_once == 1


async def test_one_who_waits_for_the_end_may_leave() -> None:
    async with Fleet("a") as fleet:
        waiting = asyncio.create_task(fleet.db.wait_closed())
        await settle()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert fleet.db.is_connected


async def test_calls_under_way_when_it_disconnects_end_in_their_own_way() -> None:
    gate = asyncio.Event()

    async def slow(server: Server) -> str:
        await gate.wait()
        return server.name

    async def failing(_: Server) -> None:
        await gate.wait()
        raise DownError("late")

    fleet = Fleet("a")
    async with fleet:
        good = asyncio.create_task(fleet.db.execute("a", slow))
        bad = [asyncio.create_task(fleet.db.execute("a", failing)) for _ in range(5)]
        await settle()
    gate.set()
    assert await good == "a"
    await asyncio.wait(bad)
    assert {type(call.exception()) for call in bad} == {DownError}
    with pytest.raises(NotConnectedError):
        await fleet.db.execute("a", who)


async def test_a_thousand_connections_with_as_many_bad_ones_are_checked_at_in_bounded_time() -> None:
    names = [f"n{number}" for number in range(1000)]
    fleet = Fleet(*names, timeout="2s", failover={"n0": names[1:200]})
    for server in fleet.servers.values():
        server.hangs = int(server.name[1:]) % 10 == 0
    before = now()
    async with fleet:
        assert now() - before <= 4.5  # 100 that hang for 2 s, 64 at a time
        summary = fleet.db.snapshot().summary
        assert (summary.healthy, summary.unhealthy) == (900, 100)
        assert fleet.db.route("n0").serving == "n1"
    assert asyncio.all_tasks() == {asyncio.current_task()}
