"""Checks database files: what they find, and that they leave everything as it was."""

import asyncio
import errno
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from omnidb_cli.drivers.sqlite import connection as sqlite_connection
from omnidb_cli.drivers.sqlite import files as sqlite_files
from omnidb_cli.errors import (
    AuthenticationError,
    DriverError,
    ErrorKind,
    StatementError,
)
from tests.drivers.sqlite_files import DriverOf, contents, fault_of, make_database


async def test_a_good_file_answers_with_its_latency_and_that_it_can_be_written(
    database: Path, driver_of: DriverOf
) -> None:
    answer = await driver_of(database).check()
    assert answer.latency_s > 0
    assert (answer.role, answer.lag_s, answer.stalled) == (None, None, None)
    assert answer.writable is None
    assert answer.version == sqlite3.sqlite_version


@pytest.mark.parametrize("wal", [False, True])
async def test_a_check_leaves_no_trace(tmp_path: Path, driver_of: DriverOf, *, wal: bool) -> None:
    path = make_database(tmp_path / "shop.db", wal=wal)
    before = contents(tmp_path)
    folder_time = tmp_path.stat().st_mtime_ns
    await driver_of(path).check()
    await driver_of(path, statement="SELECT count(*) FROM item").check()
    assert contents(tmp_path) == before
    assert tmp_path.stat().st_mtime_ns == folder_time, "a file came and went"


async def test_a_wal_database_in_use_is_seen_with_what_is_only_in_its_log(tmp_path: Path, driver_of: DriverOf) -> None:
    path = make_database(tmp_path / "shop.db", wal=True)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE fresh(a)")
        writer.commit()
        before = contents(tmp_path)
        assert set(before) == {"shop.db", "shop.db-wal", "shop.db-shm"}
        await driver_of(path, statement="SELECT * FROM fresh").check()
        after = contents(tmp_path)
        assert (after["shop.db"], after["shop.db-wal"]) == (before["shop.db"], before["shop.db-wal"])
        assert set(after) == set(before)


async def test_damage_is_checked_at_twice_since_a_check_without_locks_may_see_a_file_half_changed(
    tmp_path: Path, driver_of: DriverOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_database(tmp_path / "shop.db", wal=True)
    whole = path.read_bytes()
    states = iter([whole[:4096] + b"\xff" * 4096, whole])

    def change(file: sqlite_files.File) -> bool:
        path.write_bytes(next(states))
        return True

    monkeypatch.setattr(sqlite_connection, "log_is_idle", change)
    await driver_of(path, statement="SELECT * FROM item").check()


async def test_a_file_that_is_not_there_is_not_found_and_not_made(tmp_path: Path, driver_of: DriverOf) -> None:
    fault = await fault_of(driver_of(tmp_path / "gone.db"))
    assert fault.kind is ErrorKind.NOT_FOUND
    assert str(fault) == f"{tmp_path}/gone.db does not exist"
    assert list(tmp_path.iterdir()) == []


async def test_paths_that_lead_nowhere(database: Path, tmp_path: Path, driver_of: DriverOf) -> None:
    (tmp_path / "dangling.db").symlink_to(tmp_path / "gone.db")
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")
    fault = await fault_of(driver_of(tmp_path / "dangling.db"))
    assert (fault.kind, str(fault)) == (
        ErrorKind.NOT_FOUND,
        f"{tmp_path}/dangling.db is a link to {tmp_path}/gone.db, which does not exist",
    )
    for path in (tmp_path / "loop.db", database / "below-a-file.db", tmp_path / ("x" * 300)):
        assert (await fault_of(driver_of(path))).kind is ErrorKind.NOT_FOUND


async def test_a_link_is_followed_to_the_file_and_its_log(tmp_path: Path, driver_of: DriverOf) -> None:
    (tmp_path / "data").mkdir()
    path = make_database(tmp_path / "data" / "shop.db", wal=True)
    (tmp_path / "link.db").symlink_to(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE fresh(a)")
        writer.commit()
        await driver_of(tmp_path / "link.db", statement="SELECT * FROM fresh").check()
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["link.db"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EIO, ErrorKind.INTERNAL), (errno.ESTALE, ErrorKind.INTERNAL), (errno.EMFILE, ErrorKind.LOCAL)],
)
async def test_what_the_file_system_says_while_the_header_is_read_comes_with_its_kind(
    database: Path, driver_of: DriverOf, monkeypatch: pytest.MonkeyPatch, number: int, kind: ErrorKind
) -> None:
    def fail(path: str) -> bool:
        raise OSError(number, os.strerror(number), path)

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_files, "_says_wal", fail)
        fault = await fault_of(driver_of(database))
    assert fault.kind is kind
    assert str(fault).startswith(f"{database}: ")
    assert fault.counts_as_failure is (kind is not ErrorKind.LOCAL)
    await driver_of(database).check()


