"""Threads that can be given up: one that hangs delays nobody else, nor the end of the process."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omnidb_cli.drivers.sqlite import connection as sqlite_connection
from omnidb_cli.drivers.sqlite import threads
from omnidb_cli.drivers.sqlite.driver import SqliteDriver
from omnidb_cli.errors import DriverError, ErrorKind
from tests.drivers.sqlite_files import make_database


def nothing() -> None:
    pass


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> threads._Threads:
    fresh = threads._Threads()
    monkeypatch.setattr(threads, "_threads", fresh)
    return fresh


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """What hanging work waits for; it is let go at the end."""
    released = threading.Event()
    yield released
    released.set()


async def test_work_returns_and_raises_where_it_is_awaited(pool: threads._Threads) -> None:
    def fail() -> None:
        raise KeyError("lost")

    assert await threads.start(lambda: 7).result(nothing) == 7
    with pytest.raises(KeyError, match="lost"):
        await threads.start(fail).result(nothing)


async def test_quick_work_is_done_by_few_threads(pool: threads._Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "HELD_UP_S", 60.0)
    names = await asyncio.gather(*(threads.start(threading.get_ident).result(nothing) for _ in range(500)))
    assert len(set(names)) <= threads.FEW_THREADS


async def test_work_that_is_held_up_gets_all_the_threads_there_may_be(pool: threads._Threads) -> None:
    together = threading.Barrier(threads.MOST_THREADS)
    jobs = [threads.start(lambda: together.wait(30)) for _ in range(threads.MOST_THREADS)]
    assert sorted([await job.result(together.abort) for job in jobs]) == list(range(threads.MOST_THREADS))


async def test_there_are_never_more_threads_than_that(pool: threads._Threads, hang: threading.Event) -> None:
    started = []
    jobs = [threads.start(lambda: (started.append(1), hang.wait(30))) for _ in range(threads.MOST_THREADS + 20)]
    while len(started) < threads.MOST_THREADS:
        await asyncio.sleep(0.001)
    await asyncio.sleep(4 * threads.HELD_UP_S)
    assert len(started) == threads.MOST_THREADS
    hang.set()
    for job in jobs:
        await job.result(nothing)
    assert len(started) == threads.MOST_THREADS + 20


async def test_threads_that_hang_are_written_off_and_replaced(
    pool: threads._Threads, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "GRACE_S", 0.01)
    hanging = [asyncio.create_task(threads.start(lambda: hang.wait(60)).result(nothing)) for _ in range(100)]
    while pool._alive < threads.MOST_THREADS:
        await asyncio.sleep(0.001)
    for task in hanging:
        task.cancel()
    outcomes = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert pool._lost > 0
    assert await threads.start(lambda: "served").result(nothing) == "served"
    hang.set()
    while pool._lost:
        await asyncio.sleep(0.001)
    assert pool._alive <= threads.MOST_THREADS


async def test_threads_that_were_added_go_again(pool: threads._Threads) -> None:
    together = threading.Barrier(threads.MOST_THREADS)
    jobs = [threads.start(lambda: together.wait(30)) for _ in range(threads.MOST_THREADS)]
    for job in jobs:
        await job.result(together.abort)
    while pool._alive > threads.FEW_THREADS:
        await asyncio.sleep(0.001)
    assert await threads.start(lambda: "served").result(nothing) == "served"


async def test_work_that_was_cancelled_in_the_queue_is_never_begun(
    pool: threads._Threads, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "FEW_THREADS", 1)
    monkeypatch.setattr(threads, "MOST_THREADS", 1)
    blocking = threads.start(lambda: hang.wait(60))
    begun: list[str] = []
    waiting = asyncio.create_task(threads.start(lambda: begun.append("cancelled")).result(nothing))
    last = threads.start(lambda: begun.append("last"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hang.set()
    await blocking.result(nothing)
    await last.result(nothing)
    assert begun == ["last"]


async def test_a_system_that_allows_no_more_threads_is_worked_with(
    pool: threads._Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await threads.start(lambda: 1).result(nothing) == 1

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert await asyncio.gather(*(threads.start(lambda: 2).result(nothing) for _ in range(50))) == [2] * 50


async def test_cancelling_again_while_it_waits_for_the_thread_ends_it_at_once(
    pool: threads._Threads, hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "GRACE_S", 600.0)
    begun = threading.Event()
    task = asyncio.create_task(threads.start(lambda: (begun.set(), hang.wait(60))).result(nothing))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_file_system_that_hangs_is_asked_once_and_delays_nobody(
    tmp_path: Path, driver_of: Callable[..., SqliteDriver], hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, well = make_database(tmp_path / "sick.db"), make_database(tmp_path / "well.db")
    asked = []
    inspect = sqlite_connection.inspect

    def hanging(path: str) -> object:
        if path == str(sick) and not hang.is_set():
            asked.append(path)
            hang.wait(60)
        return inspect(path)

    monkeypatch.setattr(sqlite_connection, "inspect", hanging)
    monkeypatch.setattr(threads, "GRACE_S", 0.01)
    driver = driver_of(sick)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await driver.check()
    for check in (driver.check, lambda: driver.connect(read_only=True, timeout_s=1)):
        with pytest.raises(DriverError, match="still hangs") as raised:
            await check()
        assert raised.value.kind is ErrorKind.TIMEOUT
    await asyncio.gather(*(driver_of(well).check() for _ in range(100)))
    assert len(asked) == 1
    hang.set()
    while not driver._latest.returned:
        await asyncio.sleep(0.001)
    await driver.check()


def test_a_thread_that_hangs_does_not_keep_the_process(database: Path) -> None:
    script = """
import asyncio, sys, threading
from omnidb_cli.drivers.sqlite import connection as sqlite_connection
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target

sqlite_connection.inspect = lambda path: threading.Event().wait()

async def main():
    try:
        async with asyncio.timeout(0.05):
            await open_driver(Target("a", "sqlite", "sqlite", path=sys.argv[1])).check()
    except TimeoutError:
        print("gave up")

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, database], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "gave up\n", "")
