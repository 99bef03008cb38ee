"""Two connections of one route that both take writes, one of them expected to be a replica (semantics, Failover 8).

Pure: found in what was observed, and said in one sentence.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from omnidb_cli.core.health.model import HealthRecord
from omnidb_cli.core.routing.eligibility import clock_time


class Parting(Struct, frozen=True):
    """The connection that takes writes, and the expected replicas that take writes beside it (at least one)."""

    primary: str
    replicas: tuple[str, ...]


def find(order: Sequence[str], roles: Mapping[str, str | None], takes_writes: Callable[[str], bool]) -> Parting | None:
    """The split brain among the candidates of one route, or None. `roles` are the expected ones."""
    writers = [name for name in order if takes_writes(name)]
    replicas = [name for name in writers if roles.get(name) == "replica"]
    if len(writers) < 2 or not replicas:
        return None
    primary = next((name for name in writers if name not in replicas), replicas[0])
    return Parting(primary, tuple(name for name in replicas if name != primary))


def sentence(parting: Parting, records: Mapping[str, HealthRecord], since_wall: float | None) -> str:
    """Who takes writes, since when (Unix time), and where they part, as far as the engines tell."""
    names = (parting.primary, *parting.replicas)
    since = f" since {clock_time(since_wall)}" if since_wall is not None else ""
    whom = " and ".join(f'"{name}"' for name in names)
    positions = [f"{name} at {records[name].position}" for name in names if records[name].position]
    parted = f" ({'; '.join(positions)})" if positions else ""
    return f"split brain: {whom} {'both' if len(names) == 2 else 'all'} take writes{since}{parted}"
