"""The recorder: what several processes see of one connection becomes one row and one history."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from omnidb_cli.core.circuit.model import CircuitState, Hold, OpenedBy
from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.reducer import CallCompleted, CheckCompleted, CloseRequested, HoldRequested, TimeElapsed
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.errors import StateStoreError, UnknownConnectionError
from omnidb_cli.state import recorder as recorder_file
from omnidb_cli.state.memory import MemoryStore
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite.store import SqliteStore

GOOD = CheckCompleted(CheckResult(Health.HEALTHY))
BAD = CheckCompleted(CheckResult(Health.UNHEALTHY, detail="connection refused", kind="refused"))
FAILED = CallCompleted(succeeded=False, generation=0)

NOON = 1_800_000_000.0

Opener = Callable[[], SqliteStore]
Maker = Callable[..., Recorder]


def types(store: SqliteStore) -> Sequence[str]:
    return [one.event.type.value for one in store.events()]


def failover(clock: Any, backup: str = "replica") -> Event:
    return Event(EventType.FAILOVER, "primary", utc(clock.wall), primary="primary", backup=backup)


def split_brain(clock: Any) -> Event:
    return Event(EventType.SPLIT_BRAIN, "primary", utc(clock.wall), primary="primary")


def recovery(clock: Any) -> Event:
    return Event(EventType.RECOVERY, "primary", utc(clock.wall), primary="primary", backup="replica")


def test_nothing_happened_nothing_is_touched(store: SqliteStore, path: Any, recorder_on: Maker) -> None:
    assert recorder_on(store).flush() == {}
    assert recorder_on(store).restore() == {}
    assert not path.parent.exists()


def test_a_bad_check_is_one_row_and_its_events_in_order(store: SqliteStore, recorder_on: Maker, clock: Any) -> None:
    recorder = recorder_on(store)
    recorder.record("primary", BAD, clock())
    rows = recorder.flush()
    memory = rows["primary"].memory
    assert (memory.health.health, memory.circuit.state, memory.circuit.origin) == (
        Health.UNHEALTHY,
        CircuitState.OPEN,
        OpenedBy.HEALTH,
    )
    changed, opened = (one.event for one in store.events())
    assert (changed.type, changed.current, changed.error) == ("health:changed", "unhealthy", "connection refused")
    assert (opened.type, opened.reason, opened.at) == ("circuit:open", "health-check-failed", utc(clock.wall))
    assert recorder_on(store).restore() == rows
    assert recorder.flush() == {}


def test_five_failing_calls_of_five_processes_trip_once(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    everybody = [recorder_on(open_shop()) for _ in range(7)]
    for recorder in everybody:
        recorder.restore()
        recorder.record("primary", FAILED, clock.advance(0.1))
    for recorder in everybody:
        rows = recorder.flush()
    circuit = rows["primary"].memory.circuit
    assert (circuit.state, circuit.failures, circuit.generation) == (CircuitState.OPEN, 5, 1)
    assert types(open_shop()) == ["circuit:open"]
    assert circuit.deadline == pytest.approx(clock.clock - 0.2 + 30)  # late failures moved nothing


def test_two_observers_of_one_outage_write_one_history(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    first, second = recorder_on(open_shop()), recorder_on(open_shop())
    for recorder in (first, second):
        recorder.record("primary", BAD, clock.advance(1))
        recorder.routed("primary", Assignment("replica", known=True), (failover(clock),))
        recorder.flush()
    for recorder in (first, second):
        recorder.record("primary", GOOD, clock.advance(1))
        recorder.record("primary", GOOD, clock.advance(1))
        recorder.routed("primary", Assignment("primary", known=True), (recovery(clock),))
        recorder.flush()
    assert types(open_shop()) == [
        *("health:changed", "circuit:open", "failover"),
        *("health:changed", "circuit:half-open", "circuit:close", "recovery"),
    ]


def test_a_move_to_the_next_backup_is_news(store: SqliteStore, recorder_on: Maker, clock: Any) -> None:
    recorder = recorder_on(store)
    for backup in ("replica", "replica", "third"):
        recorder.routed("primary", Assignment(backup, known=True, eligible_since=12.5), (failover(clock, backup),))
    saved = recorder.flush()["primary"]
    assert (saved.serving, saved.serving_known, saved.eligible_since) == ("third", True, clock.wall + 12.5 - 1000.0)
    assert [one.event.backup for one in store.events()] == ["replica", "third"]


def test_who_noticed_an_eligible_primary_first_decides_since_when(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    first, second = recorder_on(open_shop()), recorder_on(open_shop())
    first.routed("primary", Assignment("replica", known=True, eligible_since=clock.clock))
    first.flush()
    second.routed("primary", Assignment("replica", known=True, eligible_since=clock.clock + 20))
    assert second.flush()["primary"].eligible_since == clock.wall
    first.routed("primary", Assignment("replica", known=True))
    first.flush()
    second.routed("primary", Assignment("replica", known=True, eligible_since=clock.clock + 40))
    assert second.flush()["primary"].eligible_since == clock.wall + 40


def test_a_split_brain_is_told_once_and_again_when_it_begins_again(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    first, second = recorder_on(open_shop()), recorder_on(open_shop())
    for recorder in (first, second):
        recorder.routed("primary", Assignment("primary", known=True, split_since=clock.wall), (split_brain(clock),))
        assert recorder.flush()["primary"].split_since == NOON
        clock.advance(1)
    assert types(open_shop()) == ["split-brain"]
    first.routed("primary", Assignment("primary", known=True))
    assert first.flush()["primary"].split_since is None
    first.routed("primary", Assignment("primary", known=True, split_since=clock.wall), (split_brain(clock),))
    first.flush()
    assert types(open_shop()) == ["split-brain", "split-brain"]


def test_the_first_route_ever_is_kept_without_an_event(store: SqliteStore, recorder_on: Maker) -> None:
    recorder = recorder_on(store)
    recorder.routed("primary", Assignment("primary", known=True))
    saved = recorder.flush()["primary"]
    assert (saved.serving, saved.serving_known) == ("primary", True)
    assert types(store) == []


def test_a_check_older_than_the_saved_one_is_dropped(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    slow, quick = recorder_on(open_shop()), recorder_on(open_shop())
    slow.record("primary", BAD, clock())
    quick.record("primary", GOOD, clock.advance(1))
    quick.flush()
    assert slow.flush()["primary"].memory.health.health is Health.HEALTHY
    assert types(open_shop()) == ["health:changed"]


def test_a_check_from_the_future_hides_none_of_today(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    recorder = recorder_on(open_shop())
    recorder.record("primary", GOOD, clock())
    recorder.flush()
    clock.clock += 1
    clock.wall -= 86_400  # the clock was set back
    recorder.record("primary", BAD, clock())
    assert recorder.flush()["primary"].memory.health.health is Health.UNHEALTHY


def test_a_late_result_of_an_older_generation_changes_nothing(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    caller, person = recorder_on(open_shop(), threshold=1), recorder_on(open_shop(), threshold=1)
    person.record("primary", HoldRequested(Hold()), clock())
    person.record("primary", CloseRequested(), clock.advance(1))
    person.flush()
    caller.record("primary", FAILED, clock.advance(1))
    assert caller.flush()["primary"].memory.circuit.state is CircuitState.CLOSED


def test_what_another_process_held_meanwhile_stays_held(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    watcher, person = recorder_on(open_shop()), recorder_on(open_shop())
    watcher.restore()
    person.record("primary", HoldRequested(Hold(note="disk swap", actor="bob@desk")), clock())
    person.flush()
    watcher.record("primary", GOOD, clock.advance(1))
    watcher.record("primary", CallCompleted(succeeded=True, generation=0), clock.advance(1))
    circuit = watcher.flush()["primary"].memory.circuit
    assert (circuit.held, circuit.note, circuit.actor) == (True, "disk swap", "bob@desk")


def test_manual_acts_without_a_name_are_signed(store: SqliteStore, recorder_on: Maker, clock: Any) -> None:
    recorder = recorder_on(store)
    recorder.record("primary", HoldRequested(Hold()), clock())
    recorder.record("primary", CloseRequested(), clock.advance(1))
    recorder.record("replica", HoldRequested(Hold(actor="bob@desk")), clock.advance(1))
    recorder.flush()
    assert [one.event.actor for one in store.events()] == ["ann@ops", "ann@ops", "bob@desk"]


def test_a_hold_that_ran_out_is_told_once(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    person = recorder_on(open_shop())
    person.record("primary", HoldRequested(Hold(hold_s=60)), clock())
    person.flush()
    clock.advance(61)
    for _ in range(2):
        watcher = recorder_on(open_shop())
        watcher.record("primary", TimeElapsed(), clock())
        watcher.flush()
    assert types(open_shop()) == ["circuit:open", "circuit:half-open"]


def test_an_end_that_a_process_reached_is_reached_in_the_row_though_the_clocks_drift_a_little(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    person = recorder_on(open_shop())
    person.record("primary", HoldRequested(Hold(hold_s=60)), clock())
    person.flush()
    watcher = recorder_on(open_shop())
    watcher.record("primary", TimeElapsed(), clock.advance(60))
    clock.wall -= 0.01  # the wall clock is slewed, or was read a little later than the other
    assert watcher.flush()["primary"].memory.circuit.state is CircuitState.HALF_OPEN


def test_an_edited_connection_starts_anew_and_keeps_its_hold(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    before = recorder_on(open_shop())
    for name in ("primary", "replica"):
        before.record(name, BAD, clock())
        before.routed(name, Assignment("third", known=True, eligible_since=5.0, split_since=5.0))
    before.record("replica", HoldRequested(Hold(note="keep out")), clock())
    old = before.flush()
    rows = recorder_on(open_shop(), fingerprint="f2").restore()
    for name, held in (("primary", False), ("replica", True)):
        saved = rows[name]
        assert saved.fingerprint == "f2"
        assert saved.memory.health.health is Health.UNKNOWN
        assert (saved.memory.circuit.held, saved.memory.circuit.failures) == (held, 0)
        assert (saved.serving, saved.eligible_since, saved.split_since) == ("third", None, None)
    assert rows["primary"].memory.circuit.state is CircuitState.CLOSED
    assert rows["primary"].memory.circuit.generation > old["primary"].memory.circuit.generation
    assert rows["replica"].memory.circuit.note == "keep out"
    assert len(open_shop().events()) == 5  # restoring tells nothing


def test_an_edited_connection_starts_anew_in_the_store_too(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    before = recorder_on(open_shop())
    before.record("primary", BAD, clock())
    before.flush()
    after = recorder_on(open_shop(), fingerprint="f2")
    after.record("primary", GOOD, clock.advance(1))
    memory = after.flush()["primary"].memory
    assert (memory.health.health, memory.circuit.state) == (Health.HEALTHY, CircuitState.CLOSED)


def test_rows_of_connections_that_are_gone_are_not_restored(store: SqliteStore, recorder_on: Maker, clock: Any) -> None:
    recorder = recorder_on(store)
    recorder.record("primary", GOOD, clock())
    recorder.flush()
    fewer = Recorder(store, {}, {}, now=clock, actor=None)
    assert fewer.restore() == {}
    with pytest.raises(UnknownConnectionError):
        fewer.record("primary", GOOD, clock())
    with pytest.raises(UnknownConnectionError):
        fewer.routed("primary", Assignment(None, known=True))


class Unwilling(MemoryStore):
    """A store that fails when told to."""

    fails = True

    def update(self, *given: Any) -> Any:
        if self.fails:
            raise StateStoreError("the disk is full")
        return super().update(*given)


def test_a_store_that_fails_loses_nothing(recorder_on: Maker, clock: Any) -> None:
    store = Unwilling()
    recorder = recorder_on(store)
    recorder.record("primary", BAD, clock())
    recorder.published(Event(EventType.SHUTDOWN, None, utc(clock.wall)))
    for _ in range(2):
        with pytest.raises(StateStoreError, match="full"):
            recorder.flush()
    recorder.record("primary", GOOD, clock.advance(1))
    store.fails = False
    assert recorder.flush()["primary"].memory.health.health is Health.HEALTHY
    assert [one.event.type.value for one in store.events()] == [
        *("health:changed", "circuit:open", "shutdown"),
        *("health:changed", "circuit:half-open"),
    ]


def test_what_waits_for_a_store_that_fails_is_bounded(
    recorder_on: Maker, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_file, "MOST_PENDING", 20)
    store = Unwilling()
    recorder = recorder_on(store)
    for number in range(50):
        recorder.published(Event(EventType.ERROR, None, utc(clock.wall), note=str(number)))
        recorder.record("primary", CheckCompleted(CheckResult(latency_s=number)), clock.advance(1))
        with pytest.raises(StateStoreError):
            recorder.flush()
    store.fails = False
    assert recorder.flush()["primary"].memory.health.latency_s == 49
    notes = [one.event.note for one in store.events(types=["error"])]
    assert (len(notes), notes[-1]) == (10, "49")  # as many checks wait beside them
