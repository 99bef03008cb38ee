"""How a row and an event are written down: JSON text with wall-clock times, read back with suspicion.

In the row every time is Unix seconds; a process waits on its monotonic clock. Reading sets the ends of waits and
holds to that clock. What is over lies in the past there, as far as it does on the wall: a check or a call that came
after the end, and is replayed on the row later, still comes after it. What is ahead is at most the whole wait away, so
a wall clock that was set back keeps no circuit open for ever (semantics, Circuit 11).
"""

from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import asdict, replace

from omnidb_cli.core.announce import event_detail
from omnidb_cli.core.circuit import CLOSED, Circuit, CircuitState, Moment, Origin
from omnidb_cli.core.endpoint import Memory
from omnidb_cli.core.events import Event, EventType
from omnidb_cli.core.health import NEVER_OBSERVED, Fault, Health, HealthRecord
from omnidb_cli.duration import LONGEST_S
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state._fields import (
    DECODER,
    ENCODER,
    Accepts,
    GarbledError,
    count,
    flag,
    mapping,
    measure_or_none,
    part,
    text,
    text_or_none,
    time_or_none,
    whole,
)
from omnidb_cli.state.store import Saved

_Kept = HealthRecord | Circuit

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SAVED_STATES: Final = {
    state.value: state for state in (CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN)
}


def _saved_state(value: object) -> bool:
    return type(value) is str and value in _SAVED_STATES


_ROW: Final[Mapping[str, Accepts]] = {
    "fingerprint": text,
    "serving": text_or_none,
    "serving_known": flag,
    "eligible_since": time_or_none,
    "split_since": time_or_none,
    "moved_at": time_or_none,
    "health": mapping,
    "circuit": mapping,
}
_HEALTH: Final[Mapping[str, Accepts]] = {
    "health": text,
    "good": count,
    "bad": count,
    "checked_at": time_or_none,
    "latency_s": measure_or_none,
    "role": text_or_none,
    "lag_s": measure_or_none,
    "fault": mapping,
    "since": time_or_none,
    "writable": flag,
    "position": text,
}
_FAULT: Final[Mapping[str, Accepts]] = {"kind": text, "message": text, "progress": text_or_none}
_CIRCUIT: Final[Mapping[str, Accepts]] = {
    "state": _saved_state,
    "origin": text,
    "reason": text_or_none,
    "actor": text_or_none,
    "failures": count,
    "successes": count,
    "opened_at": time_or_none,
    "wait_s": time_or_none,
    "trips": count,
    "held": flag,
    "note": text_or_none,
    "hold_s": time_or_none,
    "held_until": time_or_none,
    "generation": count,
}
_EVENT: Final[Mapping[str, Accepts]] = {"reason": text_or_none, "actor": text_or_none, "detail": mapping}
_EVENT_FIELDS: Final = ("previous", "current", "primary", "backup", "error", "note")


def encode(saved: Saved) -> str:
    """The row as JSON text. Of health and circuit only what differs from a connection that nobody has seen yet."""
    health, circuit = saved.memory.health, saved.memory.circuit
    measured = replace(health, latency_s=_measure(health.latency_s), lag_s=_measure(health.lag_s))
    record = _differences(measured, NEVER_OBSERVED, _HEALTH)
    if health.fault is not None:
        record["fault"] = asdict(health.fault)
    return ENCODER.encode(
        {
            "fingerprint": saved.fingerprint,
            "serving": saved.serving,
            "serving_known": saved.serving_known,
            "eligible_since": saved.eligible_since,
            "split_since": saved.split_since,
            "moved_at": saved.moved_at,
            "health": record,
            "circuit": _differences(circuit, CLOSED, _CIRCUIT),
        }
    )


def _differences(value: _Kept, fresh: _Kept, fields: Container[str]) -> dict[str, Any]:
    if value == fresh:
        return {}
    return {
        field: found for field, found in asdict(value).items() if field in fields and found != getattr(fresh, field)
    }


