"""Who serves instead: chains, the way back, and the events of both."""

import asyncio

import pytest

from omnidb_cli import (
    CircuitBreakerConfig,
    CircuitState,
    ConfigurationError,
    Route,
)
from tests.core.clock import advance, settle
from tests.core.fakes import MOVES, Fleet, Server, who

CHAIN = {"a": "b", "b": "c"}


async def test_failover_is_told_when_it_happens_and_not_when_somebody_calls() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        assert await fleet.moves() == [("failover", "a", "a", "b")]
        for _ in range(5):
            await fleet.db.execute("a", who)
            fleet.db.get("a")
            fleet.db.route("a")
        assert len(await fleet.moves()) == 1


async def test_a_chain_is_followed_to_its_end_and_each_move_is_another_failover() -> None:
    async with Fleet("a", "b", "c", failover=CHAIN) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        assert await fleet.db.execute("a", who) == "c"
        assert await fleet.moves() == [
            ("failover", "a", "a", "b"),
            ("failover", "b", "b", "c"),
            ("failover", "a", "a", "c"),
        ] or await fleet.moves() == [
            ("failover", "a", "a", "b"),
            ("failover", "a", "a", "c"),
            ("failover", "b", "b", "c"),
        ]


async def test_recovery_is_told_only_when_the_primary_itself_serves_again() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        assert [word for word, *_ in await fleet.moves()] == ["failover", "no-route"]
        fleet.forget()
        await fleet.turn("b", up=True)
        assert [word for word, name, *_ in await fleet.moves() if name == "a"] == ["failover"]
        await fleet.db.check("b")
        await fleet.turn("a", up=True)
        assert fleet.db.route("a").serving == "b"  # a is still being proved by checks
        assert [word for word, name, *_ in await fleet.moves() if name == "a"] == ["failover"]
        await fleet.db.check("a")
        assert (await fleet.moves())[-1] == ("recovery", "a", "a", "b")
        assert await fleet.db.execute("a", who) == "a"


async def test_nobody_left_is_no_route_with_everybodys_reason() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("b", up=False)
        fleet.forget()
        await fleet.turn("a", up=False)
        assert fleet.said(*MOVES) == [("no-route", "a", "a unhealthy: a refused; b unhealthy: b refused")]
        assert fleet.db.route("a") == Route(
            "a", None, False, "a unhealthy: a refused; b unhealthy: b refused", fleet.db.route("a").candidates
        )


async def test_of_many_that_are_down_the_first_are_named_and_the_rest_counted() -> None:
    names = [f"c{number}" for number in range(30)]
    async with Fleet(*names, failover={"c0": names[1:]}) as fleet:
        for name in reversed(names):
            await fleet.turn(name, up=False)
        [reason] = [reason for _, name, reason in fleet.said("no-route") if name == "c0"]
        assert reason == "; ".join([*(f"c{n} unhealthy: c{n} refused" for n in range(5)), "and 25 more"])
        assert fleet.db.route("c0").reason == reason
        assert len(fleet.db.route("c0").candidates) == 30


async def test_a_standby_that_is_down_is_no_outage() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("b", up=False)
        assert fleet.db.route("b").serving is None
        await fleet.turn("b", up=True)
        await fleet.db.check("b")
        assert fleet.db.route("b").serving == "b"
        assert await fleet.moves() == []


async def test_a_backup_that_is_expected_to_be_a_primary_is_no_standby() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, roles={"b": "primary"}) as fleet:
        await fleet.turn("b", up=False)
        assert await fleet.moves() == [("no-route", "b", "b", None)]


async def test_a_degraded_primary_serves_in_its_own_place() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet["a"].answer = "degraded"
        await fleet.db.check("a")
        assert await fleet.db.execute("a", who) == "a"
        assert await fleet.moves() == []


async def test_a_healthy_primary_whose_calls_fail_is_left_for_the_backup() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.fail("a", 5)
        assert await fleet.db.execute("a", who) == "b"
        assert await fleet.moves() == [("failover", "a", "a", "b")]


async def test_opened_by_calls_it_takes_its_trials_in_its_own_place_and_comes_back() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, interval="10s") as fleet:
        await fleet.fail("a", 5)
        await advance(34)
        route = fleet.db.route("a")
        assert (route.serving, route.is_failover) == ("a", False)
        assert [await fleet.db.execute("a", who) for _ in range(2)] == ["a", "a"]
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED


async def test_opened_by_health_it_waits_behind_a_closed_backup_while_checks_prove_it() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN
        assert await fleet.db.execute("a", who) == "b"
        await fleet.db.check("a")
        assert await fleet.db.execute("a", who) == "a"


async def test_one_being_proved_serves_where_no_backup_is_ready() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        await fleet.turn("a", up=True)
        assert await fleet.db.execute("a", who) == "a"


