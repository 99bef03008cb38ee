"""Snapshots with one of everything, and streams into memory."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.events.mapping import rfc3339
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import (
    Candidate,
    CircuitView,
    ConnectionSnapshot,
    ErrorView,
    RoleView,
    Route,
    RouteView,
    Snapshot,
    SplitBrain,
    assemble,
)
from omnidb_cli.output.streams import Streams

NOW = datetime(2026, 11, 23, 7, 30, 0, 123456, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def circuit(state: CircuitState = CircuitState.CLOSED, **fields: object) -> CircuitView:
    given = dict.fromkeys(("reason", "actor", "opened_at", "retry_at", "held_until"))
    return CircuitView(**{"state": state, "manual": False, "failures": 0, "successes": 0, **given, **fields})


def connection(name: str, **fields: object) -> ConnectionSnapshot:
    """A healthy PostgreSQL primary that serves itself, but for `fields`."""
    serves = RouteView(name, False, f"{name} is eligible", (Candidate(name, True, "healthy, circuit closed"),))
    usual: dict[str, object] = {
        "engine": "postgresql",
        "address": f"{name}.internal:5432/app",
        "tags": (),
        "health": Health.HEALTHY,
        "health_since": ago(7200),
        "latency_ms": 1.23,
        "checked_at": ago(0.2),
        "error": None,
        "role": RoleView("primary", "primary"),
        "lag_seconds": None,
        "circuit": circuit(),
        "route": serves,
    }
    return ConnectionSnapshot(name=name, **{**usual, **fields})


def snapshot(
    *connections: ConnectionSnapshot,
    standbys: tuple[str, ...] = (),
    split_brains: tuple[SplitBrain, ...] = (),
    topology: str | None = "shop",
) -> Snapshot:
    return assemble(topology, NOW, connections, frozenset(standbys), split_brains)


def unhealthy(name: str, **fields: object) -> ConnectionSnapshot:
    """One that does not answer, and that nothing serves."""
    message = f"{name}.internal:5432: no answer within 5s"
    usual: dict[str, object] = {
        "health": Health.UNHEALTHY,
        "health_since": ago(180),
        "latency_ms": None,
        "error": ErrorView("timeout", message),
        "circuit": circuit(CircuitState.OPEN, reason="health-check-failed", failures=1, opened_at=ago(180)),
        "route": RouteView(None, False, "", (Candidate(name, False, f"unhealthy: {message}"),)),
    }
    return connection(name, **{**usual, **fields})


def broken_primary() -> ConnectionSnapshot:
    return connection(
        "primary",
        tags=("eu", "orders"),
        health=Health.UNHEALTHY,
        health_since=ago(41),
        latency_ms=None,
        error=ErrorView("refused", "connection refused"),
        role=RoleView("primary", None),
        circuit=circuit(CircuitState.OPEN, reason="health-check-failed", failures=1, opened_at=ago(41)),
        route=RouteView(
            "replica",
            True,
            "primary unhealthy: connection refused",
            (
                Candidate("primary", False, "unhealthy: connection refused"),
                Candidate("replica", True, "healthy, circuit closed"),
            ),
        ),
    )


def held_reports() -> ConnectionSnapshot:
    return connection(
        "reports",
        circuit=circuit(
            CircuitState.OPEN,
            manual=True,
            reason="kernel upgrade, back by eight",
            actor="anna@desk",
            opened_at=ago(1200),
            held_until=NOW + timedelta(minutes=10),
        ),
        route=RouteView(
            None, False, "reports is held", (Candidate("reports", False, "held by anna@desk for 10m more"),)
        ),
    )


def orders_with_failing_calls() -> ConnectionSnapshot:
    return connection(
        "orders",
        engine="mysql",
        address="orders.internal:3306/shop",
        circuit=circuit(
            CircuitState.OPEN,
            reason="failure-threshold",
            failures=5,
            opened_at=ago(18),
            retry_at=NOW + timedelta(seconds=12),
        ),
        route=RouteView(
            None, False, "no eligible endpoint", (Candidate("orders", False, "circuit open, trial calls in 12s"),)
        ),
    )


def shop() -> Snapshot:
    """One of everything that can be wrong."""
    connections = (
        broken_primary(),
        connection("replica", role=RoleView("replica", "replica"), lag_seconds=0.4),
        connection(
            "replica-eu",
            health=Health.DEGRADED,
            health_since=ago(11_000),
            latency_ms=82.0,
            error=ErrorView("lag", "replication lag 31.0s is above max_lag 10s"),
            role=RoleView("replica", "replica"),
            lag_seconds=31.0,
        ),
        orders_with_failing_calls(),
        held_reports(),
        connection(
            "cache",
            engine="redis",
            address="cache.internal:6379/0",
            latency_ms=0.31,
            role=RoleView(None, None),
            circuit=circuit(
                CircuitState.HALF_OPEN, reason="reset-timeout-elapsed", failures=5, successes=1, opened_at=ago(31)
            ),
        ),
        connection(
            "archive",
            engine="sqlite",
            address="/var/lib/shop/archive.db",
            health=Health.UNKNOWN,
            health_since=None,
            latency_ms=None,
            checked_at=None,
            role=RoleView(None, None),
            circuit=circuit(CircuitState.DISABLED),
        ),
    )
    return snapshot(*connections)


def all_well() -> Snapshot:
    connections = (
        connection("primary"),
        connection("replica", role=RoleView("replica", "replica"), lag_seconds=0.0),
    )
    return snapshot(*connections)


def dead_standby() -> Snapshot:
    """A healthy primary whose standby does not answer."""
    names = ("primary", "replica")
    both = tuple(Candidate(name, name == "primary", "") for name in names)
    primary = connection("primary", route=RouteView("primary", False, "primary healthy", both))
    return snapshot(primary, unhealthy("replica", role=RoleView("replica", None)), standbys=("replica",))


def parted() -> Snapshot:
    """A primary and its replica that both take writes; the replica serves."""
    sentence = 'split brain: "primary" and "replica" both take writes since 07:28:00Z (primary at 1/2; replica at 2/3)'
    both = (Candidate("primary", True, "healthy"), Candidate("replica", True, f"degraded: {sentence}"))
    return snapshot(
        connection("primary", route=RouteView("replica", True, "failback waits while the split brain lasts", both)),
        connection(
            "replica",
            health=Health.DEGRADED,
            health_since=ago(120),
            error=ErrorView("split-brain", sentence),
            role=RoleView("replica", "primary"),
        ),
        split_brains=(SplitBrain("primary", "primary", "replica", (), ago(120), sentence),),
    )


def isolated() -> Snapshot:
    """Three connections on three hosts, none of which answers."""
    return snapshot(*map(unhealthy, ("orders", "reports", "stock")))


def fleet(size: int, *, broken: int = 0) -> Snapshot:
    """Many healthy connections, and `broken` unhealthy ones spread among them."""
    step = size // broken if broken else 0
    connections = tuple(
        unhealthy(f"db-{number:04}") if step and number % step == step - 1 else connection(f"db-{number:04}")
        for number in range(size)
    )
    return snapshot(*connections, topology="fleet")


def route() -> Route:
    return Route(
        "primary",
        "replica-eu",
        True,
        "primary unhealthy: connection refused",
        (
            Candidate("primary", False, "unhealthy: connection refused (checked 12s ago)"),
            Candidate("replica", False, "held by anna@desk: kernel upgrade"),
            Candidate("replica-eu", True, "degraded, circuit closed"),
            Candidate("archive", True, "unknown, circuit closed"),
        ),
    )


def events() -> list[Mapping[str, object]]:
    def event(number: int, word: str, seconds: float, name: str | None, reason: str | None, **rest: object) -> dict:
        actor = rest.pop("actor", None)
        return {
            "schema": "omnidb.event/v1",
            "id": number,
            "at": rfc3339(ago(seconds)),
            "type": word,
            "name": name,
            "reason": reason,
            "actor": actor,
            "detail": rest,
        }

    return [
        event(
            17, "health:changed", 41.2, "primary", "refused",
            kind="refused", message="connection refused", error="connection refused",
            previous="healthy", current="unhealthy",
        ),
        event(18, "circuit:open", 41.1, "primary", "health-check-failed", previous="closed", current="open"),
        event(
            19, "failover", 41.0, "primary", "primary unhealthy: connection refused",
            primary="primary", backup="replica",
        ),
        event(
            20, "circuit:open", 30, "reports", "manual",
            actor="anna@desk", note="kernel upgrade", previous="closed", current="open",
        ),
        event(21, "no-route", 29.9, "reports", "held by anna@desk", primary="reports"),
        event(22, "recovery", 2.5, "primary", "primary is eligible again", primary="primary", backup="replica"),
        event(23, "shutdown", 0.1, None, "SIGTERM"),
    ]  # fmt: skip


class Screen(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


def streams(form: str = "table", *, terminal: bool = False, width: int | None = None, **settings: object) -> Streams:
    env = {"TERM": "xterm"} | ({"COLUMNS": str(width)} if width else {}) | settings.pop("env", {})
    make = Screen if terminal else io.StringIO
    return Streams(make(), make(), env=env, format=form, **settings)
