"""Sessions that only read, and files that can only be read."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import (
    ConnectError,
    ErrorKind,
    StatementError,
    WriteRefusedError,
)
from tests.drivers.sqlite_files import DriverOf, contents, make_database, run

WRITES = [
    "DELETE FROM item",
    "DELETE FROM item WHERE 0",
    "INSERT INTO item(name) VALUES ('x') RETURNING id",
    "WITH x AS (SELECT 1) UPDATE item SET name = 'x'",
    "CREATE TABLE x(a)",
    "CREATE TEMP TABLE x(a)",
    "DROP TABLE item",
    "PRAGMA user_version = 7",
    "PRAGMA query_only = OFF",
    "PRAGMA Journal_Mode = MEMORY",
    "PRAGMA writable_schema = ON",
    "PRAGMA wal_checkpoint",
    "PRAGMA optimize",
    "PRAGMA incremental_vacuum",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "ATTACH '{folder}/other.db' AS other",
    "ATTACH 'file:{folder}/other.db?mode=rwc' AS other",
    "DETACH main",
    "REINDEX",
    "ANALYZE",
    "ALTER TABLE item ADD COLUMN b",
]


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("statement", WRITES)
async def test_a_read_only_session_refuses_every_write(
    tmp_path: Path, driver_of: DriverOf, statement: str, *, wal: bool
) -> None:
    path = make_database(tmp_path / "shop.db", wal=wal)
    with closing(sqlite3.connect(path)) as application:  # so that a log is there already, as on a server
        application.execute("SELECT * FROM item").fetchall()
        before = contents(tmp_path)
        with pytest.raises(WriteRefusedError, match='"replica" was opened read-only') as raised:
            await run(driver_of(path), statement.format(folder=tmp_path), read_only=True)
        assert not raised.value.counts_as_failure
        assert raised.value.hint
        after = contents(tmp_path)
        assert set(after) == set(before)
        assert after["shop.db"] == before["shop.db"]
        assert after.get("shop.db-wal") == before.get("shop.db-wal")


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA table_info(item)",
        "PRAGMA integrity_check",
        "PRAGMA user_version",
        "SELECT * FROM pragma_table_info('item')",
        "EXPLAIN DELETE FROM item",
        "SELECT id FROM place WHERE x0 > 1",
        "SELECT * FROM word WHERE word MATCH 'blue'",
        "VALUES (1)",
    ],
)
async def test_a_read_only_session_reads_everything(database: Path, driver_of: DriverOf, statement: str) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE VIRTUAL TABLE place USING rtree(id, x0, x1)")
        db.execute("CREATE VIRTUAL TABLE word USING fts5(text)")
        db.execute("INSERT INTO place VALUES (1, 2, 3)")
        db.execute("INSERT INTO word VALUES ('blue sky')")
        db.commit()
    assert (await run(driver_of(database), statement, read_only=True)).rows


async def test_a_read_only_session_works_in_a_transaction_that_nothing_commits(
    database: Path, driver_of: DriverOf
) -> None:
    session = await driver_of(database).connect(read_only=True, timeout_s=5)
    try:
        await session.run("SELECT * FROM item", ())
        assert await session._connection.run(lambda cursor: cursor.connection.in_transaction)
    finally:
        await session.aclose()


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("read_only", ["file", "folder"])
async def test_what_cannot_be_written_can_be_read_and_says_so(
    open_folder: Path, driver_of: DriverOf, unprivileged: Callable, read_only: str, *, wal: bool
) -> None:
    path = make_database(open_folder / "shop.db", wal=wal)
    path.chmod(0o444 if read_only == "file" else 0o666)
    open_folder.chmod(0o777 if read_only == "file" else 0o555)
    with unprivileged():
        for session_read_only in (False, True):
            result = await run(driver_of(path), "SELECT count(*) FROM item", read_only=session_read_only)
            assert result.rows == [(3,)]
        with pytest.raises(StatementError, match="can only be read"):
            await run(driver_of(path), "DELETE FROM item")


async def test_a_killed_writer_leaves_the_file_as_it_was_for_the_next_session(
    tmp_path: Path, driver_of: DriverOf
) -> None:
    path = make_database(tmp_path / "shop.db", rows=2000)
    crash = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('PRAGMA cache_size = 1');"
        "db.execute('UPDATE item SET name = 1'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", crash, path], check=True)
    with pytest.raises(ConnectError) as raised:
        await run(driver_of(path), "SELECT count(*) FROM item", read_only=True)
    assert raised.value.kind is ErrorKind.CORRUPT
    assert (await run(driver_of(path), "SELECT count(*) FROM item WHERE name LIKE 'item %'")).rows == [(2000,)]
    assert set(contents(tmp_path)) == {"shop.db"}


async def test_a_url_that_says_read_only_is_kept_without_any_failover(tmp_path: Path) -> None:
    path = make_database(tmp_path / "a.db")
    driver = open_driver(Target("a", "sqlite", "sqlite", path=str(path), params={"mode": "ro"}))
    session = await driver.connect(read_only=False, timeout_s=5)
    try:
        with pytest.raises(WriteRefusedError) as refused:
            await session.run("DELETE FROM item", ())
    finally:
        await session.aclose()
    assert "mode=ro" in str(refused.value.hint)
