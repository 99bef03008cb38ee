"""How a row and an event are written down: JSON text with wall-clock times, read back with suspicion.

In the row every time is Unix seconds; a process waits on its monotonic clock. Reading sets the ends of waits and
holds to that clock. What is over lies in the past there, as far as it does on the wall: a check or a call that came
after the end, and is replayed on the row later, still comes after it. What is ahead is at most the whole wait away, so
a wall clock that was set back keeps no circuit open for ever (semantics, Circuit 11).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NoReturn

from msgspec import Meta, Struct, ValidationError, convert, to_builtins
from msgspec.structs import asdict, replace

from omnidb_cli.core.circuit.model import CLOSED, Circuit, CircuitState, Instant, OpenedBy
from omnidb_cli.core.events.mapping import event_detail
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.health.model import CheckError, Health, HealthRecord
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.duration import LONGEST_S
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.store import StoredConnection

_YEAR_10000_S: Final = 253402300800.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Count = Annotated[int, Meta(ge=0)]
_Time = Annotated[float, Meta(ge=0, lt=_YEAR_10000_S)]
_Measure = Annotated[float, Meta(gt=-_YEAR_10000_S, lt=_YEAR_10000_S)]


class MalformedRecordError(Exception):
    """What was read is not what `encode` or `encode_event` writes."""


class _Health(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a `HealthRecord`; `not_made` is about this process alone."""

    health: Health = Health.UNKNOWN
    good: _Count = 0
    bad: _Count = 0
    checked_at: _Time | None = None
    latency_s: _Measure | None = None
    role: str | None = None
    lag_s: _Measure | None = None
    fault: CheckError | None = None
    since: _Time | None = None
    writable: bool | None = None
    position: str | None = None


class _Circuit(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a `Circuit`; its ends are worked out anew on the clock of whoever reads it."""

    state: CircuitState = CircuitState.CLOSED
    origin: OpenedBy | None = None
    reason: str | None = None
    actor: str | None = None
    failures: _Count = 0
    successes: _Count = 0
    opened_at: _Time | None = None
    wait_s: _Time | None = None
    trips: _Count = 0
    held: bool = False
    note: str | None = None
    hold_s: _Time | None = None
    held_until: _Time | None = None
    generation: _Count = 0


class _Row(Struct, forbid_unknown_fields=True):
    fingerprint: str
    serving: str | None
    serving_known: bool
    eligible_since: _Time | None
    split_since: _Time | None
    moved_at: _Time | None
    health: _Health
    circuit: _Circuit


class _EventText(Struct, forbid_unknown_fields=True):
    reason: str | None
    actor: str | None
    detail: dict[str, Any]


_EVENT_FIELDS: Final = ("previous", "current", "primary", "backup", "error", "note")
_RESET: Final = "`omnidb state reset` backs it up and begins with an empty state"
_UNTOUCHED: Final = _Circuit()


def _refuse(word: str) -> NoReturn:
    raise MalformedRecordError(f"the number {word}")


# ASCII only, and not by msgspec: a reason typed in another encoding (a lone surrogate in Python) must not make a row
# unwritable.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=str)
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


def encode(saved: StoredConnection) -> str:
    """The row as JSON text. Of health and circuit only what differs from a connection that was never checked."""
    health = saved.memory.health
    measured = replace(health, latency_s=_measure(health.latency_s), lag_s=_measure(health.lag_s))
    row = _Row(
        saved.fingerprint,
        saved.serving,
        saved.serving_known,
        saved.eligible_since,
        saved.split_since,
        saved.moved_at,
        convert(measured, _Health, from_attributes=True),
        convert(saved.memory.circuit, _Circuit, from_attributes=True),
    )
    return _ENCODER.encode(to_builtins(row))


def decode(text: str, name: str, at: Instant) -> StoredConnection:
    """The row of connection `name`, its waits set to the clock of `at`.

    Raises StateStoreError, naming the row, for anything that `encode` does not write.
    """
    try:
        row = convert(_DECODER.decode(text), _Row)
        return StoredConnection(
            ConnectionState(HealthRecord(**asdict(row.health)), _on_this_clock(row.circuit, at)),
            row.fingerprint,
            row.serving,
            row.serving_known,
            _not_after(row.eligible_since, at),
            _not_after(row.split_since, at),
            _not_after(row.moved_at, at),
        )
    except (MalformedRecordError, ValidationError, ValueError, RecursionError) as error:
        raise StateStoreError(f'the saved state of "{name}" cannot be read: {error}', hint=_RESET) from error


def encode_event(event: Event) -> str:
    """What of an event is not a column of its own: reason, actor and detail, as JSON text."""
    return _ENCODER.encode({"reason": event.reason, "actor": event.actor, "detail": event_detail(event)})


def decode_event(text: str, number: int, *, kind: str, name: str | None, at_us: int) -> Event:
    """Event `number` of the history. Raises StateStoreError for what `encode_event` does not write."""
    try:
        record = convert(_DECODER.decode(text), _EventText)
        detail = record.detail
        known = {key: detail.pop(key) for key in _EVENT_FIELDS if isinstance(detail.get(key), str)}
        return Event(
            EventType(kind),
            name,
            from_microseconds(at_us),
            reason=record.reason,
            actor=record.actor,
            **known,
            detail=detail,
        )
    except (MalformedRecordError, ValidationError, ValueError, OverflowError, RecursionError) as error:
        raise StateStoreError(f"event {number} of the history cannot be read: {error}", hint=_RESET) from error


def microseconds(at: datetime) -> int:
    """Unix time in whole microseconds, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(at_us: int) -> datetime:
    """The aware UTC datetime of a Unix time in microseconds."""
    return _EPOCH + timedelta(microseconds=at_us)


def _on_this_clock(saved: _Circuit, at: Instant) -> Circuit:
    """The circuit with its ends on `at.clock`. A beginning that lies ahead is from before the clock was set back."""
    if saved == _UNTOUCHED:
        return CLOSED
    if saved.state is CircuitState.DISABLED:
        raise MalformedRecordError("disabled is a setting, and no state of a circuit")
    circuit = Circuit(**asdict(saved))
    opened_at, wait_s, hold_s = _not_after(circuit.opened_at, at), circuit.wait_s, circuit.hold_s
    deadline = held_until = hold_deadline = None
    if circuit.state is CircuitState.OPEN and not circuit.held and circuit.origin is not OpenedBy.HEALTH:
        if opened_at is None or wait_s is None or wait_s > 2 * LONGEST_S:
            raise MalformedRecordError("an open circuit without a wait")
        deadline = at.clock + min(opened_at + wait_s - at.wall, wait_s)
    if hold_s is not None:
        if circuit.held_until is None:
            raise MalformedRecordError("a hold with half a time limit")
        held_until = min(circuit.held_until, at.wall + hold_s)
        hold_deadline = at.clock + held_until - at.wall
    return replace(circuit, opened_at=opened_at, deadline=deadline, held_until=held_until, hold_deadline=hold_deadline)


def _not_after(wall: float | None, at: Instant) -> float | None:
    """A time that lies ahead was written before the clock was set back: counted from now it ends some day."""
    return None if wall is None else min(wall, at.wall)


def _measure(number: float | None) -> float | None:
    """A measurement, or None for one that no number can stand for (NaN, infinity)."""
    return number if number is not None and -_YEAR_10000_S < number < _YEAR_10000_S else None
