"""The codec: what is written comes back, clocks that jump are survived, and what is not ours is refused."""

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import (
    CLOSED,
    Circuit,
    CircuitState,
    Hold,
    Instant,
    OpenedBy,
    Trigger,
    state_at,
    transition,
)
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.health.model import CheckError, Health, HealthRecord
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.records import decode, decode_event, encode, encode_event, microseconds
from omnidb_cli.state.store import StoredConnection

NOON = 1_800_000_000.0
RULES = CircuitBreakerConfig().rules(jitter=lambda: 0.0)

texts = st.none() | st.text(max_size=20)
walls = st.floats(0, NOON)
causes = st.sampled_from([cause for cause in Trigger if cause is not Trigger.HELD])
holds = st.builds(Hold, st.none() | st.floats(0.1, 86400), texts, texts)


@st.composite
def circuits(draw: st.DrawFn, until: Instant) -> Circuit:
    """A circuit that really comes about: by the core's own steps, at times up to `until`."""
    circuit = CLOSED
    ages = sorted(draw(st.lists(st.floats(0, 10_000), max_size=12)), reverse=True)
    for age in ages:
        at = Instant(until.clock - age, until.wall - age)
        if draw(st.booleans()):
            circuit = transition(circuit, draw(causes), at, RULES)
        else:
            circuit = transition(circuit, Trigger.HELD, at, RULES, draw(holds))
    return circuit


records = st.builds(
    HealthRecord,
    health=st.sampled_from(Health),
    consecutive_successes=st.integers(0, 10**6),
    consecutive_failures=st.integers(0, 10**6),
    checked_at=st.none() | walls,
    latency_s=st.none() | st.floats(0, 100),
    role=st.sampled_from([None, "primary", "replica"]),
    lag_s=st.none() | st.floats(-5, 1e6),
    fault=st.none() | st.builds(CheckError, st.text(max_size=10), st.text(max_size=40), texts),
    since=st.none() | walls,
    writable=st.none() | st.booleans(),
    position=texts,
    not_made=st.none(),  # it is this host's own, and not written
)
HERE = Instant(clock=5_000_000.0, wall=NOON)
rows = st.builds(
    StoredConnection,
    st.builds(ConnectionState, records, circuits(HERE)),
    st.text(max_size=10),
    texts,
    st.booleans(),
    st.none() | walls,
    st.none() | walls,
    st.none() | walls,
)


def without_deadlines(saved: StoredConnection) -> StoredConnection:
    circuit = replace(saved.state.circuit, deadline=None, hold_deadline=None)
    return replace(saved, state=replace(saved.state, circuit=circuit))


@given(rows)
def test_what_is_written_comes_back(saved: StoredConnection) -> None:
    back = decode(encode(saved), "primary", HERE)
    assert without_deadlines(back) == without_deadlines(saved)
    for written, read in (
        (saved.state.circuit.deadline, back.state.circuit.deadline),
        (saved.state.circuit.hold_deadline, back.state.circuit.hold_deadline),
    ):
        assert (written is None) is (read is None)
        if written is not None and read is not None:
            assert read == pytest.approx(written, abs=1e-3)


@given(rows, st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_no_jump_of_the_clock_makes_a_wait_longer_than_it_was(
    saved: StoredConnection, jump_s: float, clock: float
) -> None:
    there = Instant(clock, NOON + jump_s)
    circuit = decode(encode(saved), "primary", there).state.circuit
    if circuit.deadline is not None:
        assert circuit.deadline <= clock + (circuit.wait_s or 0) + 1e-3
    if circuit.hold_deadline is not None:
        assert circuit.hold_deadline <= clock + (circuit.hold_s or 0) + 1e-3
        early_s = (saved.state.circuit.hold_deadline or 0) - HERE.clock - (circuit.hold_deadline - clock)
        assert early_s <= abs(jump_s) + 1e-3  # never early by more than the jump


@given(rows, st.floats(0, 1e6))
def test_reading_later_moves_no_end_to_the_reader(saved: StoredConnection, later_s: float) -> None:
    """What came after an end still comes after it when the row is read, however late (semantics, Circuit 11)."""
    there = Instant(HERE.clock + later_s, HERE.wall + later_s)
    circuit, read = saved.state.circuit, decode(encode(saved), "primary", there).state.circuit
    for end, read_end in ((circuit.deadline, read.deadline), (circuit.hold_deadline, read.hold_deadline)):
        assert read_end == (None if end is None else pytest.approx(end, abs=1e-3))


def test_a_circuit_opened_in_the_future_ends_once_it_was_written_again() -> None:
    opened = transition(CLOSED, Trigger.TRIPPED, Instant(100.0, NOON), RULES)
    years_back = NOON - 1e8
    text = encode(
        decode(encode(StoredConnection(ConnectionState(circuit=opened), "f")), "primary", Instant(0.0, years_back))
    )
    later = Instant(7.0, years_back + 31)
    assert state_at(decode(text, "primary", later).state.circuit, later.clock, RULES) is CircuitState.HALF_OPEN


def test_the_wait_goes_on_where_it_was_on_another_clock() -> None:
    opened = transition(CLOSED, Trigger.TRIPPED, Instant(100.0, NOON), RULES)
    back = decode(
        encode(StoredConnection(ConnectionState(circuit=opened), "f")), "primary", Instant(3.0, NOON + 12)
    ).state.circuit
    assert back.deadline == pytest.approx(3.0 + 18)
    assert back.generation == opened.generation
    assert back.origin is OpenedBy.CALLS


def test_no_deadline_of_this_process_is_written() -> None:
    opened = transition(CLOSED, Trigger.HELD, Instant(123456.75, NOON), RULES, Hold(60))
    assert "123456" not in encode(StoredConnection(ConnectionState(circuit=opened), "f"))
    assert "123516" not in encode(StoredConnection(ConnectionState(circuit=opened), "f"))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e300])
