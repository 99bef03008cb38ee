"""One check of a database file."""

import sqlite3
from time import perf_counter

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.sqlite.connection import Access, Connection, only_read
from omnidb_cli.drivers.sqlite.errors import Locked, is_locked, is_refused_write, while_running
from omnidb_cli.errors import DriverError, ErrorKind, StatementError

_FULL_OF_FINDINGS = ("quick_check", "integrity_check")


class Checker:
    """Call it in a thread; again, after Locked. The latency counts from the first call."""

    def __init__(self, path: str, statement: str | None) -> None:
        self._connection = Connection(path, Access.CHECK)
        self._statement = statement
        self._started_at: float | None = None
        self.stop = self._connection.stop

    def __call__(self) -> Observation:
        if self._started_at is None:
            self._started_at = perf_counter()
        try:
            self._check()
        except DriverError as error:
            if error.kind is not ErrorKind.CORRUPT:
                raise
            self._check()  # without a lock one may see a file half changed that was idle a moment ago
        latency_s = perf_counter() - self._started_at
        # that a file may be written does not tell whether it should be: only that it may not is evidence of a role
        return Observation(
            latency_s, writable=None if self._connection.writable else False, version=sqlite3.sqlite_version
        )

    def _check(self) -> None:
        try:
            cursor = self._connection.open()
            if self._statement is not None:
                self._ask(cursor, self._statement)
        finally:
            self._connection.close()

    def _ask(self, cursor: sqlite3.Cursor, statement: str) -> None:
        """Reads the first row: it proves that the database answers, and a large table is not read for it."""
        only_read(cursor)
        try:
            row = cursor.execute(statement).fetchone()
        except (sqlite3.Error, UnicodeError, MemoryError) as error:
            raise self._failure(error) from error
        if row and cursor.description[0][0] in _FULL_OF_FINDINGS and row[0] != "ok":
            raise DriverError(f"{self._connection.path} is damaged: {row[0]}", kind=ErrorKind.CORRUPT)

    def _failure(self, error: Exception) -> Exception:
        if is_locked(error):
            return Locked()
        if is_refused_write(error):
            return StatementError(f"the check statement may only read: {error}")
        return while_running(self._connection.path, error)
