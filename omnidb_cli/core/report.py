"""The snapshot of a switchboard: how everything stands, as frozen values."""

from datetime import datetime

from omnidb_cli.core.circuit import CircuitState, state_at
from omnidb_cli.core.circuit_view import circuit_view
from omnidb_cli.core.events import utc
from omnidb_cli.core.health import Health, HealthRecord
from omnidb_cli.core.snapshot import (
    CircuitView,
    ConnectionSnapshot,
    ErrorView,
    RoleView,
    Route,
    RouteView,
    Snapshot,
    summarize,
)
from omnidb_cli.core.switchboard import Switchboard
from omnidb_cli.tuples import NamedTuple


class ConnectionStats(NamedTuple):
    """The short of one connection. `failover_to` names the backup that serves it now, or is None."""

    health: Health
    circuit: CircuitState
    failures: int
    failover_to: str | None


def stats_of(board: Switchboard) -> dict[str, ConnectionStats]:
    """The short of every connection. Changes nothing."""
    clock = board.now().clock
    stats = {}
    for name, connection in board.connections.items():
        route = board.routes.route(name)
        circuit = connection.breaker.circuit
        stats[name] = ConnectionStats(
            connection.health.health,
            state_at(circuit, clock, connection.settings.rules),
            circuit.failures,
            route.serving if route.is_failover else None,
        )
    return stats


def snapshot_of(board: Switchboard) -> Snapshot:
    """Every connection of the switchboard, in the order of its names. Changes nothing."""
    now = board.now()
    connections = tuple(
        connection_view(
            name,
            connection.health,
            circuit_view(connection.breaker.circuit, now.clock, connection.settings.rules),
            board.routes.route(name),
        )
        for name, connection in board.connections.items()
    )
    return Snapshot(None, utc(now.wall), summarize(connections), connections)


def connection_view(name: str, health: HealthRecord, circuit: CircuitView, route: Route) -> ConnectionSnapshot:
    """One connection as the status object has it, without what only a topology knows."""
    return ConnectionSnapshot(
        name=name,
        engine=None,
        address=None,
        tags=(),
        health=health.health,
        latency_ms=None if health.latency_s is None else round(health.latency_s * 1000, 3),
        checked_at=_utc(health.checked_at),
        error=None if health.fault is None else ErrorView(*health.fault),
        role=RoleView(None, health.role),
        lag_seconds=health.lag_s,
        circuit=circuit,
        route=RouteView(route.serving, route.is_failover, route.reason, route.candidates),
    )


def _utc(wall: float | None) -> datetime | None:
    return None if wall is None else utc(wall)
