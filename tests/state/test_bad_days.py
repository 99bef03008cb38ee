"""State files that are damaged, foreign, newer, locked, closed to us or without space: said plainly, and left alone."""

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.errors import PreconditionError, StateStoreError
from omnidb_cli.state.sqlite import errors as sqlite_errors
from omnidb_cli.state.sqlite import file as sqlite_file
from omnidb_cli.state.sqlite.store import SqliteStore, open_store
from omnidb_cli.state.store import StoredConnection

WORKER = Path(__file__).with_name("worker.py")
ROW = StoredConnection(ConnectionState(), "f1")
EVENT = Event(EventType.ERROR, "a", utc(1_800_000_000.0), note="x" * 500)


def write(store: SqliteStore) -> object:
    return store.update({"a": lambda _: (ROW, [EVENT])})


ACTS: dict[str, Callable[[SqliteStore], object]] = {
    "load": SqliteStore.load,
    "events": SqliteStore.events,
    "info": SqliteStore.info,
    "revision": SqliteStore.revision,
    "update": write,
}


def fingerprint(folder: Path) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}


def fill(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for number in range(40):
            store.update({f"c{number}": lambda _: (ROW, [EVENT])})


def nonsense(path: Path) -> None:
    path.write_bytes(b"this is not a database, whatever its name says\n" * 100)


def short_nonsense(path: Path) -> None:
    path.write_bytes(b"?")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def another_applications(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE orders (item TEXT)")
        db.execute("INSERT INTO orders VALUES (?)", ("x" * 20_000,))
        db.commit()
    cut_off(path)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_off_in_a_page(path: Path) -> None:
    os.truncate(path, 5000)


def without_its_mark(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA application_id=0")


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


OURS = [cut_off, cut_off_in_a_page, overwritten, without_its_mark]
"""Damages after which its header or its schema still says that the file is ours."""

UNKNOWN = [nonsense, short_nonsense, empty, zeros, another_applications]
DAMAGES = [*OURS, *UNKNOWN]


@pytest.mark.parametrize(
    ("damage", "act"),
    # The first page of an overwritten file is sound, and the revision asks for no other.
    [(damage, act) for damage in DAMAGES for act in ACTS if (damage, act) != (overwritten, "revision")],
)
def test_a_damaged_file_is_said_to_be_and_left_as_it_is(path: Path, damage: Callable[[Path], None], act: str) -> None:
    fill(path)
    damage(path)
    before = fingerprint(path.parent)
    with (
        closing(open_store(f"sqlite:///{path}", "shop")) as store,
        pytest.raises(StateStoreError, match="is damaged") as caught,
    ):
        ACTS[act](store)
    assert str(path) in str(caught.value)
    assert ("state reset" in (caught.value.hint or "")) is (damage in OURS)
    assert fingerprint(path.parent) == before


@pytest.mark.parametrize("damage", OURS)
def test_reset_puts_a_damaged_file_aside_byte_for_byte(path: Path, damage: Callable[[Path], None]) -> None:
    fill(path)
    damage(path)
    content = path.read_bytes()
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        aside = store.reset()
        assert aside is not None
        assert Path(aside).read_bytes() == content
        assert not path.exists()
        assert store.load() == {}
        write(store)
        assert store.load() == {"a": ROW}


@pytest.mark.parametrize("damage", UNKNOWN)
def test_reset_leaves_a_file_that_may_be_somebody_elses(path: Path, damage: Callable[[Path], None]) -> None:
    fill(path)
    damage(path)
    before = fingerprint(path.parent)
    with (
        closing(open_store(f"sqlite:///{path}", "shop")) as store,
        pytest.raises(PreconditionError, match="stays where it is"),
    ):
        store.reset()
    assert fingerprint(path.parent) == before


def test_a_damaged_file_behind_a_link_is_not_renamed(path: Path, tmp_path: Path) -> None:
    fill(path)
    cut_off(path)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    before = fingerprint(path.parent)
    with (
        closing(open_store(f"sqlite:///{link}", "shop")) as store,
        pytest.raises(PreconditionError, match=r"link\.db is a link to"),
    ):
        store.reset()
    assert link.is_symlink()
    assert fingerprint(path.parent) == before


@pytest.mark.parametrize(("schema", "which"), [(7, "a newer"), (1, "an older"), (0, "an older")])
def test_a_file_from_another_omnidb(path: Path, schema: int, which: str) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={schema}")
    before = path.read_bytes()
    said = rf"written by {which} omnidb \(schema {schema}, this one knows {sqlite_file.SCHEMA}\)"
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match=said):
                act(store)
        assert path.read_bytes() == before
        aside = store.reset()
        assert aside is not None
        assert Path(aside).read_bytes() == before
        assert store.load() == {}


def test_a_file_that_becomes_newer_while_it_is_in_use_is_not_written(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        write(store)
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version={sqlite_file.SCHEMA + 1}")
        with pytest.raises(StateStoreError, match="newer"):
            write(store)


@pytest.mark.parametrize("version", [0, 1, 9])
@pytest.mark.parametrize("tables", [True, False])
def test_somebody_elses_database_is_never_touched_even_by_reset(path: Path, version: int, tables: bool) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={version}")
        db.execute("CREATE TABLE orders (id INTEGER)")
        if not tables:
            db.execute("DROP TABLE orders")
    before = fingerprint(path.parent)
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match="not omnidb's saved state"):
                act(store)
        with pytest.raises(PreconditionError, match="not omnidb's saved state"):
            store.reset()
    assert fingerprint(path.parent) == before


def test_a_garbled_row_is_named_and_the_others_can_be_changed(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE connections SET record = '{}' WHERE name = 'c7'")
        db.commit()
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        with pytest.raises(StateStoreError, match='"c7"'):
            store.load()
        with pytest.raises(StateStoreError, match='"c7"'):
            store.update({"c7": lambda _: (ROW, ())})
        assert store.update({"c8": lambda saved: (saved or ROW, [EVENT])}) == {"c8": ROW}


def test_a_file_that_another_process_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    for module in (sqlite_errors, sqlite_file):
        monkeypatch.setattr(module, "BUSY_S", 0.05)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(open_store(f"sqlite:///{path}", "shop")) as store,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert len(store.load()) == 40
        for act in (write, SqliteStore.reset):
            with pytest.raises(StateStoreError, match=r"locked by another process .* within 0\.05s"):
                act(store)
        other.execute("ROLLBACK")
        write(store)
        assert [one.name for one in path.parent.iterdir() if "shop-" in one.name] == []


def test_a_folder_that_another_process_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    for module in (sqlite_errors, sqlite_file):
        monkeypatch.setattr(module, "BUSY_S", 0.05)
    with sqlite_file.folder_lock(str(path)), closing(open_store(f"sqlite:///{path}", "shop")) as store:
        with pytest.raises(StateStoreError, match="locked by another process"):
            write(store)
        assert store.load() == {}


def run(deed: str, path: Path) -> list[str]:
    ran = subprocess.run([sys.executable, str(WORKER), deed, str(path)], capture_output=True, text=True, timeout=120)
    assert (ran.stderr, ran.returncode) == ("", 0)
    return ran.stdout.splitlines()


def test_a_full_disk(path: Path) -> None:
    (line,) = run("on_a_full_disk", path)
    saved, _, message = line.partition(" ")
    assert int(saved) > 3
    assert f"state file {path} cannot be" in message
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        assert store.load()["primary"].memory.circuit.failures == int(saved)
        assert len(store.events()) == int(saved)
        write(store)


def test_a_write_that_fails_for_want_of_room_leaves_what_can_be_read(path: Path) -> None:
    """It leaves an empty journal and an index too short to be opened; the file is whole, and the disk still full."""
    fill(path)
    refused, *read = run("without_room", path)
    assert refused.startswith(f"StateStoreError: state file {path} cannot be")
    assert read == ["40", "40", "True", "40"]
    assert (Path(f"{path}-wal").stat().st_size, Path(f"{path}-shm").stat().st_size < 32768) == (0, True)
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        assert len(store.load()) == 40
        write(store)
        assert len(store.load()) == 41


def test_a_database_that_may_not_grow_says_that_the_disk_is_full(path: Path) -> None:
    fill(path)
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        write(store)
        store._file._db.execute("PRAGMA max_page_count=1")
        with pytest.raises(StateStoreError, match="the disk is full"):
            store.update({f"d{number}": lambda _: (ROW, [EVENT]) for number in range(200)})
        assert len(store.load()) == 41
        write(store)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder below nothing that is closed to others, as pytest's own is."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_folder_can_be_read(closed_folder: Path) -> None:
    path = closed_folder / "shop.db"
    fill(path)
    path.chmod(0o644)
    closed_folder.chmod(0o555)
    load, events, revision, update = run("as_nobody", path)
    assert load == str(sorted(f"c{number}" for number in range(40)))
    assert events == "40"
    assert revision == "1"
    assert update.startswith(f"StateStoreError: state file {path} cannot be")
    assert [one.name for one in closed_folder.iterdir()] == ["shop.db"]


def test_a_read_only_folder_with_a_journal_can_be_read(closed_folder: Path) -> None:
    path = closed_folder / "shop.db"
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        write(store)
        for one in closed_folder.iterdir():
            one.chmod(0o644)
        closed_folder.chmod(0o555)
        load, events, _, update = run("as_nobody", path)
    assert (load, events) == ("['a']", "1")
    assert update.startswith(f"StateStoreError: state file {path} cannot be written: it or its folder is read-only")


def test_a_folder_where_nothing_can_be_made(closed_folder: Path) -> None:
    closed_folder.chmod(0o555)
    path = closed_folder / "deeper" / "shop.db"
    load, events, _, update = run("as_nobody", path)
    assert (load, events) == ("[]", "0")
    assert update == f"StateStoreError: state file {path} cannot be used: Permission denied"


def test_a_file_that_may_not_be_read(closed_folder: Path) -> None:
    path = closed_folder / "shop.db"
    fill(path)
    if os.geteuid():
        path.chmod(0)
    load, events, _, update = run("as_nobody", path)
    for line in (load, events, update):
        assert line.startswith(f"StateStoreError: state file {path} cannot be opened")


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere.db"))


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A path that is short enough for the name of a socket."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made) / "shop.db"


@pytest.mark.parametrize("place", [folder, fifo, listening, link_to_nothing, link_to_a_device])
def test_what_is_no_file_is_refused_at_once_and_stays(short_path: Path, place: Callable[[Path], None]) -> None:
    place(short_path)
    before = identity_of(short_path)
    with closing(open_store(f"sqlite:///{short_path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match=r"cannot be used: .* is a"):
                act(store)
        with pytest.raises(PreconditionError, match="stays where it is"):
            store.reset()
    assert [one.name for one in short_path.parent.iterdir()] == ["shop.db"]
    assert identity_of(short_path) == before


def identity_of(path: Path) -> tuple[int, ...]:
    """What a look at it does not change: when a link was last read, for one, is not in it."""
    found = path.lstat()
    return (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns)


def test_a_fifo_in_the_place_of_the_journal_is_never_opened(path: Path) -> None:
    fill(path)
    os.mkfifo(f"{path}-wal")
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match="-wal cannot be used: it is a FIFO"):
                act(store)


def test_a_folder_that_is_a_link_to_nothing_is_not_made(path: Path, tmp_path: Path) -> None:
    path.parent.symlink_to(tmp_path / "elsewhere")
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match="is a link that leads to nothing"):
                act(store)
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


GARBLED: dict[str, tuple[str, str]] = {
    "a row that is not UTF-8": ("UPDATE connections SET record = CAST(x'7bff7d' AS TEXT)", "load"),
    "a BLOB for a row": ("UPDATE connections SET record = x'7b7d'", "load"),
    "a number for a row": ("UPDATE connections SET record = 7.5", "load"),
    "a BLOB for a name": ("UPDATE connections SET name = x'ff' WHERE name = 'c7'", "load"),
    "text for a time": ("UPDATE events SET at_us = 'yesterday' WHERE id = 3", "events"),
    "a BLOB for a type": ("UPDATE events SET type = x'00' WHERE id = 3", "events"),
    "a number for an event": ("UPDATE events SET record = 12 WHERE id = 3", "events"),
    "a name of an event that is not UTF-8": ("UPDATE events SET name = CAST(x'ff' AS TEXT) WHERE id = 3", "events"),
    "a BLOB for a writer": ("UPDATE writers SET writer = x'ff'", "info"),
}


@pytest.mark.parametrize("case", GARBLED)
def test_what_is_no_text_or_no_number_is_damage(path: Path, case: str) -> None:
    garble, act = GARBLED[case]
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(garble)
        db.commit()
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        with pytest.raises(StateStoreError) as caught:
            ACTS[act](store)
        assert "state reset" in (caught.value.hint or "")
        assert store.reset() is not None
        assert ACTS[act](store) is not None


def test_a_schema_that_is_not_utf_8_is_damage(path: Path) -> None:
    fill(path)
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE writers", b"CREATE TABLE \xff\xfe\xfd\xfcers"))
    content = path.read_bytes()
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ("load", "events", "info", "update"):
            with pytest.raises(StateStoreError, match="is damaged"):
                ACTS[act](store)
        aside = store.reset()
        assert aside is not None
        assert Path(aside).read_bytes() == content


def test_a_file_in_the_place_of_the_folder(path: Path) -> None:
    path.parent.write_text("not a folder")
    with closing(open_store(f"sqlite:///{path}", "shop")) as store:
        for act in ACTS.values():
            with pytest.raises(StateStoreError, match="cannot be used"):
                act(store)