async def test_without_a_check_an_ended_hold_is_proved_by_calls_in_its_own_place() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, checked=["b"]) as fleet:
        fleet.db.open_circuit("a", hold_for="60s")
        assert await fleet.db.execute("a", who) == "b"
        await advance(61)
        assert [await fleet.db.execute("a", who) for _ in range(2)] == ["a", "a"]
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED


async def test_the_order_is_breadth_first_over_backups_of_backups() -> None:
    async with Fleet("a", "b", "c", "d", failover={"a": ["b", "c"], "b": "d"}) as fleet:
        assert [one.name for one in fleet.db.route("a").candidates] == ["a", "b", "c", "d"]
        for name, serves in (("a", "b"), ("b", "c"), ("c", "d")):
            await fleet.turn(name, up=False)
            assert await fleet.db.execute("a", who) == serves


async def test_everybody_who_leans_on_one_is_moved_when_it_falls() -> None:
    async with Fleet("a", "b", "c", failover={"a": "c", "b": "c"}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        assert [await fleet.db.execute(name, who) for name in "abc"] == ["c", "c", "c"]
        fleet.forget()
        await fleet.turn("c", up=False)
        assert sorted(await fleet.moves()) == [
            ("no-route", "a", "a", None),
            ("no-route", "b", "b", None),
        ]


async def test_a_route_without_some_is_asked_and_changes_nothing() -> None:
    async with Fleet("a", "b", "c", failover={"a": ["b", "c"]}) as fleet:
        route = fleet.db.route("a", without={"a", "b"})
        assert (route.requested, route.serving, route.is_failover) == ("a", "c", True)
        assert [one.eligible for one in route.candidates] == [False, False, True]
        assert await fleet.db.execute("a", who) == "a"


async def test_asking_a_thousand_times_emits_nothing_and_changes_nothing() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, interval="5h") as fleet:
        await fleet.fail("a", 5)
        await advance(34)
        fleet.forget()
        before = fleet.db.snapshot().connections
        for _ in range(1000):
            fleet.db.route("a")
            fleet.db.stats()
            fleet.db.health()
            fleet.db.get("a")
        assert fleet.db.snapshot().connections == before
        assert fleet.said() == []


async def test_execute_is_resolved_once_and_stays_with_the_one_it_began_on() -> None:
    gate = asyncio.Event()

    async def slow(server: Server) -> str:
        await gate.wait()
        return server.name

    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        call = asyncio.create_task(fleet.db.execute("a", slow))
        await settle()
        await fleet.turn("a", up=False)
        gate.set()
        assert await call == "a"


async def test_with_circuits_off_failover_goes_by_health_alone() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, circuit_breaker=None) as fleet:
        await fleet.turn("a", up=False)
        assert await fleet.db.execute("a", who) == "b"
        await fleet.turn("a", up=True)
        assert await fleet.db.execute("a", who) == "a"
        assert [word for word, *_ in await fleet.moves()] == ["failover", "recovery"]


async def test_one_good_check_is_enough_where_one_is_asked_for() -> None:
    circuits = CircuitBreakerConfig(half_open_successes=1)
    async with Fleet("a", "b", failover={"a": "b"}, circuit_breaker=circuits) as fleet:
        await fleet.turn("a", up=False)
        fleet.forget()
        await fleet.turn("a", up=True)
        assert [word for word, *_ in fleet.said()] == [
            "health:changed",
            "circuit:half-open",
            "circuit:close",
            "recovery",
        ]


def test_a_cycle_is_refused_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError, match="a → b → a"):
        Fleet("a", "b", failover={"a": "b", "b": "a"})


async def test_after_an_outage_of_the_whole_pair_the_service_does_not_bounce() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        for name in "ab":
            await fleet.turn(name, up=False)
        fleet.forget()
        for name in "abbabb":  # the primary answers first, and the backup is proved first
            await fleet.turn(name, up=True)
        assert [what for what, name, *_ in await fleet.moves() if name == "a"] == ["recovery"]
        assert fleet.db.route("a").serving == "a"


async def test_a_standby_that_is_down_is_counted_as_that_and_not_as_unserved() -> None:
    roles = {"b": "replica", "d": "primary"}
    async with Fleet("a", "b", "c", "d", failover={"a": "b", "c": "d"}, roles=roles) as fleet:
        for name in "bd":
            await fleet.turn(name, up=False)
        snapshot = fleet.db.snapshot()
        assert snapshot.standbys == {"b"}
        assert (snapshot.summary.standbys_down, snapshot.summary.unserved) == (1, 1)
        assert [snapshot.is_unserved(one) for one in snapshot.connections] == [False, False, False, True]
        fleet.db.open_circuit("b")
        assert fleet.db.snapshot().summary.standbys_down == 0


async def test_one_with_a_backup_of_its_own_is_no_standby() -> None:
    async with Fleet("a", "b", "c", failover={"a": "b", "b": "c"}) as fleet:
        assert fleet.db.snapshot().standbys == {"c"}
