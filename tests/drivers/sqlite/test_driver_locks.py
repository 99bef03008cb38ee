"""Locks, cancellation and many at once: everything ends, and nothing is held or lost."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from omnidb_cli.drivers.sqlite import files as sqlite_files
from omnidb_cli.drivers.sqlite import threads
from omnidb_cli.errors import (
    ConnectError,
    DriverError,
    ErrorKind,
    StatementTimeout,
)
from tests.drivers.sqlite_files import ENDLESS, DriverOf, contents, fault_of, query, run


async def test_a_locked_file_is_waited_for_and_then_said_to_be_locked(database: Path, driver_of: DriverOf) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        fault = await fault_of(driver_of(database, timeout_s=0.05))
        assert (fault.kind, "is locked by another connection" in str(fault)) == (ErrorKind.TIMEOUT, True)
        waiting = asyncio.create_task(driver_of(database).check())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        other.execute("COMMIT")
        assert (await waiting).latency_s >= 0.02, "the wait for the lock is part of the latency"


async def test_a_check_goes_on_beside_a_transaction_that_is_not_committing(database: Path, driver_of: DriverOf) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM item")
        await driver_of(database, timeout_s=0.05).check()


async def test_a_cancelled_check_stops_its_statement_and_leaves_nothing_open(
    database: Path, driver_of: DriverOf, open_descriptors: Callable[[], list[str]]
) -> None:
    before = open_descriptors()
    driver = driver_of(database, statement=f"{ENDLESS} SELECT count(*) FROM n")
    for _ in range(200):
        check = asyncio.create_task(driver.check())
        await asyncio.sleep(0)
        await asyncio.sleep(0.0005)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
    await all_threads_are_free()
    assert open_descriptors() == before
    assert not sqlite_files._uses


async def test_a_cancelled_wait_for_a_lock_ends_at_once(database: Path, driver_of: DriverOf) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for _ in range(20):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.003):
                    await driver_of(database).check()
    await all_threads_are_free()
    assert not sqlite_files._uses


async def all_threads_are_free() -> None:
    """Passes when as many jobs as there may be threads can all run at the same time."""
    together = threading.Barrier(threads.MOST_THREADS)
    jobs = [threads.start(lambda: together.wait(30)) for _ in range(threads.MOST_THREADS)]
    for job in jobs:
        await job.result(together.abort)


async def test_a_check_never_drops_the_locks_of_a_transaction_in_this_process(
    database: Path, driver_of: DriverOf
) -> None:
    """Closing any descriptor of the file would: POSIX locks belong to the process."""
    intrude = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None);"
        "db.execute('BEGIN IMMEDIATE')"
    )
    session = await driver_of(database).connect(read_only=False, timeout_s=5)
    try:
        await session._connection.run(lambda cursor: cursor.execute("BEGIN IMMEDIATE"))
        await driver_of(database, statement="SELECT * FROM item").check()
        await driver_of(database, statement="SELECT * FROM item").check()
        intruder = subprocess.run([sys.executable, "-c", intrude, database], capture_output=True, text=True)
        assert "database is locked" in intruder.stderr
    finally:
        await session.aclose()


async def test_a_lock_is_waited_for_only_so_long(database: Path, driver_of: DriverOf) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        session = await driver_of(database).connect(read_only=False, timeout_s=0.1)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConnectError) as raised:
            await driver_of(database).connect(read_only=False, timeout_s=0.05)
        assert raised.value.kind is ErrorKind.TIMEOUT
        with pytest.raises(StatementTimeout, match="locked by another connection") as stopped:
            await session.run("DELETE FROM item", ())
        await session.aclose()
        assert (stopped.value.kind, stopped.value.counts_as_failure) == (ErrorKind.TIMEOUT, False)
        other.execute("COMMIT")
    assert query(database, "SELECT count(*) FROM item") == [(3,)]


@pytest.mark.parametrize("statement", ["INSERT INTO item(name) VALUES ('late') RETURNING id", "SELECT 4"])
async def test_a_lock_that_is_given_up_in_time_is_no_error(database: Path, driver_of: DriverOf, statement: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        session = await driver_of(database).connect(read_only=False, timeout_s=30)
        other.execute("BEGIN EXCLUSIVE")
        waiting = asyncio.create_task(session.run(statement + " /* from item */", ()))
        if statement.startswith("SELECT"):
            other.execute("COMMIT")
        else:
            await asyncio.sleep(0.02)
            assert not waiting.done()
            other.execute("COMMIT")
        reply = await waiting
        assert [row async for batch in reply.batches for row in batch] == [(4,)]
        await session.aclose()


async def test_a_commit_that_meets_a_reader_is_tried_again_without_running_the_statement_twice(
    database: Path, driver_of: DriverOf
) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        cursor = reader.execute("SELECT * FROM item")
        cursor.fetchone()
        waiting = asyncio.create_task(run(driver_of(database), "UPDATE item SET id = id + 10", timeout_s=30))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        cursor.close()
        assert (await waiting).row_count == 3
    assert query(database, "SELECT id FROM item") == [(11,), (12,), (13,)]


@pytest.mark.parametrize(
    "statement",
    [
        f"{ENDLESS} SELECT count(*) FROM n",
        f"{ENDLESS} SELECT i FROM n WHERE i < 0",
        f"{ENDLESS} INSERT INTO item(name) SELECT i FROM n",
    ],
)
async def test_a_runaway_statement_stops_when_it_is_cancelled(
    database: Path, driver_of: DriverOf, statement: str, open_descriptors: Callable[[], list[str]]
) -> None:
    before = open_descriptors()
    session = await driver_of(database).connect(read_only=False, timeout_s=30)
    running = asyncio.create_task(session.run(statement, ()))
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not session._connection._in_use.locked(), "the thread still works"
    with pytest.raises(DriverError, match="closed"):
        await session.run("SELECT 1", ())
    await session.aclose()
    assert open_descriptors() == before
    assert query(database, "SELECT count(*) FROM item") == [(3,)]
    assert set(contents(database.parent)) == {"shop.db"}


async def test_closing_ends_a_statement_that_still_runs(database: Path, driver_of: DriverOf) -> None:
    session = await driver_of(database).connect(read_only=True, timeout_s=30)
    running = asyncio.create_task(session.run(f"{ENDLESS} SELECT count(*) FROM n", ()))
    await asyncio.sleep(0.02)
    await session.aclose()
    with pytest.raises(DriverError):
        await running
    await session.aclose()


async def test_cancelling_at_any_moment_leaves_all_or_nothing_and_no_lock(
    database: Path, driver_of: DriverOf, open_descriptors: Callable[[], list[str]]
) -> None:
    before = open_descriptors()
    driver = driver_of(database)
    for number in range(200):
        work = asyncio.create_task(run(driver, "UPDATE item SET name = ?", [f"n{number}"]))
        for _ in range(number % 12):
            await asyncio.sleep(0)
        await asyncio.sleep(number % 10 / 10_000)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert len(set(query(database, "SELECT name FROM item WHERE id > 0"))) in (1, 3)
    await all_threads_are_free()  # a close that was itself cancelled is finished by its thread
    assert open_descriptors() == before
    assert (await run(driver, "UPDATE item SET name = 'end'")).row_count == 3


async def test_forty_sessions_write_at_once_and_lose_nothing(database: Path, driver_of: DriverOf) -> None:
    driver = driver_of(database)
    statement = "UPDATE item SET name = CAST(name AS INTEGER) + 1 WHERE id = 1"
    query_result = await asyncio.gather(*(run(driver, statement, timeout_s=60) for _ in range(40)))
    assert [result.row_count for result in query_result] == [1] * 40
    assert query(database, "SELECT name FROM item WHERE id = 1") == [("40",)]
