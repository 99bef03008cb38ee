"""What the history keeps: by class and age, each class by itself, and at a small price."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.state import memory, retention
from omnidb_cli.state.memory import MemoryStore
from omnidb_cli.state.retention import CLASS_OF_TYPE, Budget, EventClass, class_of
from omnidb_cli.state.sqlite import history as sqlite_history
from omnidb_cli.state.sqlite.store import SqliteStore
from tests.state.conftest import Clock

DAY_S = 86_400.0
SMALL = {
    EventClass.MANUAL: Budget(5, 400),
    EventClass.TRANSITION: Budget(10, 90),
    EventClass.OTHER: Budget(3, 30),
}


def event(clock: Clock, kind: EventType = EventType.ERROR, *, actor: str | None = None) -> Event:
    return Event(kind, "primary", utc(clock.wall), actor=actor)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets that a test can fill, checked after at every write."""
    monkeypatch.setattr(sqlite_history, "BUDGETS", SMALL)
    monkeypatch.setattr(memory, "BUDGETS", SMALL)
    monkeypatch.setattr(sqlite_history, "PRUNE_EVERY", 1)
    monkeypatch.setattr(sqlite_history, "AGELESS", 2)


def kept(store: SqliteStore | MemoryStore) -> list[int]:
    return [one.id for one in store.events()]


def test_every_type_has_a_class() -> None:
    assert set(EventType) <= set(CLASS_OF_TYPE)


def test_what_a_person_did_is_manual_whatever_it_is(clock: Clock) -> None:
    assert class_of(event(clock, EventType.RECOVERY, actor="ann")) is EventClass.MANUAL
    assert class_of(event(clock, EventType.RECOVERY)) is EventClass.TRANSITION
    assert class_of(event(clock)) is EventClass.OTHER


def test_what_people_did_and_transitions_outlast_the_rest() -> None:
    manual, transition, other = (retention.BUDGETS[kind] for kind in EventClass)
    assert manual.days > transition.days > other.days
    assert min(manual.events, transition.events) > other.events > retention.AGELESS


@pytest.mark.usefixtures("small")
def test_no_class_pushes_out_another(store: SqliteStore, clock: Clock) -> None:
    for one in (store, MemoryStore()):
        one.update({}, [event(clock, EventType.CIRCUIT_OPEN, actor="ann"), event(clock, EventType.FAILOVER)])
        for _ in range(20):
            one.update({}, [event(clock)])
        assert kept(one) == [1, 2, 20, 21, 22]
        one.update({}, [event(clock, EventType.HEALTH_CHANGED)] * 12)
        assert kept(one) == [1, 20, 21, 22, *range(25, 35)]


@pytest.mark.usefixtures("small")
def test_a_class_keeps_its_newest(store: SqliteStore, clock: Clock) -> None:
    for _ in range(8):
        store.update({}, [event(clock, EventType.CIRCUIT_OPEN, actor="ann")])
    assert kept(store) == [4, 5, 6, 7, 8]


@pytest.mark.usefixtures("small")
def test_what_is_too_old_goes(store: SqliteStore, clock: Clock) -> None:
    store.update({}, [event(clock, EventType.FAILOVER)] * 3)
    clock.advance(89 * DAY_S)
    store.update({}, [event(clock, EventType.FAILOVER)])
    assert kept(store) == [1, 2, 3, 4]
    clock.advance(2 * DAY_S)
    store.update({}, [event(clock, EventType.FAILOVER)])
    assert kept(store) == [4, 5]


@pytest.mark.usefixtures("small")
def test_a_clock_that_jumps_ahead_does_not_empty_the_history(store: SqliteStore, clock: Clock) -> None:
    store.update({}, [event(clock, EventType.FAILOVER)] * 5)
    clock.wall += 1000 * DAY_S
    store.update({}, [event(clock)])
    assert kept(store) == [4, 5, 6]


@pytest.mark.usefixtures("small")
def test_a_clock_that_was_set_back_costs_nothing_that_people_did(store: SqliteStore, clock: Clock) -> None:
    """What was written before lies ahead of now, and is neither old nor the last to be kept."""
    store.update({}, [event(clock, EventType.CIRCUIT_OPEN, actor="ann")])
    clock.wall -= 1000 * DAY_S
    for _ in range(20):
        store.update({}, [event(clock), event(clock, EventType.FAILOVER)])
    assert kept(store)[0] == 1
    assert len(kept(store)) == 1 + 10 + 3


@pytest.mark.usefixtures("small")
def test_one_topology_costs_another_nothing_and_numbers_never_come_back(
    store: SqliteStore, open_shop: Callable[..., SqliteStore], clock: Clock
) -> None:
    bank = open_shop("bank")
    bank.update({}, [event(clock)] * 2)
    for _ in range(5):
        store.update({}, [event(clock)] * 5)
    assert kept(bank) == [1, 2]
    assert kept(store) == [25, 26, 27]
    store.reset()
    store.update({}, [event(clock)])
    assert (kept(store), store.last_id(), bank.last_id()) == ([28], 28, 28)


def test_a_topology_that_seldom_writes_is_cut_back_too(
    store: SqliteStore, open_shop: Callable[..., SqliteStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_history, "BUDGETS", SMALL)
    monkeypatch.setattr(sqlite_history, "PRUNE_EVERY", 2)
    bank = open_shop("bank")
    for _ in range(20):
        store.update({}, [event(clock)])
        bank.update({}, [event(clock)])
    assert len(kept(store)) <= 4
    assert len(kept(bank)) <= 4


def test_cutting_back_searches_by_the_index(path: Path, store: SqliteStore, clock: Clock) -> None:
    store.update({}, [event(clock)])
    with closing(sqlite3.connect(path)) as db:
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        sqlite_history._prune(db, 0)
        db.set_trace_callback(None)
        of_history = [one for one in asked if " events " in one]
        assert len(of_history) == 4 * len(EventClass)
        for statement in of_history:
            plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"))
            assert "events_of_class (topology=? AND class=?" in plan
            assert "TEMP B-TREE" not in plan


def test_where_the_history_stands(store: SqliteStore, clock: Clock) -> None:
    assert store.last_id() == 0
    store.update({}, [event(clock)] * 3)
    clock.advance(timedelta(days=1).total_seconds())
    assert store.last_id() == 3
    assert [one.id for one in store.events(after_id=2)] == [3]
