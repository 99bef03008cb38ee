"""The topology's rules in the core's own terms. Imports nothing that waits: `circuit list` starts without asyncio."""

from typing import TYPE_CHECKING

from omnidb_cli.core.reducer import ConnectionPolicy
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.errors import DriverError

if TYPE_CHECKING:
    from omnidb_cli.topology import Topology


def circuit_config(topology: "Topology") -> CircuitBreakerConfig | None:
    """The circuits' settings, None where their automatic part is off."""
    given = topology.circuit_breaker
    if given is None:
        return None
    return CircuitBreakerConfig(
        threshold=given.threshold,
        reset_timeout=given.reset_timeout_s,
        half_open_successes=given.half_open_successes,
        max_reset_timeout=given.max_reset_timeout_s,
        counts_as_failure=counts_as_failure,
    )


def counts_as_failure(error: BaseException) -> bool:
    """Trouble of the server counts; a rejected statement, or trouble of this host or of our own output, never does."""
    return isinstance(error, DriverError) and error.counts_as_failure


def settings_of(topology: "Topology") -> dict[str, ConnectionPolicy]:
    """What decides each connection's health and circuit, in this process and in the saved state alike."""
    config = circuit_config(topology)
    rules = (config or CircuitBreakerConfig()).rules(enabled=config is not None)
    return {
        name: ConnectionPolicy(rules, one.health_check.rise, one.health_check.fall)
        for name, one in topology.connections.items()
    }
