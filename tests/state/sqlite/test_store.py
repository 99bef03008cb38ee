"""The SQLite store: what it keeps, what it leaves alone, and what another process sees of it."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from omnidb_cli.core.circuit.model import Circuit, Hold, Instant, Trigger, transition
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.health.model import Health, HealthRecord
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.actor import current_actor
from omnidb_cli.state.sqlite.access import FileAccess
from omnidb_cli.state.sqlite.file import SCHEMA
from omnidb_cli.state.sqlite.store import SqliteStore, open_store
from omnidb_cli.state.store import StoredConnection, Update

RULES = CircuitBreakerConfig().rules(jitter=lambda: 0.0)
AT = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def put(saved: StoredConnection, *events: Event) -> Update:
    return lambda _: (saved, events)


def event(name: str = "primary", kind: EventType = EventType.ERROR, at: datetime = AT) -> Event:
    return Event(kind, name, at)


def seen(good: int) -> StoredConnection:
    return StoredConnection(
        ConnectionState(HealthRecord(Health.HEALTHY, good=good, checked_at=5.0)), "f1", "primary", True, 4.0
    )


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    every = [folder, *folder.rglob("*")]
    return {str(one): (one.stat().st_mtime_ns, one.stat().st_size) for one in every}


def test_a_row_comes_back_in_another_process(open_shop: Callable[..., SqliteStore]) -> None:
    assert open_shop().update({"primary": put(seen(7))}) == {"primary": seen(7)}
    assert open_shop().load() == {"primary": seen(7)}


def test_an_update_sees_the_row_as_it_is(open_shop: Callable[..., SqliteStore]) -> None:
    found: list[StoredConnection | None] = []

    def count_up(saved: StoredConnection | None) -> tuple[StoredConnection, list[Event]]:
        found.append(saved)
        return (seen(1) if saved is None else seen(saved.memory.health.good + 1)), []

    for _ in range(3):
        open_shop().update({"primary": count_up})
    assert found == [None, seen(1), seen(2)]


def test_waits_are_set_to_the_clock_of_who_reads(path: Path, store: SqliteStore, clock: Callable[[], Instant]) -> None:
    opened = transition(Circuit(), Trigger.TRIPPED, clock(), RULES)
    store.update({"primary": put(StoredConnection(ConnectionState(circuit=opened), "f1"))})
    wall = clock().wall
    other = open_store(f"sqlite:///{path}", "shop", now=lambda: Instant(50.0, wall + 10))
    circuit = other.load()["primary"].memory.circuit
    assert circuit.deadline == pytest.approx(50.0 + 20)


def test_checking_creates_nothing(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    before = listing(tmp_path)
    assert store.load() == {}
    assert store.events() == []
    assert store.info().exists is False
    assert store.revision() == store.revision()
    assert store.update({}) == {}
    assert store.reset() is None
    store.close()
    assert listing(tmp_path) == before
    assert not path.parent.exists()


def test_checking_writes_nothing_and_leaves_nothing(
    path: Path, store: SqliteStore, open_shop: Callable[..., SqliteStore]
) -> None:
    store.update({"primary": put(seen(1), event())})
    store.close()
    os.utime(path, (1e9, 1e9))
    before = listing(path.parent)
    assert list(before) == [str(path.parent), str(path)]
    checker = open_shop()
    assert checker.load() == {"primary": seen(1)}
    assert len(checker.events()) == 1
    assert checker.info().connections == 1
    assert listing(path.parent) == before
    checker.close()
    assert listing(path.parent) == before


def test_a_check_right_after_a_change_sees_it(store: SqliteStore, open_shop: Callable[..., SqliteStore]) -> None:
    checker = open_shop()
    for good in range(1, 30):
        store.update({"primary": put(seen(good))})
        store.close()
        assert checker.load() == {"primary": seen(good)}


def test_a_check_that_a_change_overlaps_is_repeated(
    path: Path, store: SqliteStore, open_shop: Callable[..., SqliteStore]
) -> None:
    store.update({"a": put(seen(1))})
    store.close()
    os.utime(path, (1e9, 1e9))
    asked: list[int] = []

    def question(db: sqlite3.Connection) -> int:
        if not asked:
            store.update({"b": put(seen(2))})
            store.close()
        asked.append(db.execute("SELECT count(*) FROM connections").fetchone()[0])
        return asked[-1]

    assert FileAccess(str(path)).read(question, 0) == 2
    assert len(asked) == 2


def test_what_is_made_is_private(path: Path, store: SqliteStore) -> None:
    old = os.umask(0)
    try:
        store.update({"primary": put(seen(1))})
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in [path.parent, *path.parent.iterdir()]}
    finally:
        os.umask(old)
    assert modes.pop("state") == 0o700
    assert set(modes) >= {"shop.db", "shop.db-wal"}
    assert set(modes.values()) == {0o600}


def test_two_topologies_in_one_file_know_nothing_of_each_other(open_shop: Callable[..., SqliteStore]) -> None:
    shop, bank = open_shop("shop"), open_shop("bank")
    shop.update({"primary": put(seen(1), event())})
    bank.update({"primary": put(seen(2))})
    assert shop.load() == {"primary": seen(1)}
    assert bank.load() == {"primary": seen(2)}
    assert bank.events() == []
    assert shop.reset() is not None
    assert shop.load() == {}
    assert bank.load() == {"primary": seen(2)}


def test_a_topology_named_in_another_encoding(open_shop: Callable[..., SqliteStore]) -> None:
    open_shop("gr\udcfcn").update({"primary": put(seen(1))})
    assert open_shop("gr\udcfcn").load() == {"primary": seen(1)}


def test_events_are_numbered_oldest_first_whoever_told_them(store: SqliteStore) -> None:
    second, third = AT + timedelta(seconds=1), AT + timedelta(seconds=2)
    store.update({"a": put(seen(1), event("a", at=third)), "b": put(seen(1), event("b"))}, [event("c", at=second)])
    assert [(one.id, one.event.name) for one in store.events()] == [(1, "b"), (2, "c"), (3, "a")]


def test_events_are_chosen(store: SqliteStore) -> None:
    store.update(
        {},
        [
            event("a"),
            event("b", EventType.FAILOVER, AT + timedelta(seconds=1)),
            event("a", EventType.RECOVERY, AT + timedelta(microseconds=1_000_001)),
        ],
    )

    def numbers(**wanted: object) -> list[int]:
        return [one.id for one in store.events(**wanted)]

    assert numbers(after_id=1) == [2, 3]
    assert numbers(since=AT + timedelta(seconds=1)) == [2, 3]
    assert numbers(since=AT + timedelta(microseconds=1_000_001)) == [3]
    assert numbers(names=["a"]) == [1, 3]
    assert numbers(names=iter(["a", "b"]), types=["failover", EventType.ERROR]) == [1, 2]
    assert numbers(names=["a' OR 1=1 --"]) == []


def test_a_change_that_changes_nothing_is_not_written(path: Path, store: SqliteStore) -> None:
    store.update({"primary": put(seen(1))})
    wal = Path(f"{path}-wal")
    before = wal.stat().st_size
    assert store.update({"primary": put(seen(1))}) == {"primary": seen(1)}
    assert wal.stat().st_size == before


def test_an_update_that_fails_leaves_everything_as_it_was(store: SqliteStore) -> None:
    def fail(_: StoredConnection | None) -> tuple[StoredConnection, list[Event]]:
        raise ZeroDivisionError

    store.update({"a": put(seen(1))})
    with pytest.raises(ZeroDivisionError):
        store.update({"a": put(seen(2)), "b": fail}, [event()])
    assert store.load() == {"a": seen(1)}
    assert store.events() == []
    store.update({"a": put(seen(3))})
    assert store.load() == {"a": seen(3)}


def test_info(path: Path, store: SqliteStore) -> None:
    store.update({"a": put(seen(1), event()), "b": put(seen(1))})
    info = store.info()
    assert (info.url, info.exists, info.schema) == (f"sqlite:///{path}", True, SCHEMA)
    assert (info.connections, info.events, list(info.writers)) == (2, 1, [current_actor()])
    assert info.size_bytes == path.stat().st_size + Path(f"{path}-wal").stat().st_size


def test_writers_are_named_the_last_one_first(
    store: SqliteStore, clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        monkeypatch.setattr("omnidb_cli.state.sqlite.store.current_actor", lambda who=f"user{number}@host": who)
        clock.advance(1)
        store.update({"a": put(seen(number + 1))})
    writers = store.info().writers
    assert (len(writers), writers[0], writers[-1]) == (50, "user59@host", "user10@host")


def test_the_revision_moves_with_other_peoples_changes_only(
    store: SqliteStore, open_shop: Callable[..., SqliteStore]
) -> None:
    other = open_shop()
    watched = [store.revision(), store.revision()]
    other.update({"a": put(seen(1))})  # the file appears
    watched += [store.revision(), store.revision()]
    other.update({"a": put(seen(2))})
    watched += [store.revision()]
    store.update({"a": put(seen(3))})
    watched += [store.revision()]
    other.reset()
    watched += [store.revision()]
    moved = [later != earlier for earlier, later in pairwise(watched)]
    assert moved == [False, True, False, True, False, True]


def test_the_revision_misses_nothing_while_the_file_is_let_go(
    store: SqliteStore, open_shop: Callable[..., SqliteStore]
) -> None:
    other = open_shop()
    other.update({"a": put(seen(1))})
    for good in range(2, 6):
        before = store.revision()
        store.close()
        other.update({"a": put(seen(good))})
        assert store.revision() != before


def test_the_revision_notices_a_file_that_was_replaced_or_removed(path: Path, store: SqliteStore) -> None:
    store.update({"a": put(seen(1))})
    first = store.revision()
    copy = path.with_name("copy.db")
    FileAccess(str(path)).read(lambda db: db.execute("VACUUM INTO ?", (str(copy),)), None)
    copy.replace(path)
    second = store.revision()
    path.unlink()
    third = store.revision()
    assert len({first, second, third}) == 3
    assert store.load() == {}


def test_reset_keeps_what_was_and_a_watcher_goes_on(path: Path, open_shop: Callable[..., SqliteStore]) -> None:
    watcher, person = open_shop(), open_shop()
    held = transition(Circuit(), Trigger.HELD, Instant(0, 5), RULES, Hold())
    watcher.update({"a": put(StoredConnection(ConnectionState(circuit=held), "f1"), event())})
    aside = person.reset()
    assert aside is not None
    assert Path(aside).name == "shop-20270115T080000Z.db"
    assert stat.S_IMODE(Path(aside).stat().st_mode) == 0o600
    assert (watcher.load(), list(watcher.events())) == ({}, [])
    kept = open_store(f"sqlite:///{aside}", "shop")
    assert kept.load()["a"].memory.circuit.held
    assert len(kept.events()) == 1
    watcher.update({"a": put(seen(2))})
    assert person.load() == {"a": seen(2)}
    assert kept.load()["a"].memory.circuit.held


def test_two_resets_within_a_second_keep_both(store: SqliteStore) -> None:
    store.update({"a": put(seen(1))})
    assert store.reset() != store.reset()


def test_a_writer_whose_file_was_moved_aside_writes_into_the_new_one(
    path: Path, store: SqliteStore, open_shop: Callable[..., SqliteStore]
) -> None:
    store.update({"a": put(seen(1))})
    aside = FileAccess(str(path)).move_aside("then")
    store.update({"b": put(seen(2))})
    assert open_shop().load() == {"b": seen(2)}
    assert set(open_store(f"sqlite:///{aside}", "shop").load()) == {"a"}


def test_a_writer_that_waits_for_the_lock_while_the_file_is_moved_notices(
    path: Path, store: SqliteStore, open_shop: Callable[..., SqliteStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.update({"a": put(seen(1))})
    access, moved = store._file, []
    release_if_moved = access._release_if_moved

    def moved_in_between() -> None:
        release_if_moved()
        if not moved:
            moved.append(FileAccess(str(path)).move_aside("then"))

    monkeypatch.setattr(access, "_release_if_moved", moved_in_between)
    store.update({"b": put(seen(2))})
    assert open_shop().load() == {"b": seen(2)}
    assert set(open_store(f"sqlite:///{moved[0]}", "shop").load()) == {"a"}


def test_journals_of_a_deleted_file_are_not_read_into_the_new_one(path: Path, store: SqliteStore) -> None:
    store.update({"a": put(seen(1))})
    for journal in ("-wal", "-shm"):
        shutil.copy(f"{path}{journal}", f"{path}.kept{journal}")
    store.close()
    path.unlink()
    for journal in ("-wal", "-shm"):
        Path(f"{path}.kept{journal}").rename(f"{path}{journal}")
    assert store.load() == {}
    store.update({"b": put(seen(2))})
    assert store.load() == {"b": seen(2)}


def test_what_a_killed_writer_left_in_the_journal_is_seen(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    store.update({"a": put(seen(1))})
    copied = tmp_path / "after-the-crash"
    shutil.copytree(path.parent, copied)
    (copied / "shop.db-shm").unlink()
    assert open_store(f"sqlite:///{copied}/shop.db", "shop").load() == {"a": seen(1)}


@pytest.mark.parametrize("url", ["sqlite:", "sqlite:///", "sqlite://x", "sqlite:///:memory:", "sqlite:///a?mode=ro"])
def test_a_url_that_names_no_file(url: str) -> None:
    with pytest.raises(StateStoreError, match="names no file") as caught:
        open_store(url, "shop")
    assert "sqlite:////" in (caught.value.hint or "")


def test_a_relative_url_means_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///my state%20.db", "shop")
    monkeypatch.chdir("/")
    store.update({"a": put(seen(1))})
    store.close()
    assert [one.name for one in tmp_path.iterdir()] == ["my state%20.db"]


def test_a_link_stays_a_link(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    store.update({"a": put(seen(1))})
    link = tmp_path / "link.db"
    link.symlink_to(path)
    linked = open_store(f"sqlite:///{link}", "shop")
    assert linked.load() == {"a": seen(1)}
    linked.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
