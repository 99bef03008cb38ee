"""How everything stands: frozen, with exactly the fields of the status object."""

from datetime import UTC, timedelta

import pytest
from msgspec import Struct

from omnidb_cli import Candidate, CheckResult, CircuitState, ConnectionStats, Health, Route, Snapshot
from omnidb_cli.core.snapshot import (
    CircuitView,
    ConnectionSnapshot,
    ErrorView,
    RoleView,
    RouteView,
    Summary,
)
from tests.core.clock import advance
from tests.core.fakes import Fleet


@pytest.mark.parametrize(
    ("view", "names"),
    [
        (Snapshot, "topology taken_at summary connections standbys split_brains"),
        (
            Summary,
            "total healthy degraded unhealthy unknown open_circuits held failovers unserved standbys_down split_brains",
        ),
        (
            ConnectionSnapshot,
            "name engine address tags health health_since latency_ms checked_at error role lag_seconds circuit route",
        ),
        (CircuitView, "state manual reason actor failures successes opened_at retry_at held_until"),
        (ErrorView, "kind message"),
        (RoleView, "expected actual"),
        (RouteView, "serving failover reason candidates"),
        (Candidate, "name eligible reason"),
        (Route, "requested serving is_failover reason candidates split_brain"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_fields_are_those_of_the_status_object(view: type[Struct], names: str) -> None:
    assert set(view.__struct_fields__) == set(names.split())


async def test_everything_in_it_is_frozen() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        snapshot = fleet.db.snapshot()
        one = snapshot.connections[0]
        for frozen in (
            snapshot,
            snapshot.summary,
            one,
            one.circuit,
            one.route,
            one.error,
            one.role,
            fleet.db.route("a"),
        ):
            with pytest.raises(AttributeError):
                setattr(frozen, frozen.__struct_fields__[0], "x")
        with pytest.raises(AttributeError):
            fleet.db.stats()["a"].failures = 7  # type: ignore[misc]
        for sequence in (snapshot.connections, one.tags, one.route.candidates):
            assert isinstance(sequence, tuple)
        await fleet.turn("a", up=True)
        assert snapshot.connections[0].health is Health.UNHEALTHY


async def test_a_fresh_one_is_unknown_and_says_nothing_it_does_not_know() -> None:
    fleet = Fleet("a")
    snapshot = fleet.db.snapshot()
    one = snapshot.connections[0]
    assert snapshot.topology is None
    assert snapshot.taken_at.tzinfo is UTC
    assert (one.engine, one.address, one.tags) == (None, None, ())
    assert (one.health, one.latency_ms, one.checked_at, one.error, one.lag_seconds) == (
        Health.UNKNOWN,
        None,
        None,
        None,
        None,
    )
    assert one.role == RoleView(None, None)
    assert one.circuit == CircuitView(CircuitState.CLOSED, False, None, None, 0, 0, None, None, None)
    assert one.route == RouteView("a", False, "a not checked yet", (Candidate("a", True, "not checked yet"),))


async def test_an_unhealthy_one_with_a_backup() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet["a"].answer = CheckResult(Health.UNHEALTHY, role="replica", detail="expected a primary", kind="role")
        await fleet.db.check("a")
        one = fleet.db.snapshot().connections[0]
        assert one.error == ErrorView("role", "expected a primary")
        assert one.role.actual == "replica"
        assert one.checked_at is not None
        assert one.checked_at.tzinfo is UTC
        assert (one.circuit.state, one.circuit.manual, one.circuit.reason) == (
            CircuitState.OPEN,
            False,
            "health-check-failed",
        )
        assert (one.circuit.failures, one.circuit.retry_at, one.circuit.held_until) == (1, None, None)
        assert one.circuit.opened_at == one.checked_at
        assert (one.route.serving, one.route.failover) == ("b", True)
        assert one.route.reason == "a unhealthy: expected a primary"
        assert [(c.name, c.eligible) for c in one.route.candidates] == [("a", False), ("b", True)]


async def test_one_opened_by_calls_says_when_it_is_tried_again() -> None:
    async with Fleet("a", checked=()) as fleet:
        await fleet.fail("a", 5)
        circuit = fleet.db.snapshot().connections[0].circuit
        assert (circuit.reason, circuit.failures) == ("failure-threshold", 5)
        assert circuit.opened_at is not None
        assert circuit.retry_at is not None
        assert timedelta(seconds=27) <= circuit.retry_at - circuit.opened_at <= timedelta(seconds=33)
        await advance(34)
        await fleet.db.execute("a", fleet["a"].aclose.__func__)
        circuit = fleet.db.snapshot().connections[0].circuit
        assert (circuit.state, circuit.reason, circuit.successes, circuit.retry_at) == (
            CircuitState.HALF_OPEN,
            "reset-timeout-elapsed",
            1,
            None,
        )


async def test_the_reason_of_a_hold_is_its_text_or_manual() -> None:
    async with Fleet("a") as fleet:
        fleet.db.open_circuit("a")
        assert fleet.db.snapshot().connections[0].circuit.reason == "manual"
        fleet.db.open_circuit("a", reason="upgrade")
        assert fleet.db.snapshot().connections[0].circuit.reason == "upgrade"


async def test_a_hold_that_ran_out_is_manual_no_more() -> None:
    async with Fleet("a", checked=()) as fleet:
        fleet.db.open_circuit("a", hold_for="60s", reason="upgrade", actor="ann")
        await advance(61)
        circuit = fleet.db.snapshot().connections[0].circuit
        assert (circuit.state, circuit.manual, circuit.held_until, circuit.actor) == (
            CircuitState.HALF_OPEN,
            False,
            None,
            None,
        )
        assert circuit.reason == "hold-expired"


async def test_the_summary_counts_what_is_shown() -> None:
    async with Fleet("up", "slow", "down", "held", "alone", "unchecked", failover={"down": "up"}) as fleet:
        fleet["slow"].answer = "degraded"
        await fleet.db.check("slow")
        await fleet.turn("down", up=False)
        await fleet.turn("alone", up=False)
        fleet.db.open_circuit("held")
        fleet.db.close_circuit("unchecked")
        assert fleet.db.snapshot().summary == Summary(
            total=6,
            healthy=2,
            degraded=1,
            unhealthy=2,
            unknown=1,
            open_circuits=3,
            held=1,
            failovers=1,
            unserved=1,
            standbys_down=0,
            split_brains=0,
        )


async def test_with_circuits_off_they_are_shown_as_disabled() -> None:
    async with Fleet("a", circuit_breaker=None) as fleet:
        circuit = fleet.db.snapshot().connections[0].circuit
        assert (circuit.state, circuit.reason, circuit.opened_at) == (CircuitState.DISABLED, None, None)


async def test_stats_are_the_short_of_it() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("a", up=False)
        assert fleet.db.stats() == {
            "a": ConnectionStats(Health.UNHEALTHY, CircuitState.OPEN, 1, "b"),
            "b": ConnectionStats(Health.HEALTHY, CircuitState.CLOSED, 0, None),
        }
        assert fleet.db.stats()["a"].failover_to == "b"


async def test_the_order_is_the_callers() -> None:
    async with Fleet("z", "m", "a") as fleet:
        assert [one.name for one in fleet.db.snapshot().connections] == ["z", "m", "a"]
        assert list(fleet.db.stats()) == list(fleet.db.health()) == ["z", "m", "a"]