def test_a_measurement_that_is_no_number_does_not_spoil_the_row(number: float) -> None:
    record = HealthRecord(Health.HEALTHY, latency_s=number, lag_s=number)
    back = decode(encode(StoredConnection(ConnectionState(record), "f")), "primary", HERE).state.health
    assert (back.latency_s, back.lag_s) == (None, None)


def test_a_reason_in_another_encoding_survives() -> None:
    circuit = transition(CLOSED, Trigger.HELD, HERE, RULES, Hold(note="gr\udcfcn \x00 ✓", actor="müller"))
    text = encode(StoredConnection(ConnectionState(circuit=circuit), "f"))
    assert text.isascii()
    assert decode(text, "primary", HERE).state.circuit.note == "gr\udcfcn \x00 ✓"


WHOLE = json.loads(encode(StoredConnection(ConnectionState(), "f")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        json.dumps({**WHOLE, "colour": "red"}),
        json.dumps({key: value for key, value in WHOLE.items() if key != "fingerprint"}),
        json.dumps({**WHOLE, "serving_known": 1}),
        json.dumps({**WHOLE, "eligible_since": -1}),
        json.dumps({**WHOLE, "health": {"health": "splendid"}}),
        json.dumps({**WHOLE, "health": {"consecutive_successes": True}}),
        json.dumps({**WHOLE, "health": {"consecutive_successes": 1.5}}),
        json.dumps({**WHOLE, "health": {"checked_at": 1e300}}),
        json.dumps({**WHOLE, "health": {"fault": {"kind": "dns"}}}),
        json.dumps({**WHOLE, "circuit": {"state": "disabled"}}),
        json.dumps({**WHOLE, "circuit": {"state": "ajar"}}),
        json.dumps({**WHOLE, "circuit": {"state": "open", "origin": "calls"}}),
        json.dumps({**WHOLE, "circuit": {"state": "open", "opened_at": 1, "wait_s": 1e9}}),
        json.dumps({**WHOLE, "circuit": {"held": True, "hold_s": 5}}),
        json.dumps({**WHOLE, "circuit": {"origin": "fate"}}),
        json.dumps({**WHOLE, "circuit": {"deadline": 5}}),
        json.dumps({**WHOLE, "circuit": {"opened_at": math.nan}}),
        json.dumps({**WHOLE, "circuit": []}),
        encode(StoredConnection(ConnectionState(), "f")).replace("null", "1e999"),
    ],
)
def test_what_is_not_ours_is_refused_and_the_row_named(text: str) -> None:
    with pytest.raises(StateStoreError, match='"primary"') as caught:
        decode(text, "primary", HERE)
    assert caught.value.hint


@given(
    st.builds(
        Event,
        st.sampled_from(EventType),
        st.none() | st.text(max_size=10),
        st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
        reason=texts,
        actor=texts,
        note=texts,
        previous=texts,
        current=texts,
        primary=texts,
        backup=texts,
        error=texts,
        detail=st.dictionaries(st.sampled_from(["kind", "message", "lost"]), st.integers() | st.text(max_size=5)),
    )
)
def test_an_event_comes_back(event: Event) -> None:
    text = encode_event(event)
    assert decode_event(text, 1, kind=event.type, name=event.name, at_us=microseconds(event.at)) == event


def test_an_event_that_carries_an_exception_comes_back_with_its_words() -> None:
    event = Event(EventType.ERROR, "primary", datetime.now(UTC), error=TimeoutError())
    back = decode_event(encode_event(event), 1, kind="error", name="primary", at_us=microseconds(event.at))
    assert back.error == "TimeoutError"


@pytest.mark.parametrize(
    ("text", "kind"), [("{", "error"), ('{"reason":null}', "error"), ("", "error"), ("{}", "error")]
)
def test_a_garbled_event_is_refused_by_its_number(text: str, kind: str) -> None:
    with pytest.raises(StateStoreError, match="event 17"):
        decode_event(text, 17, kind=kind, name=None, at_us=0)
