"""One SQLite connection that can be stopped from outside, and that changes nothing where it must not."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from threading import Lock
from typing import TypeVar

from omnidb_cli.drivers.sqlite.errors import Locked, is_locked, while_opening
from omnidb_cli.drivers.sqlite.files import Claim, File, inspect, log_is_idle, unreachable, uri
from omnidb_cli.drivers.sqlite.threads import GRACE_S, start
from omnidb_cli.errors import DriverError

T = TypeVar("T")

_OPERATIONS_BETWEEN_CHECKS = 10_000  # of SQLite's virtual machine: about a quarter of a millisecond
_LONGEST_PAUSE_S = 0.025

_READS_ITS_ARGUMENT = frozenset({
    "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo",
    "integrity_check", "quick_check", "table_info", "table_list", "table_xinfo",
})  # fmt: skip
_ACTS_WITHOUT_ARGUMENT = frozenset({"incremental_vacuum", "optimize", "wal_checkpoint"})


class Access(Enum):
    """What a connection is for."""

    CHECK = "check"  # over in a moment, and leaves no trace
    READ = "read"
    WRITE = "write"


class Connection:
    """A connection to the file at `path`, open after `open`, and used by one thread at a time.

    `stop` may come from any thread and is for good: what runs is interrupted, nothing starts after it.
    """

    def __init__(self, path: str, access: Access) -> None:
        self.path = path
        self.access = access
        self.writable = False
        self._cursor: sqlite3.Cursor | None = None
        self._claim: Claim | None = None
        self._in_use = Lock()
        self._stopped = False

    def open(self) -> sqlite3.Cursor:
        """Opens the file, in this thread, and reads its schema, which proves that it is a database.

        Raises ConnectError or AuthenticationError, and Locked when another connection holds the file.
        """
        with self._in_use:
            try:
                return self._open()
            except OSError as error:
                raise unreachable(self.path, error) from error
            except (sqlite3.Error, MemoryError) as error:
                raise Locked if is_locked(error) else while_opening(self.path, error) from error

    def _open(self) -> sqlite3.Cursor:
        file = inspect(self.path)
        self.writable = file.writable
        self._claim = Claim(file)
        try:
            self._cursor = self._connect(file, in_wal_mode=self._claim.in_wal_mode).cursor()
            self._cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if self.access is Access.READ:
                self._make_read_only(self._cursor)
        except BaseException:
            self._close()
            raise
        return self._cursor

    def _connect(self, file: File, *, in_wal_mode: bool) -> sqlite3.Connection:
        # SQLite reads a database in WAL mode only with a log beside it, and makes one; immutable=1 does without.
        traceless = self.access is Access.CHECK or not file.folder_writable
        immutable = traceless and in_wal_mode and log_is_idle(file)
        db = sqlite3.connect(
            uri(file, mode="rw" if self.access is Access.WRITE else "ro", immutable=immutable),
            uri=True,
            timeout=0,  # SQLite's own wait for locks cannot be interrupted
            isolation_level=None,
            check_same_thread=False,
        )
        db.text_factory = _text
        db.set_progress_handler(self._is_stopped, _OPERATIONS_BETWEEN_CHECKS)
        return db

    def _make_read_only(self, cursor: sqlite3.Cursor) -> None:
        """More than the read-only file: a transaction that nothing commits, and a guard (see `only_read`)."""
        cursor.execute("PRAGMA query_only = ON")
        cursor.execute("BEGIN")
        only_read(cursor)

    def _is_stopped(self) -> bool:
        return self._stopped

    def stop(self) -> None:
        """Interrupts the statement that runs, and every later one."""
        self._stopped = True
        cursor = self._cursor
        if cursor is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed in this moment
                cursor.connection.interrupt()  # a PRAGMA integrity_check does not ask the progress handler

    async def run(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        """What `work` returns, done in a thread. When cancelled, what runs is stopped first."""
        return await start(partial(self._exclusively, work)).result(self.stop)

    def _exclusively(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        with self._in_use:
            if self._cursor is None or self._stopped:
                raise DriverError(f"{self.path}: the connection is closed")
            return work(self._cursor)

    async def aclose(self) -> None:
        """Stops what runs and closes; a thread that hangs is left to close the connection when it returns."""
        self.stop()
        try:
            closing = start(self.close)
        except RuntimeError:  # this host allows no more threads, so none is at work on it, unless it hangs
            if not self._in_use.locked():
                self.close()
            return
        await closing.ended_within(GRACE_S)

    def close(self) -> None:
        """Closes in this thread, after what another one is still doing."""
        with self._in_use:
            self._close()

    def _close(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            db = cursor.connection
            cursor.close()  # an open statement would keep the file open
            db.close()
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:  # SQLite keeps as TEXT whatever bytes it is given
        return raw


def only_read(cursor: sqlite3.Cursor) -> None:
    """Makes the connection refuse what a read-only file handle and `query_only` do not stop."""
    cursor.connection.set_authorizer(_allow_reading)


def _allow_reading(action: int, name: str | None, argument: str | None, *_where: str | None) -> int:
    match action:
        case sqlite3.SQLITE_ATTACH | sqlite3.SQLITE_DETACH:
            return sqlite3.SQLITE_DENY
        case sqlite3.SQLITE_PRAGMA:
            return sqlite3.SQLITE_OK if _only_reads((name or "").lower(), argument) else sqlite3.SQLITE_DENY
        case _:
            return sqlite3.SQLITE_OK


def _only_reads(pragma: str, argument: str | None) -> bool:
    return pragma in _READS_ITS_ARGUMENT if argument is not None else pragma not in _ACTS_WITHOUT_ARGUMENT


async def until_unlocked(attempt: Callable[[], Awaitable[T]], *, deadline: float) -> T:
    """What `attempt` returns, repeated while it meets a lock.

    `deadline` is a time of the event loop's clock; after it Locked is raised.
    """
    clock = asyncio.get_running_loop().time
    pause_s = 0.001
    while True:
        try:
            return await attempt()
        except Locked:
            left_s = deadline - clock()
            if left_s <= 0:
                raise
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
