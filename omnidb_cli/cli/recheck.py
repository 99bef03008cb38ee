"""Checks again before a candidate is passed over: so omnidb heals without a watcher (semantics, Across processes 1)."""

from typing import TYPE_CHECKING

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.routing.eligibility import closes_by_checks

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from omnidb_cli.core.circuit.model import Circuit
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import ConnectionSnapshot
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
        name = candidate.name
        if name not in checked and _is_due(standing[name], db.circuit(name)[0], snapshot.taken_at, after_s):
            return name
    return None


def _is_due(one: "ConnectionSnapshot", circuit: "Circuit", taken_at: "datetime", after_s: float) -> bool:
    """Whether what keeps it out may be over: its failed check is old, or its circuit closes by checks."""
    if one.circuit.manual:
        return False
    if one.circuit.state is CircuitState.HALF_OPEN:
        return closes_by_checks(circuit, has_check=True)
    if one.health is not Health.UNHEALTHY or one.checked_at is None:
        return False
    age = taken_at - one.checked_at
    return age.total_seconds() < 0 or age.total_seconds() >= after_s