async def test_a_log_without_its_index_is_read(tmp_path: Path, driver_of: DriverOf) -> None:
    """As after a crash whose files were copied elsewhere."""
    path = make_database(tmp_path / "shop.db", wal=True)
    (tmp_path / "copy").mkdir()
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE fresh(a)")
        writer.commit()
        for name in ("shop.db", "shop.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "copy" / name)
    before = contents(tmp_path / "copy")
    await driver_of(tmp_path / "copy" / "shop.db", statement="SELECT * FROM fresh").check()
    after = contents(tmp_path / "copy")
    assert {name: after[name] for name in before} == before


async def test_what_is_no_database_is_corrupt(tmp_path: Path, driver_of: DriverOf) -> None:
    good = make_database(tmp_path / "good.db", rows=500).read_bytes()
    for name, content in {
        "garbage.db": b"\x00\x01garbage" * 1000,
        "zeroes.db": bytes(8192),
        "tiny.db": b"SQLite",
        "text.db": b"hello\n",
        "cut.db": good[: len(good) // 2],
        "schema.db": good[:100] + b"\xff" * (len(good) - 100),
    }.items():
        (tmp_path / name).write_bytes(content)
        driver = driver_of(tmp_path / name, statement="SELECT 1")
        fault = await fault_of(driver)
        assert (name, fault.kind) == (name, ErrorKind.CORRUPT)
        assert name in str(fault)


async def test_an_empty_file_is_corrupt_although_sqlite_would_take_it(tmp_path: Path, driver_of: DriverOf) -> None:
    (tmp_path / "empty.db").touch()
    fault = await fault_of(driver_of(tmp_path / "empty.db"))
    assert (fault.kind, "is empty (0 bytes)" in str(fault)) == (ErrorKind.CORRUPT, True)
    with pytest.raises(DriverError, match="is empty"):
        await driver_of(tmp_path / "empty.db").connect(read_only=False, timeout_s=1)


async def test_pipes_folders_devices_and_sockets_are_named_and_never_opened(
    tmp_path: Path, driver_of: DriverOf
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, what in {
            tmp_path / "pipe": "a named pipe",
            tmp_path: "a directory",
            Path("/dev/null"): "a device",
            tmp_path / "socket": "a socket",
        }.items():
            fault = await fault_of(driver_of(path))
            assert (fault.kind, str(fault)) == (ErrorKind.CORRUPT, f"{path} is {what}, not a database file")


@pytest.mark.parametrize(
    "name",
    ["a?mode=rwc.db", "a#b.db", "100%.db", "%41.db", "two words.db", "größe-数据.db", 'it\'s "x".db', "a&b=c.db"],
)
async def test_any_file_name_is_taken_as_it_is(tmp_path: Path, driver_of: DriverOf, name: str) -> None:
    make_database(tmp_path / name)
    await driver_of(tmp_path / name, statement="SELECT * FROM item").check()
    assert [file.name for file in tmp_path.iterdir()] == [name]


async def test_a_file_name_that_is_not_valid_text(tmp_path: Path, driver_of: DriverOf) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.db"))
    make_database(path)
    await driver_of(path, statement="SELECT * FROM item").check()


async def test_rights_that_do_not_let_us_check_are_auth(
    open_folder: Path, driver_of: DriverOf, unprivileged: Callable
) -> None:
    make_database(open_folder / "secret.db").chmod(0o600)
    (open_folder / "closed").mkdir(mode=0o700)
    make_database(open_folder / "closed" / "shop.db")
    (open_folder / "closed").chmod(0o000)
    if os.geteuid() != 0:
        (open_folder / "secret.db").chmod(0o000)
    with unprivileged():
        for path in (open_folder / "secret.db", open_folder / "closed" / "shop.db"):
            fault = await fault_of(driver_of(path))
            assert isinstance(fault, AuthenticationError)
            assert (fault.kind, str(fault)) == (ErrorKind.AUTH, f"{path}: permission denied")
    (open_folder / "closed").chmod(0o700)


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("read_only", ["file", "folder"])
async def test_what_cannot_be_written_is_healthy_and_said_to_be_read_only(
    open_folder: Path, driver_of: DriverOf, unprivileged: Callable, read_only: str, *, wal: bool
) -> None:
    path = make_database(open_folder / "shop.db", wal=wal)
    path.chmod(0o444 if read_only == "file" else 0o666)
    open_folder.chmod(0o777 if read_only == "file" else 0o555)
    with unprivileged():
        answer = await driver_of(path, statement="SELECT * FROM item").check()
    assert answer.writable is False
    assert [file.name for file in open_folder.iterdir()] == ["shop.db"]


async def test_a_half_written_transaction_is_found_and_left_for_its_owner(tmp_path: Path, driver_of: DriverOf) -> None:
    path = make_database(tmp_path / "shop.db", rows=2000)
    crash = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('PRAGMA cache_size = 1');"
        "db.execute('UPDATE item SET name = name || name'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", crash, path], check=True)
    before = contents(tmp_path)
    assert set(before) == {"shop.db", "shop.db-journal"}
    fault = await fault_of(driver_of(path))
    assert (fault.kind, "half written" in str(fault)) == (ErrorKind.CORRUPT, True)
    assert contents(tmp_path) == before

    session = await driver_of(path).connect(read_only=False, timeout_s=5)
    await session.aclose()
    await driver_of(path).check()


async def test_the_check_statement_runs_after_the_schema_was_read(database: Path, driver_of: DriverOf) -> None:
    await driver_of(database, statement="SELECT 1").check()
    with pytest.raises(StatementError, match="no such table: orders"):
        await driver_of(database, statement="SELECT * FROM orders").check()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM item",
        "CREATE TABLE x(a)",
        "CREATE TEMP TABLE x(a)",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = WAL",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "VACUUM",
        "VACUUM INTO '{folder}/copy.db'",
        "ATTACH '{folder}/other.db' AS other",
        "ATTACH 'file:{folder}/other.db?mode=rwc' AS other",
    ],
)
@pytest.mark.parametrize("wal", [False, True])
async def test_a_check_statement_cannot_write(
    tmp_path: Path, driver_of: DriverOf, statement: str, *, wal: bool
) -> None:
    path = make_database(tmp_path / "shop.db", wal=wal)
    before = contents(tmp_path)
    with suppress(StatementError):  # some are refused, and some do nothing and say so
        await driver_of(path, statement=statement.format(folder=tmp_path)).check()
    assert contents(tmp_path) == before


