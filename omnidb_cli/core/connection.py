"""One connection as a live orchestrator holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omnidb_cli.core.circuit.breaker import CircuitBreaker
from omnidb_cli.core.clock import clock
from omnidb_cli.core.health.model import NEVER_OBSERVED, HealthRecord
from omnidb_cli.core.reducer import ConnectionPolicy, ConnectionState
from omnidb_cli.core.settings import CircuitBreakerConfig, HealthCheck

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from omnidb_cli.core.registry import Registry


class Connection:
    """A client, its breaker and the record of its checks.

    `expected` is the role that it should have, or None; `timer` ends its circuit's wait, where there is one.
    """

    __slots__ = ("breaker", "client", "expected", "has_check", "health", "name", "settings", "timer")

    def __init__(
        self,
        name: str,
        client: Any,
        breaker: CircuitBreaker,
        settings: ConnectionPolicy,
        *,
        has_check: bool,
        expected: str | None = None,
    ) -> None:
        self.name = name
        self.client = client
        self.breaker = breaker
        self.settings = settings
        self.has_check = has_check
        self.expected = expected
        self.health: HealthRecord = NEVER_OBSERVED
        self.timer: TimerHandle | None = None

    @property
    def takes_writes(self) -> bool:
        """Whether it was seen to take writes, and no person keeps calls away from it."""
        return self.health.takes_writes and not self.breaker.circuit.held

    @property
    def state(self) -> ConnectionState:
        """What is known of it now."""
        return ConnectionState(self.health, self.breaker.circuit)


def connections_of(
    registry: Registry[Any], checks: HealthCheck, circuits: CircuitBreakerConfig | None
) -> dict[str, Connection]:
    """A connection for every client of the registry; `circuits` None: their automatic part is off."""
    config = circuits or CircuitBreakerConfig()
    rules = config.rules(enabled=circuits is not None)
    usual = ConnectionPolicy(rules, checks.rise, checks.fall)
    connections = {}
    for name in registry:
        own = checks.overrides.get(name)
        connections[name] = Connection(
            name,
            registry[name],
            CircuitBreaker.governed(rules, counts_as_failure=config.counts_as_failure, clock=clock),
            usual if own is None else ConnectionPolicy(rules, own.rise, own.fall),
            has_check=name in checks.checks,
            expected=checks.roles.get(name),
        )
    return connections
