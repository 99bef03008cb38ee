"""Checks and what follows from them: connected, health, circuits, in the right order."""

import asyncio
from datetime import UTC

import pytest

from omnidb_cli import CheckResult, CircuitBreakerConfig, CircuitState, Event, Health, HealthCheck, Orchestrator
from tests.core.clock import advance, now, settle
from tests.core.fakes import DownError, Fleet, Server, who


async def test_the_first_check_comes_at_once_and_connect_returns_after_it() -> None:
    fleet = Fleet("a", "b")
    before = now()
    await fleet.db.connect()
    assert now() == before
    assert [server.checks for server in fleet.servers.values()] == [1, 1]
    assert fleet.db.health() == {"a": Health.HEALTHY, "b": Health.HEALTHY}
    await fleet.db.disconnect()


async def test_connected_is_told_of_each_that_answered_or_has_no_check() -> None:
    fleet = Fleet("good", "so-so", "bad", "unchecked", checked=["good", "so-so", "bad"])
    fleet["so-so"].answer = "degraded"
    fleet["bad"].down()
    async with fleet:
        assert sorted(name for _, name, _ in fleet.said("connected")) == ["good", "so-so", "unchecked"]


async def test_one_without_a_check_stays_unknown_and_serves() -> None:
    async with Fleet("a", "b", checked=(), failover={"a": "b"}) as fleet:
        await advance(1000)
        assert fleet.db.health() == {"a": Health.UNKNOWN, "b": Health.UNKNOWN}
        assert await fleet.db.execute("a", who) == "a"
        assert fleet.db.snapshot().summary.unknown == 2


async def test_a_connect_with_a_hanging_check_is_bounded_by_its_timeout() -> None:
    fleet = Fleet("a", "b", timeout="5s")
    fleet["a"].hangs = True
    before = now()
    async with fleet:
        assert now() - before == pytest.approx(5)
        assert fleet.db.health() == {"a": Health.UNHEALTHY, "b": Health.HEALTHY}


async def test_unhealthy_opens_the_circuit_in_this_order_with_routes_already_updated() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet.forget()
        seen: list[tuple[str, str | None, CircuitState]] = []

        def listen(event: Event) -> None:
            seen.append((event.type, fleet.db.route("a").serving, fleet.db.stats()["a"].circuit))

        for word in ("health:changed", "circuit:open", "failover"):
            fleet.db.on(word, listen)
        await fleet.turn("a", up=False)
    assert fleet.said()[:3] == [
        ("health:changed", "a", "refused"),
        ("circuit:open", "a", "health-check-failed"),
        ("failover", "a", "a unhealthy: a refused"),
    ]
    assert seen == [(word, "b", CircuitState.OPEN) for word in ("health:changed", "circuit:open", "failover")]


async def test_a_listener_that_executes_finds_the_new_route() -> None:
    served = []
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:

        async def listen(event: Event) -> None:
            served.append(await fleet.db.execute("a", who))

        fleet.db.on("health:changed", listen)
        await fleet.turn("a", up=False)
        await settle()
        assert served == ["b"]


async def test_health_changed_says_from_what_to_what_and_why() -> None:
    async with Fleet("a") as fleet:
        fleet.forget()
        await fleet.turn("a", up=False)
    event = fleet.heard[0]
    assert (event.type, event.name, event.previous, event.current) == ("health:changed", "a", "healthy", "unhealthy")
    assert (event.reason, event.error) == ("refused", "a refused")
    assert event.at.tzinfo is UTC


async def test_recovery_goes_half_open_at_once_and_closes_after_two_good_checks_with_one_close() -> None:
    async with Fleet("a") as fleet:
        await fleet.turn("a", up=False)
        fleet.forget()
        await fleet.turn("a", up=True)
        assert fleet.said("circuit:half-open", "circuit:close") == [("circuit:half-open", "a", "health-recovered")]
        await fleet.db.check("a")
        await fleet.db.check("a")
    assert fleet.said("circuit:half-open", "circuit:close") == [
        ("circuit:half-open", "a", "health-recovered"),
        ("circuit:close", "a", "health-recovered"),
    ]
    closes = [event for event in fleet.heard if event.type == "circuit:close"]
    assert [(event.previous, event.current) for event in closes] == [("half-open", "closed")]


async def test_with_equal_timers_the_close_still_comes() -> None:
    circuits = CircuitBreakerConfig(reset_timeout="30s")
    async with Fleet("a", interval="30s", circuit_breaker=circuits) as fleet:
        fleet["a"].down()
        await advance(40)
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
        fleet["a"].up()
        await advance(100)
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED
    assert fleet.said("circuit:open", "circuit:half-open", "circuit:close") == [
        ("circuit:open", "a", "health-check-failed"),
        ("circuit:half-open", "a", "health-recovered"),
        ("circuit:close", "a", "health-recovered"),
    ]


async def test_while_unhealthy_no_call_is_spent_on_probing() -> None:
    async with Fleet("a") as fleet:
        fleet["a"].down()
        await advance(40)
        for _ in range(20):
            await advance(100)
            view = fleet.db.snapshot().connections[0].circuit
            assert (view.state, view.retry_at) == (CircuitState.OPEN, None)
            assert fleet.db.route("a").serving is None


