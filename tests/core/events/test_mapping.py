"""Events made from changes, and the event object of machine output."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from omnidb_cli.core.circuit.model import CircuitState, Reason
from omnidb_cli.core.events.mapping import event_object, event_of
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.health.model import CheckError, Health
from omnidb_cli.core.reducer import CircuitChange, HealthChange

AT = 1_795_000_000.123456


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (CircuitState.OPEN, EventType.CIRCUIT_OPEN),
        (CircuitState.HALF_OPEN, EventType.CIRCUIT_HALF_OPEN),
        (CircuitState.CLOSED, EventType.CIRCUIT_CLOSE),
        (CircuitState.DISABLED, EventType.CIRCUIT_CLOSE),
    ],
)
def test_a_circuit_event_is_named_by_where_it_leads(current: CircuitState, expected: EventType) -> None:
    change = CircuitChange(CircuitState.CLOSED, current, Reason.MANUAL, "maintenance", "ann@ops")
    event = event_of("replica", change, AT)
    assert event.type is expected
    assert (event.name, event.reason, event.note, event.actor) == ("replica", "manual", "maintenance", "ann@ops")
    assert (event.previous, event.current) == ("closed", current.value)
    assert event.at == datetime.fromtimestamp(AT, UTC)


def test_a_health_event_carries_the_fault() -> None:
    event = event_of(
        "primary", HealthChange(Health.HEALTHY, Health.UNHEALTHY, CheckError("refused", "no listener")), AT
    )
    assert event.type is EventType.HEALTH_CHANGED
    assert (event.previous, event.current, event.error) == ("healthy", "unhealthy", "no listener")
    assert event.detail == {"kind": "refused", "message": "no listener"}


def test_a_recovery_carries_none() -> None:
    event = event_of("primary", HealthChange(Health.UNHEALTHY, Health.HEALTHY, None), AT)
    assert (event.reason, event.error, event.detail) == (None, None, {})


def test_the_event_object_has_the_keys_of_the_contract() -> None:
    change = CircuitChange(CircuitState.CLOSED, CircuitState.OPEN, Reason.MANUAL, "disk swap", "ann@ops")
    assert event_object(event_of("replica", change, AT), 17) == {
        "schema": "omnidb.event/v1",
        "id": 17,
        "at": "2026-11-18T11:06:40.123456Z",
        "type": "circuit:open",
        "name": "replica",
        "reason": "manual",
        "actor": "ann@ops",
        "detail": {"previous": "closed", "current": "open", "note": "disk swap"},
    }


def test_times_are_utc_and_an_exception_is_its_words() -> None:
    at = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    event = Event(EventType.ERROR, None, at, error=ValueError("odd"), detail={"lost": 3})
    shown = event_object(event)
    assert (shown["id"], shown["at"]) == (None, "2026-11-23T07:30:00.000000Z")
    assert shown["detail"] == {"lost": 3, "error": "odd"}
