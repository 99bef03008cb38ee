"""Database files to test with, and one statement run from its connect to its close."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from omnidb_cli.drivers.sqlite.driver import SqliteDriver
from omnidb_cli.errors import DriverError

DriverOf = Callable[..., SqliteDriver]

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "


def make_database(path: Path, *, wal: bool = False, rows: int = 3) -> Path:
    """A closed database with the table `item(id INTEGER PRIMARY KEY, name TEXT)` and an index."""
    with closing(sqlite3.connect(path)) as db:
        if wal:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("CREATE INDEX item_name ON item(name)")
        db.executemany("INSERT INTO item(name) VALUES (?)", [(f"item {number}",) for number in range(1, rows + 1)])
        db.commit()
    return path


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of `folder` with its bytes and the time of its last change."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir() if file.is_file()}


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(statement).fetchall()


class Result(NamedTuple):
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    row_count: int | None
    command: str


async def run(
    driver: SqliteDriver,
    statement: str,
    parameters: Sequence[str] = (),
    *,
    read_only: bool = False,
    timeout_s: float = 5,
) -> Result:
    session = await driver.connect(read_only=read_only, timeout_s=timeout_s)
    try:
        reply = await session.run(statement, parameters)
        rows = [row async for batch in reply.batches for row in batch]
        return Result(reply.columns, rows, reply.row_count(), reply.command())
    finally:
        await session.aclose()


async def fault_of(driver: SqliteDriver) -> DriverError:
    """The error that a check ends with."""
    with pytest.raises(DriverError) as raised:
        await driver.check()
    return raised.value
