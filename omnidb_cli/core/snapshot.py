"""How everything stands at one moment: frozen, with the fields of the status object (design, section 4)."""

from datetime import datetime

from msgspec import Struct

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health


class Candidate(Struct, frozen=True):
    """One connection that could serve: whether it may, and why (not)."""

    name: str
    eligible: bool
    reason: str


class Route(Struct, frozen=True):
    """Who serves `requested` now. `serving` is None when nobody can; `candidates` are in the order of preference."""

    requested: str
    serving: str | None
    is_failover: bool
    reason: str
    candidates: tuple[Candidate, ...]
    split_brain: "SplitBrain | None" = None


class SplitBrain(Struct, frozen=True):
    """A primary and its replica that both take writes (semantics, Failover 8).

    `requested` is the primary of the route, `primary` and `replica` the two that part, `others` further ones expected
    to be replicas; `since` is None until it was announced. `sentence` names them and how far each one's history goes.
    """

    requested: str
    primary: str
    replica: str
    others: tuple[str, ...]
    since: datetime | None
    sentence: str

    @property
    def replicas(self) -> tuple[str, ...]:
        """Every connection that takes writes and is expected to be a replica."""
        return (self.replica, *self.others)


class ErrorView(Struct, frozen=True):
    """What was wrong at the last check: an `ErrorKind` word and a sentence."""

    kind: str
    message: str


class RoleView(Struct, frozen=True):
    """The role that was asked for and the one that was found; None: not asked for, not known."""

    expected: str | None
    actual: str | None


class CircuitView(Struct, frozen=True):
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


class RouteView(Struct, frozen=True):
    """The route as the status object has it: `serving`, `failover`, `reason`, `candidates`."""

    serving: str | None
    failover: bool
    reason: str
    candidates: tuple[Candidate, ...]


class ConnectionSnapshot(Struct, frozen=True):
    """One connection. `engine`, `address` and `tags` are the topology's, None and empty in library use.

    `health_since` is since when its health is what it is, None while it is unknown.
    """

    name: str
    engine: str | None
    address: str | None
    tags: tuple[str, ...]
    health: Health
    health_since: datetime | None
    latency_ms: float | None
    checked_at: datetime | None
    error: ErrorView | None
    role: RoleView
    lag_seconds: float | None
    circuit: CircuitView
    route: RouteView


class Summary(Struct, frozen=True):
    """Counts. `unserved` leaves out standbys and those that a person holds; `open_circuits` counts every open one.

    `standbys_down` counts the standbys that nothing serves and no person holds, `split_brains` the routes with one.
    """

    total: int
    healthy: int
    degraded: int
    unhealthy: int
    unknown: int
    open_circuits: int
    held: int
    failovers: int
    unserved: int
    standbys_down: int
    split_brains: int


class Snapshot(Struct, frozen=True):
    """Everything at `taken_at`. `topology` is its name, None in library use.

    `standbys` names the connections that only stand by for others (semantics, Failover 9).
    """

    topology: str | None
    taken_at: datetime
    summary: Summary
    connections: tuple[ConnectionSnapshot, ...]
    standbys: frozenset[str] = frozenset()
    split_brains: tuple[SplitBrain, ...] = ()

    def is_unserved(self, one: ConnectionSnapshot) -> bool:
        """Whether nothing serves it, though no person holds it and it is no standby."""
        return one.route.serving is None and not one.circuit.manual and one.name not in self.standbys


def assemble(
    topology: str | None,
    taken_at: datetime,
    connections: tuple[ConnectionSnapshot, ...],
    standbys: frozenset[str],
    split_brains: tuple[SplitBrain, ...],
) -> Snapshot:
    """The snapshot of `connections` with its counts; standbys and split brains of others are left out."""
    names = {one.name for one in connections}
    standbys = standbys & names
    split_brains = tuple(one for one in split_brains if not names.isdisjoint((one.requested, *one.replicas)))
    summary = _summarize(connections, standbys, len(split_brains))
    return Snapshot(topology, taken_at, summary, connections, standbys, split_brains)


def _summarize(connections: tuple[ConnectionSnapshot, ...], standbys: frozenset[str], split_brains: int) -> Summary:
    tally = dict.fromkeys(Health, 0)
    for connection in connections:
        tally[connection.health] += 1
    nobody_serves = [one for one in connections if one.route.serving is None and not one.circuit.manual]
    return Summary(
        total=len(connections),
        healthy=tally[Health.HEALTHY],
        degraded=tally[Health.DEGRADED],
        unhealthy=tally[Health.UNHEALTHY],
        unknown=tally[Health.UNKNOWN],
        open_circuits=sum(one.circuit.state is CircuitState.OPEN for one in connections),
        held=sum(one.circuit.manual for one in connections),
        failovers=sum(one.route.failover for one in connections),
        unserved=sum(one.name not in standbys for one in nobody_serves),
        standbys_down=sum(one.name in standbys for one in nobody_serves),
        split_brains=split_brains,
    )