async def test_damage_that_a_quick_check_reports_is_not_healthy(tmp_path: Path, driver_of: DriverOf) -> None:
    path = make_database(tmp_path / "shop.db", rows=5000)
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    path.write_bytes(content)
    await driver_of(path).check()
    for statement in ("PRAGMA quick_check", "PRAGMA integrity_check(5)", "SELECT * FROM pragma_quick_check"):
        fault = await fault_of(driver_of(path, statement=statement))
        assert fault.kind is ErrorKind.CORRUPT


async def test_a_thousand_checks_at_once_hold_few_files_open(tmp_path: Path, driver_of: DriverOf) -> None:
    original = make_database(tmp_path / "0.db").read_bytes()
    for number in range(1000):
        (tmp_path / f"{number}.db").write_bytes(original)
    answers = await asyncio.gather(*(driver_of(tmp_path / f"{number}.db").check() for number in range(1000)))
    assert all(answer.writable is None for answer in answers)
    assert len(list(tmp_path.iterdir())) == 1000
    assert not sqlite_files._uses


async def test_two_connections_may_share_a_file(tmp_path: Path, driver_of: DriverOf) -> None:
    path = make_database(tmp_path / "shop.db", wal=True)
    await asyncio.gather(*(driver_of(path, statement="SELECT * FROM item").check() for _ in range(100)))
    assert [file.name for file in tmp_path.iterdir()] == ["shop.db"]
