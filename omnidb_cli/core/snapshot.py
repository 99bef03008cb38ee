"""How everything stands at one moment: frozen, with the fields of the status object (design, section 4)."""

from datetime import datetime

from omnidb_cli.core.circuit import CircuitState
from omnidb_cli.core.frozen import frozen
from omnidb_cli.core.health import Health


@frozen
class Candidate:
    """One connection that could serve: whether it may, and why (not)."""

    name: str
    eligible: bool
    reason: str


@frozen
class Route:
    """Who serves `requested` now. `serving` is None when nobody can; `candidates` are in the order of preference."""

    requested: str
    serving: str | None
    is_failover: bool
    reason: str
    candidates: tuple[Candidate, ...]


@frozen
class ErrorView:
    """What was wrong at the last look: an `ErrorKind` word and a sentence."""

    kind: str
    message: str


@frozen
class RoleView:
    """The role that was asked for and the one that was found; None: not asked for, not known."""

    expected: str | None
    actual: str | None


@frozen
class CircuitView:
    """One circuit. Times are aware UTC datetimes; `retry_at` is None unless it waits for the clock."""

    state: CircuitState
    manual: bool
    reason: str | None
    actor: str | None
    failures: int
    successes: int
    opened_at: datetime | None
    retry_at: datetime | None
    held_until: datetime | None


@frozen
class RouteView:
    """The route as the status object has it: `serving`, `failover`, `reason`, `candidates`."""

    serving: str | None
    failover: bool
    reason: str
    candidates: tuple[Candidate, ...]


@frozen
class ConnectionSnapshot:
    """One connection. `engine`, `address` and `tags` are the topology's, None and empty in library use."""

    name: str
    engine: str | None
    address: str | None
    tags: tuple[str, ...]
    health: Health
    latency_ms: float | None
    checked_at: datetime | None
    error: ErrorView | None
    role: RoleView
    lag_seconds: float | None
    circuit: CircuitView
    route: RouteView


@frozen
class Summary:
    """Counts. `unserved` leaves out those that a person holds; `open_circuits` counts every open one, held or not."""

    total: int
    healthy: int
    degraded: int
    unhealthy: int
    unknown: int
    open_circuits: int
    held: int
    failovers: int
    unserved: int


@frozen
class Snapshot:
    """Everything at `taken_at`. `topology` is its name, None in library use."""

    topology: str | None
    taken_at: datetime
    summary: Summary
    connections: tuple[ConnectionSnapshot, ...]


def summarize(connections: tuple[ConnectionSnapshot, ...]) -> Summary:
    """The counts over `connections`."""
    tally = dict.fromkeys(Health, 0)
    for connection in connections:
        tally[connection.health] += 1
    return Summary(
        total=len(connections),
        healthy=tally[Health.HEALTHY],
        degraded=tally[Health.DEGRADED],
        unhealthy=tally[Health.UNHEALTHY],
        unknown=tally[Health.UNKNOWN],
        open_circuits=sum(one.circuit.state is CircuitState.OPEN for one in connections),
        held=sum(one.circuit.manual for one in connections),
        failovers=sum(one.route.failover for one in connections),
        unserved=sum(one.route.serving is None and not one.circuit.manual for one in connections),
    )
