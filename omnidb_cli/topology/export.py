"""A topology as plain data with every key at its resolved value: what `config show` prints. Secrets are `***`."""

from typing import Any

from omnidb_cli.duration import write_duration
from omnidb_cli.topology.model import CircuitBreakerSettings, Connection, HealthCheckSettings, Topology
from omnidb_cli.topology.secrets.redaction import MASK, Redactor


def described(topology: Topology) -> dict[str, Any]:
    """The topology in the notation of its file: it would load again, apart from its secrets."""
    redact = Redactor(topology.secrets)
    return {
        "name": topology.name,
        "connections": {name: _connection(one, redact) for name, one in topology.connections.items()},
        "failover": {
            name: {
                "to": list(rule.to),
                "writes": rule.writes,
                "failback": rule.failback,
                "failback_after": write_duration(rule.failback_after_s),
            }
            for name, rule in topology.failover.items()
        },
        "health_check": _health_check(topology.health_check, redact),
        "circuit_breaker": _circuit_breaker(topology.circuit_breaker),
        "state": topology.state.shown if topology.state else None,
    }


def _connection(connection: Connection, redact: Redactor) -> dict[str, Any]:
    return {
        "url": connection.url.text,
        "password": MASK if connection.password else None,
        "role": connection.role,
        "tags": list(connection.tags),
        "max_lag": None if connection.max_lag_s is None else write_duration(connection.max_lag_s),
        "slow": None if connection.slow_s is None else write_duration(connection.slow_s),
        "health_check": _health_check(connection.health_check, redact),
    }


def _health_check(settings: HealthCheckSettings, redact: Redactor) -> dict[str, Any]:
    return {
        "interval": write_duration(settings.interval_s),
        "timeout": write_duration(settings.timeout_s),
        "retry": {"retries": settings.retries, "delay": write_duration(settings.retry_delay_s)},
        "rise": settings.rise,
        "fall": settings.fall,
        "statement": settings.statement and redact(settings.statement),
    }


def _circuit_breaker(settings: CircuitBreakerSettings | None) -> dict[str, Any] | bool:
    if settings is None:
        return False
    return {
        "threshold": settings.threshold,
        "reset_timeout": write_duration(settings.reset_timeout_s),
        "half_open_successes": settings.half_open_successes,
        "max_reset_timeout": write_duration(settings.max_reset_timeout_s),
    }
