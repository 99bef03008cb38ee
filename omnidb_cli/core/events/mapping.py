"""How changes are told: as events, and to a journal that other processes read."""

from datetime import UTC, datetime
from typing import Any, Protocol

from omnidb_cli.core.circuit.model import CircuitState, Instant
from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.reducer import Action, Change, HealthChange, HoldChange
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.core.snapshot import SplitBrain

EVENT_SCHEMA = "omnidb.event/v1"

_CIRCUIT_EVENTS = {
    CircuitState.OPEN: EventType.CIRCUIT_OPEN,
    CircuitState.HALF_OPEN: EventType.CIRCUIT_HALF_OPEN,
    CircuitState.CLOSED: EventType.CIRCUIT_CLOSE,
    CircuitState.DISABLED: EventType.CIRCUIT_CLOSE,
}


def event_of(name: str, change: Change, at_wall: float) -> Event:
    """The event that tells of `change` on connection `name` at `at_wall` (Unix time)."""
    match change:
        case HealthChange():
            return _health_event(name, change, utc(at_wall))
        case HoldChange():
            return _hold_event(name, change, utc(at_wall))
    return Event(
        _CIRCUIT_EVENTS[change.current],
        name,
        utc(at_wall),
        reason=change.reason and str(change.reason),
        actor=change.actor,
        note=change.note,
        previous=change.previous.value,
        current=change.current.value,
    )


def _health_event(name: str, change: HealthChange, at: datetime) -> Event:
    fault = change.fault
    return Event(
        EventType.HEALTH_CHANGED,
        name,
        at,
        reason=str(fault.kind) if fault else None,
        previous=change.previous.value,
        current=change.current.value,
        error=fault.sentence if fault else None,
        detail={"kind": str(fault.kind), "message": fault.sentence} if fault else {},
    )


def _hold_event(name: str, change: HoldChange, at: datetime) -> Event:
    until = None if change.held_until is None else rfc3339(utc(change.held_until))
    return Event(
        EventType.HOLD_CHANGED,
        name,
        at,
        reason="manual",
        actor=change.actor,
        note=change.note,
        detail={"held_until": until},
    )


def split_brain_event(split: SplitBrain, at_wall: float) -> Event:
    """The event that a split brain began, told under the name of its route's primary."""
    return Event(
        EventType.SPLIT_BRAIN,
        split.requested,
        utc(at_wall),
        reason=split.sentence,
        primary=split.primary,
        detail={"replicas": list(split.replicas)},
    )


def rfc3339(at: datetime) -> str:
    """An aware datetime as machine output has it: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def event_object(event: Event, number: int | None = None) -> dict[str, Any]:
    """The `omnidb.event/v1` object (design, section 4). `number` is its id in the history, None for one just heard."""
    return {
        "schema": EVENT_SCHEMA,
        "id": number,
        "at": rfc3339(event.at),
        "type": event.type.value,
        "name": event.name,
        "reason": event.reason,
        "actor": event.actor,
        "detail": event_detail(event),
    }


def event_detail(event: Event) -> dict[str, Any]:
    """What belongs to its type: previous, current, primary, backup, error and note where set, and its own detail."""
    known = {
        "previous": event.previous,
        "current": event.current,
        "primary": event.primary,
        "backup": event.backup,
        "error": _words(event.error),
        "note": event.note,
    }
    return {**event.detail, **{key: value for key, value in known.items() if value is not None}}


def _words(error: BaseException | str | None) -> str | None:
    if isinstance(error, BaseException):
        return str(error) or type(error).__name__
    return error


class Journal(Protocol):
    """Who writes down what happens, so that other processes learn of it. Every method is quick and never waits."""

    def record(self, name: str, given: Action, at: Instant) -> None: ...
    def routed(self, name: str, serving: Assignment, events: tuple[Event, ...]) -> None: ...
    def published(self, event: Event) -> None: ...
