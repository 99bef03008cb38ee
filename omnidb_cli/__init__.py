"""omnidb: health, circuits and failover for every database you are on call for.

The library's names are imported when they are first used, so that `import omnidb_cli` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from omnidb_cli.core.circuit.breaker import CircuitBreaker, CircuitSnapshot
    from omnidb_cli.core.circuit.model import CircuitState
    from omnidb_cli.core.events.bus import EventStream
    from omnidb_cli.core.events.model import Event, EventType
    from omnidb_cli.core.health.model import CheckResult, Health
    from omnidb_cli.core.health.monitor import HealthMonitor
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.registry import Registry
    from omnidb_cli.core.routing.router import FailoverRouter
    from omnidb_cli.core.settings import CircuitBreakerConfig, Failback, Failover, HealthCheck
    from omnidb_cli.core.snapshot import Candidate, ConnectionSnapshot, Route, Snapshot
    from omnidb_cli.core.views import ConnectionStats
    from omnidb_cli.errors import (
        AuthenticationError,
        CircuitOpenError,
        ConfigurationError,
        ConnectError,
        ConnectionLostError,
        ConnectionUnavailableError,
        DriverError,
        ErrorKind,
        NotConnectedError,
        OmnidbError,
        PreconditionError,
        StatementError,
        StatementTimeout,
        StateStoreError,
        TopologyError,
        UnknownConnectionError,
        WriteRefusedError,
    )

_HOMES = {
    "core.circuit.breaker": ("CircuitBreaker", "CircuitSnapshot"),
    "core.events.bus": ("EventStream",),
    "core.circuit.model": ("CircuitState",),
    "core.events.model": ("Event", "EventType"),
    "core.health.model": ("CheckResult", "Health"),
    "core.health.monitor": ("HealthMonitor",),
    "core.orchestrator": ("Orchestrator",),
    "core.registry": ("Registry",),
    "core.views": ("ConnectionStats",),
    "core.routing.router": ("FailoverRouter",),
    "core.settings": ("CircuitBreakerConfig", "Failback", "Failover", "HealthCheck"),
    "core.snapshot": ("Candidate", "ConnectionSnapshot", "Route", "Snapshot"),
    "errors": (
        "AuthenticationError",
        "CircuitOpenError",
        "ConfigurationError",
        "ConnectError",
        "ConnectionLostError",
        "ConnectionUnavailableError",
        "DriverError",
        "ErrorKind",
        "NotConnectedError",
        "OmnidbError",
        "PreconditionError",
        "StatementError",
        "StatementTimeout",
        "StateStoreError",
        "TopologyError",
        "UnknownConnectionError",
        "WriteRefusedError",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # a literal, so that type checkers see what is exported
    "AuthenticationError",
    "Candidate",
    "CheckResult",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitOpenError",
    "CircuitSnapshot",
    "CircuitState",
    "ConfigurationError",
    "ConnectError",
    "ConnectionLostError",
    "ConnectionSnapshot",
    "ConnectionStats",
    "ConnectionUnavailableError",
    "DriverError",
    "ErrorKind",
    "Event",
    "EventStream",
    "EventType",
    "Failback",
    "Failover",
    "FailoverRouter",
    "Health",
    "HealthCheck",
    "HealthMonitor",
    "NotConnectedError",
    "OmnidbError",
    "Orchestrator",
    "PreconditionError",
    "Registry",
    "Route",
    "Snapshot",
    "StateStoreError",
    "StatementError",
    "StatementTimeout",
    "TopologyError",
    "UnknownConnectionError",
    "WriteRefusedError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
