"""What an orchestrator shows of itself: circuits, snapshots and the short statistics."""

from datetime import datetime

from msgspec import Struct

from omnidb_cli.core.circuit.model import CircuitState, state_at
from omnidb_cli.core.circuit.view import circuit_view
from omnidb_cli.core.coordinator import Coordinator
from omnidb_cli.core.events.model import utc
from omnidb_cli.core.health.model import Health, HealthRecord
from omnidb_cli.core.snapshot import (
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
from omnidb_cli.errors import ErrorKind


class ConnectionStats(Struct, frozen=True):
    """The short of one connection. `failover_to` names the backup that serves it now, or is None."""

    health: Health
    circuit: CircuitState
    failures: int
    failover_to: str | None


def stats_of(board: Coordinator) -> dict[str, ConnectionStats]:
    """The short of every connection. Changes nothing."""
    clock = board.now().clock
    stats = {}
    for name, connection in board.connections.items():
        route = board.routes.route(name)
        circuit = connection.breaker.circuit
        stats[name] = ConnectionStats(
            health_of(board, name),
            state_at(circuit, clock, connection.settings.rules),
            circuit.failures,
            route.serving if route.is_failover else None,
        )
    return stats


def snapshot_of(board: Coordinator) -> Snapshot:
    """Every connection of the coordinator, in the order of its names. Changes nothing."""
    now = board.now()
    connections = tuple(
        connection_view(
            name,
            connection.health,
            circuit_view(connection.breaker.circuit, now.clock, connection.settings.rules),
            board.routes.route(name),
            board.routes.split_brain_of(name),
        )
        for name, connection in board.connections.items()
    )
    routes = board.routes
    return assemble(None, utc(now.wall), connections, routes.standbys(), routes.split_brains())


def health_of(board: Coordinator, name: str) -> Health:
    """The health of a connection: a replica of a split brain is degraded, however well it answers."""
    health = board.connections[name].health.health
    return Health.DEGRADED if health is Health.HEALTHY and board.routes.split_brain_of(name) is not None else health


def connection_view(
    name: str, health: HealthRecord, circuit: CircuitView, route: Route, split: SplitBrain | None = None
) -> ConnectionSnapshot:
    """One connection as the status object has it, without what only a topology knows."""
    return ConnectionSnapshot(
        name=name,
        engine=None,
        address=None,
        tags=(),
        health=Health.DEGRADED if split is not None and health.health is Health.HEALTHY else health.health,
        health_since=_utc(health.since),
        latency_ms=None if health.latency_s is None else round(health.latency_s * 1000, 3),
        checked_at=_utc(health.checked_at),
        error=_error(health, split),
        role=RoleView(None, health.role),
        lag_seconds=health.lag_s,
        circuit=circuit,
        route=RouteView(route.serving, route.is_failover, route.reason, route.candidates),
    )


def _error(health: HealthRecord, split: SplitBrain | None) -> ErrorView | None:
    """What is wrong: a check that could not be made goes first, then a split brain, then what the last check found."""
    if health.not_made is not None:
        return ErrorView(health.not_made.kind, health.not_made.sentence)
    if split is not None:
        return ErrorView(ErrorKind.SPLIT_BRAIN, split.sentence)
    return None if health.fault is None else ErrorView(health.fault.kind, health.fault.sentence)


def _utc(wall: float | None) -> datetime | None:
    return None if wall is None else utc(wall)
