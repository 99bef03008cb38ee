"""One life of a connection, told by one process or by many: the row and the history are the same.

Each process reads the row, decides by its own clocks, and writes after a delay of its own, as commands do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import Circuit, CircuitPolicy, CircuitState, Hold, Instant
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.reducer import (
    Action,
    CallCompleted,
    CheckCompleted,
    CloseRequested,
    ConnectionPolicy,
    ConnectionState,
    HoldRequested,
    TimeElapsed,
    reduce,
)
from omnidb_cli.state.memory import MemoryStore
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.records import decode, encode
from omnidb_cli.state.store import StoredConnection, Update

NOON = 1_800_000_000.0
RULES = CircuitPolicy(True, 2, 30.0, 2, 300.0, lambda: 0.0)

GOOD = CheckCompleted(CheckResult(Health.HEALTHY))
BAD = CheckCompleted(CheckResult(Health.UNHEALTHY, detail="connection refused", kind="refused"))


@dataclass
class Call:
    """A call that the process admits itself, if its circuit lets one through."""

    succeeds: bool


Step = Action | Call

STEPS = st.sampled_from(
    [
        GOOD,
        BAD,
        Call(True),
        Call(False),
        TimeElapsed(),
        CloseRequested("ann"),
        HoldRequested(Hold(20.0)),
        HoldRequested(Hold(actor="ann")),
    ]
)
# No step comes within the grain of a wait's end: who is early by so little may go either way.
STORIES = st.lists(st.tuples(STEPS, st.sampled_from([0.2, 1.0, 7.0, 25.5, 61.3, 400.7])), min_size=1, max_size=25)


class Machine:
    """The wall clock of all processes, and the monotonic clock of one that was started at some time."""

    def __init__(self) -> None:
        self.wall = NOON

    def process(self, origin: float) -> "Process":
        return Process(self, origin)


class TextStore(MemoryStore):
    """Keeps rows as text, and reads them on the clocks of whoever asks: what a file does, without the file."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}

    def seen_by(self, now: Instant) -> StoredConnection | None:
        text = self.texts.get("primary")
        return None if text is None else decode(text, "primary", now)

    def change(self, update: Update, now: Instant) -> None:
        row, events = update(self.seen_by(now))
        self.texts["primary"] = encode(row)
        super().update({}, events)


class Process:
    """One command: it restores, decides as the core does, notes, and writes at its end."""

    def __init__(self, machine: Machine, origin: float) -> None:
        self._machine = machine
        self._origin = origin

    def now(self) -> Instant:
        return Instant(self._machine.wall - NOON + self._origin, self._machine.wall)

    def live(
        self, steps: Sequence[tuple[Step, float]], store: TextStore, settings_: ConnectionPolicy, delay_s: float
    ) -> None:
        recorder = Recorder(store, {"primary": settings_}, {"primary": "f"}, now=self.now, actor=None)
        saved = store.seen_by(self.now())
        memory = ConnectionState() if saved is None else saved.memory
        for step, passed_s in steps:
            self._machine.wall += passed_s
            for given_ in _inputs(step, memory, self.now(), settings_):
                memory = reduce(memory, given_, self.now(), settings_).memory
                recorder.record("primary", given_, self.now())
        self._machine.wall += delay_s
        for update in recorder._updates(recorder._entries).values():
            store.change(update, self.now())


def _inputs(step: Step, memory: ConnectionState, at: Instant, settings_: ConnectionPolicy) -> list[Action]:
    if not isinstance(step, Call):
        return [step]
    acted_on = reduce(memory, TimeElapsed(), at, settings_).memory.circuit
    if acted_on.held or acted_on.state is CircuitState.OPEN:
        return [TimeElapsed()]
    return [TimeElapsed(), CallCompleted(step.succeeds, acted_on.generation)]


def lived(
    story: Sequence[tuple[Step, float]], cuts: set[int], settings_: ConnectionPolicy, delay_s: float
) -> TextStore:
    machine, store = Machine(), TextStore()
    part: list[tuple[Step, float]] = []
    for index, step in enumerate(story):
        part.append(step)
        if index in cuts or index == len(story) - 1:
            machine.process(origin=1000.0 * (index + 1)).live(part, store, settings_, delay_s)
            machine.wall -= delay_s  # the next step comes when it comes, however slow the disk was
            part = []
    return store


def without_clocks(circuit: Circuit) -> tuple[object, ...]:
    return (
        replace(circuit, deadline=None, hold_deadline=None, opened_at=None, held_until=None),
        circuit.opened_at and round(circuit.opened_at, 3),
        circuit.held_until and round(circuit.held_until, 3),
    )


@settings(max_examples=300)
@given(
    STORIES,
    st.sets(st.integers(0, 24)),
    st.sampled_from([0.0, 0.001, 0.1]),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_any_split_over_processes_leaves_the_row_and_history_of_one(
    story: list[tuple[Step, float]], cuts: set[int], delay_s: float, rise: int, fall: int
) -> None:
    settings_ = ConnectionPolicy(RULES, rise, fall)
    one, many = (lived(story, where, settings_, delay_s) for where in (set[int](), cuts))
    at = Instant(0.0, NOON + 1e6)
    ours, theirs = one.seen_by(at), many.seen_by(at)
    assert ours is not None
    assert theirs is not None
    assert theirs.memory.health == ours.memory.health
    assert without_clocks(theirs.memory.circuit) == without_clocks(ours.memory.circuit)
    assert [told.event for told in many.events()] == [told.event for told in one.events()]


def test_a_hold_that_ran_out_between_commands_is_closed_by_two_passing_checks() -> None:
    machine, store, settings_ = Machine(), TextStore(), ConnectionPolicy(RULES)
    for step, passed_s in [(HoldRequested(Hold(1.0)), 0.0), (GOOD, 1.2), (GOOD, 1.0)]:
        machine.process(origin=passed_s * 777).live([(step, passed_s)], store, settings_, 0.003)
    saved = store.seen_by(Instant(0.0, machine.wall))
    assert saved is not None
    assert saved.memory.circuit.state is CircuitState.CLOSED
    assert [told.event.type.value for told in store.events()] == [
        *("circuit:open", "circuit:half-open", "health:changed", "circuit:close"),
    ] or [told.event.type.value for told in store.events()] == [
        *("circuit:open", "health:changed", "circuit:half-open", "circuit:close"),
    ]


@pytest.mark.parametrize("succeeds", [True, False])
def test_what_calls_opened_is_proved_or_reopened_by_trial_calls_of_other_commands(succeeds: bool) -> None:
    machine, store, settings_ = Machine(), TextStore(), ConnectionPolicy(RULES)
    story: list[tuple[Step, float]] = [
        (Call(False), 0.0),
        (Call(False), 0.1),
        (Call(succeeds), 31.0),
        (Call(True), 1.0),
    ]
    for number, (step, passed_s) in enumerate(story):
        machine.process(origin=5000.0 * number).live([(step, passed_s)], store, settings_, 0.003)
    saved = store.seen_by(Instant(0.0, machine.wall))
    assert saved is not None
    circuit = saved.memory.circuit
    if succeeds:
        assert (circuit.state, circuit.reason) == (CircuitState.CLOSED, "trials-succeeded")
    else:
        assert (circuit.state, circuit.wait_s) == (CircuitState.OPEN, 60.0)