async def test_checks_never_close_what_failing_calls_opened() -> None:
    async with Fleet("a", interval="1s") as fleet:
        await fleet.fail("a", 5)
        await advance(200)
        assert fleet["a"].checks > 100
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN
        assert fleet.said("circuit:close") == []
        await fleet.db.execute("a", who)
        await fleet.db.execute("a", who)
        assert fleet.said("circuit:close") == [("circuit:close", "a", "trials-succeeded")]


async def test_rise_and_fall_are_counted_in_checks_and_can_be_set_for_one_connection() -> None:
    async with Fleet("a", "b", overrides={"a": HealthCheck(rise=2, fall=3)}) as fleet:
        for name in ("a", "b"):
            await fleet.turn(name, up=False)
        assert fleet.db.health() == {"a": Health.DEGRADED, "b": Health.UNHEALTHY}
        await fleet.db.check("a")
        await fleet.db.check("a")
        assert fleet.db.health()["a"] is Health.UNHEALTHY
        for name in ("a", "b"):
            await fleet.turn(name, up=True)
        assert fleet.db.health() == {"a": Health.UNHEALTHY, "b": Health.HEALTHY}


async def test_check_checks_now_at_one_at_several_or_at_all() -> None:
    async with Fleet("a", "b", "c") as fleet:
        await fleet.db.check("a")
        await fleet.db.check(["a", "b"])
        await fleet.db.check()
        assert [server.checks for server in fleet.servers.values()] == [4, 3, 2]


async def test_check_of_one_without_a_check_returns() -> None:
    async with Fleet("a", "b", checked=["a"]) as fleet:
        await fleet.db.check("b")
        await fleet.db.check()


async def test_a_reported_loss_is_checked_at_without_waiting_for_the_interval() -> None:
    async with Fleet("a", interval="1h") as fleet:
        fleet["a"].down()
        fleet.db.request_check("a")
        await settle()
        assert fleet.db.health()["a"] is Health.UNHEALTHY


async def test_a_failed_connect_reported_from_outside_is_a_failed_check() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet.forget()
        fleet.db.record_check("a", CheckResult(Health.UNHEALTHY, detail="no login", kind="auth"))
        assert [word for word, *_ in fleet.said()] == ["health:changed", "circuit:open", "failover"]
        assert await fleet.db.execute("a", who) == "b"


async def test_a_check_gets_the_client() -> None:
    got = []
    client = object()
    db = Orchestrator({"a": client}, health_check=HealthCheck(checks={"a": got.append}))
    async with db:
        assert got == [client]


async def test_what_a_check_says_is_kept_role_lag_and_latency() -> None:
    async with Fleet("a") as fleet:
        fleet["a"].answer = CheckResult(Health.DEGRADED, 0.125, "replica", 12.5, "lags behind", "lag")
        await fleet.db.check("a")
        view = fleet.db.snapshot().connections[0]
        assert (view.health, view.latency_ms, view.lag_seconds) == (Health.DEGRADED, 125.0, 12.5)
        assert (view.role.expected, view.role.actual) == (None, "replica")
        assert view.error is not None
        assert (view.error.kind, view.error.message) == ("lag", "lags behind")
        assert await fleet.db.execute("a", who) == "a"


async def test_checks_go_on_by_themselves_and_a_hanging_one_hinders_nobody() -> None:
    async with Fleet("a", "b", interval="10s", timeout="5s") as fleet:
        fleet["a"].hangs = True
        await advance(100)
        fleet["b"].down()
        await advance(11)
        assert fleet.db.health() == {"a": Health.UNHEALTHY, "b": Health.UNHEALTHY}
        assert fleet["a"].most_at_once == 1


async def test_a_result_that_comes_after_disconnect_is_dropped() -> None:
    async def swallow(server: Server) -> bool:
        if server.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return False
        return True

    server = Server("a")
    db = Orchestrator({"a": server}, health_check=HealthCheck(checks={"a": swallow}))
    heard: list[str] = []
    db.on("health:changed", lambda event: heard.append(str(event.current)))
    await db.connect()
    server.hangs = True
    check = asyncio.create_task(db.check())
    await settle()
    await db.disconnect()
    await asyncio.wait({check})
    assert check.exception() is not None
    assert heard == ["healthy"]
    assert db.health() == {"a": Health.HEALTHY}


async def test_without_a_first_check_nothing_is_checked_at_until_asked() -> None:
    fleet = Fleet("a", "b", interval="1s", failover={"a": "b"})
    await fleet.db.connect(check=False, keep_checking=False)
    await advance(100)
    assert [server.checks for server in fleet.servers.values()] == [0, 0]
    assert fleet.said() == []
    assert await fleet.db.execute("a", who) == "a"
    fleet["a"].answer = DownError("gone")
    await fleet.db.check("a")
    assert await fleet.db.execute("a", who) == "b"
    await fleet.db.disconnect()
