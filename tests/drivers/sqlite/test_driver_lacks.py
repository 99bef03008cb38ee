"""What this host lacks is no fault of the file: descriptors and threads (semantics, Health 9)."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from omnidb_cli.drivers.sqlite import threads as sqlite_threads
from omnidb_cli.drivers.sqlite.check import Checker
from omnidb_cli.drivers.sqlite.driver import SqliteDriver
from omnidb_cli.errors import ConnectError, DriverError, ErrorKind
from tests.drivers.sqlite_files import DriverOf, fault_of, make_database, run


@contextmanager
def few_descriptors(more: int) -> Iterator[None]:
    """Meanwhile this process may open so many files more."""
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_whose_log_cannot_be_opened_too(tmp_path: Path, more: int) -> None:
    """SQLite itself only says that it is unable to open a database file."""
    path = make_database(tmp_path / "shop.db", wal=True)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("INSERT INTO item(name) VALUES ('fresh')")
        writer.commit()
        check = Checker(str(path), None)
        with few_descriptors(more), pytest.raises(DriverError) as caught:
            check()
        assert (caught.value.kind, caught.value.counts_as_failure) == (ErrorKind.LOCAL, False)
        assert "ulimit -n" in str(caught.value)
        check()


def test_a_file_that_cannot_be_opened_by_its_own_fault(tmp_path: Path) -> None:
    path = make_database(tmp_path / "shop.db")
    check = Checker(str(path), "SELECT * FROM item")
    (tmp_path / "shop.db-journal").mkdir()
    with pytest.raises(DriverError) as caught:
        check()
    assert caught.value.kind is not ErrorKind.LOCAL


async def test_a_host_that_allows_no_more_threads(
    database: Path, driver_of: DriverOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_threads, "_threads", sqlite_threads._Threads())
        patched.setattr(Thread, "start", start)
        for fault in (await fault_of(driver_of(database)), await _connect_fault(driver_of(database))):
            assert isinstance(fault, ConnectError)
            assert (fault.kind, fault.counts_as_failure) == (ErrorKind.LOCAL, False)
    await driver_of(database).check()


async def _connect_fault(driver: SqliteDriver) -> DriverError:
    with pytest.raises(DriverError) as caught:
        await run(driver, "SELECT 1")
    return caught.value
