"""A monitor over fake databases."""

from collections.abc import Callable

from omnidb_cli import Health, HealthCheck, HealthMonitor
from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.reducer import CheckCompleted
from tests.core.fakes import Server


class Watch:
    """A monitor over fake databases, and the results it told: (name, health, when)."""

    def __init__(self, *names: str, limit: int = 64, checks: dict[str, Callable] | None = None, **settings: object):
        self.servers = {name: Server(name) for name in names}
        self.told: list[tuple[str, Health, float]] = []
        self.checked: list[CheckCompleted] = []
        functions = {name: server.check for name, server in self.servers.items()} | (checks or {})
        self.monitor = HealthMonitor(functions, HealthCheck(**settings), self.hear, limit=limit)  # type: ignore[arg-type]

    def hear(self, name: str, checked: CheckCompleted, at: Instant) -> None:
        self.told.append((name, checked.result.health, at.clock))
        self.checked.append(checked)

    def words(self) -> list[tuple[str, str]]:
        return [(name, health.value) for name, health, _ in self.told]