def decode(text: str, name: str, at: Moment) -> Saved:
    """The row of connection `name`, its waits set to the clock of `at`.

    Raises StateStoreError, naming the row, for anything that `encode` does not write.
    """
    try:
        row = whole(DECODER.decode(text), _ROW)
        return Saved(
            Memory(_health(row["health"]), _circuit(row["circuit"], at)),
            row["fingerprint"],
            row["serving"],
            row["serving_known"],
            _not_after(row["eligible_since"], at),
            _not_after(row["split_since"], at),
            _not_after(row["moved_at"], at),
        )
    except (GarbledError, ValueError, RecursionError) as error:
        raise StateStoreError(
            f'the saved state of "{name}" cannot be read: {error}', hint="`omnidb state reset` starts anew"
        ) from error


def encode_event(event: Event) -> str:
    """What of an event is not a column of its own: reason, actor and detail, as JSON text."""
    return ENCODER.encode({"reason": event.reason, "actor": event.actor, "detail": event_detail(event)})


def decode_event(text: str, number: int, *, kind: str, name: str | None, at_us: int) -> Event:
    """Event `number` of the history. Raises StateStoreError for what `encode_event` does not write."""
    try:
        record = whole(DECODER.decode(text), _EVENT)
        detail = record["detail"]
        known = {key: detail.pop(key) for key in _EVENT_FIELDS if isinstance(detail.get(key), str)}
        return Event(
            EventType(kind),
            name,
            from_microseconds(at_us),
            reason=record["reason"],
            actor=record["actor"],
            **known,
            detail=detail,
        )
    except (GarbledError, ValueError, OverflowError, RecursionError) as error:
        raise StateStoreError(
            f"event {number} of the history cannot be read: {error}", hint="`omnidb state reset` starts anew"
        ) from error


def microseconds(at: datetime) -> int:
    """Unix time in whole microseconds, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(at_us: int) -> datetime:
    """The aware UTC datetime of a Unix time in microseconds."""
    return _EPOCH + timedelta(microseconds=at_us)


def _health(value: Any) -> HealthRecord:
    record = part(value, _HEALTH)
    if "health" in record:
        record["health"] = Health(record["health"])
    if "fault" in record:
        record["fault"] = Fault(**whole(record["fault"], _FAULT))
    return HealthRecord(**record)


def _circuit(value: Any, at: Moment) -> Circuit:
    record = part(value, _CIRCUIT)
    if not record:
        return CLOSED
    if "state" in record:
        record["state"] = _SAVED_STATES[record["state"]]
    if "origin" in record:
        record["origin"] = Origin(record["origin"])
    return _on_this_clock(Circuit(**record), at)


def _on_this_clock(circuit: Circuit, at: Moment) -> Circuit:
    """The circuit with its ends on `at.clock`. A beginning that lies ahead is from before the clock was set back."""
    opened_at, wait_s, hold_s = _not_after(circuit.opened_at, at), circuit.wait_s, circuit.hold_s
    deadline = held_until = hold_deadline = None
    if circuit.state is CircuitState.OPEN and not circuit.held and circuit.origin is not Origin.HEALTH:
        if opened_at is None or wait_s is None or wait_s > 2 * LONGEST_S:
            raise GarbledError("an open circuit without a wait")
        deadline = at.clock + min(opened_at + wait_s - at.wall, wait_s)
    if hold_s is not None:
        if circuit.held_until is None:
            raise GarbledError("a hold with half a time limit")
        held_until = min(circuit.held_until, at.wall + hold_s)
        hold_deadline = at.clock + held_until - at.wall
    return replace(circuit, opened_at=opened_at, deadline=deadline, held_until=held_until, hold_deadline=hold_deadline)


def _not_after(wall: float | None, at: Moment) -> float | None:
    """A time that lies ahead was written before the clock was set back: counted from now it ends some day."""
    return None if wall is None else min(wall, at.wall)


def _measure(number: float | None) -> float | None:
    """A measurement, or None for one that no number can stand for (NaN, infinity)."""
    return number if measure_or_none(number) else None
