"""The conditions of `watch --until`. Pure: what is true of a snapshot."""

from collections.abc import Callable, Collection
from functools import partial

import typer

from omnidb_cli.cli.errors import suggestion
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import Snapshot

Condition = Callable[[Snapshot], bool]

_STATES = (Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY)
_WORDS = ("healthy", "failover", "recovery")
_FORMS = "healthy, failover, recovery or NAME=healthy|degraded|unhealthy"


def condition(text: str, names: Collection[str]) -> Condition:
    """What `text` asks for. Raises a usage error for what is no condition, or names no connection that is shown."""
    match text:
        case "healthy":
            return all_healthy
        case "failover":
            return lambda snapshot: any(one.route.failover for one in snapshot.connections)
        case "recovery":
            return all_serve_themselves
    name, equals, state = text.rpartition("=")
    if not equals or state not in _STATES:
        near = suggestion(text, (*_WORDS, *(f"{one}={health}" for one in names for health in _STATES)))
        raise typer.BadParameter(f"{text!r} is no condition{near} (use {_FORMS})", param_hint="'--until'")
    if name not in names:
        from omnidb_cli.errors import UnknownConnectionError

        raise UnknownConnectionError(name, tuple(names))
    return partial(_has_health, name, Health(state))


def all_healthy(snapshot: Snapshot) -> bool:
    """Every connection is healthy."""
    return all(one.health is Health.HEALTHY for one in snapshot.connections)


def all_serve_themselves(snapshot: Snapshot) -> bool:
    """Every connection serves itself: whatever had failed over is back."""
    return all(one.route.serving == one.name for one in snapshot.connections)


def _has_health(name: str, health: Health, snapshot: Snapshot) -> bool:
    return any(one.name == name and one.health is health for one in snapshot.connections)
