"""Checks again before a candidate is passed over: so omnidb heals without a watcher (semantics, Across processes 1)."""

from typing import TYPE_CHECKING

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health

if TYPE_CHECKING:
    from collections.abc import Collection

    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot
    from omnidb_cli.topology import Topology

_DEFAULT_RESET_TIMEOUT_S = 30.0


async def check_again(db: "Orchestrator", name: str, topology: "Topology", *, alone: bool = False) -> None:
    """Checks, in order, those who come before whoever would serve `name` and whose verdict is due for a new check.

    With `alone` only `name` itself is in question.
    """
    checked = {one.name for one in db.route(name).candidates if alone and one.name != name}
    while (due := _first_due(db, name, topology, checked)) is not None:
        checked.add(due)
        await db.check(due)


def _first_due(db: "Orchestrator", name: str, topology: "Topology", checked: "Collection[str]") -> str | None:
    route = db.route(name)
    snapshot = db.snapshot()
    standing = {one.name: one for one in snapshot.connections}
    settings = topology.circuit_breaker
    after_s = settings.reset_timeout_s if settings is not None else _DEFAULT_RESET_TIMEOUT_S
    for candidate in route.candidates:
        if candidate.name == route.serving and standing[candidate.name].circuit.state is not CircuitState.HALF_OPEN:
            return None
        if candidate.name not in checked and is_due(standing[candidate.name], snapshot, after_s):
            return candidate.name
    return None


def is_due(one: "ConnectionSnapshot", snapshot: "Snapshot", after_s: float) -> bool:
    """Whether what keeps it out may be over: its failed check is old, or it is for checks to prove it."""
    if one.circuit.manual:
        return False
    if one.circuit.state is CircuitState.HALF_OPEN:
        return one.circuit.reason in PROVED_BY_CHECKS
    if one.health is not Health.UNHEALTHY or one.checked_at is None:
        return False
    age = snapshot.taken_at - one.checked_at
    return age.total_seconds() < 0 or age.total_seconds() >= after_s


PROVED_BY_CHECKS = frozenset({"health-recovered", "hold-expired"})
