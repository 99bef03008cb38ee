"""SQLite's errors in the words and kinds of our tree."""

import sqlite3

from omnidb_cli.drivers.network_errors import Trouble, not_connected, trouble_of, trouble_of_descriptors
from omnidb_cli.errors import AuthenticationError, ConnectError, DriverError, ErrorKind, StatementError

_KINDS = {
    sqlite3.SQLITE_PERM: ErrorKind.AUTH,
    sqlite3.SQLITE_FULL: ErrorKind.CAPACITY,
    sqlite3.SQLITE_CORRUPT: ErrorKind.CORRUPT,
    sqlite3.SQLITE_NOTADB: ErrorKind.CORRUPT,
    sqlite3.SQLITE_FORMAT: ErrorKind.CORRUPT,
    sqlite3.SQLITE_PROTOCOL: ErrorKind.TIMEOUT,
    sqlite3.SQLITE_READONLY: ErrorKind.INTERNAL,  # the file was moved, or a lock could not be had
    sqlite3.SQLITE_INTERNAL: ErrorKind.INTERNAL,
    sqlite3.SQLITE_INTERRUPT: ErrorKind.INTERNAL,
    sqlite3.SQLITE_IOERR: ErrorKind.INTERNAL,
    sqlite3.SQLITE_CANTOPEN: ErrorKind.INTERNAL,
    sqlite3.SQLITE_NOLFS: ErrorKind.INTERNAL,
    sqlite3.SQLITE_MISUSE: ErrorKind.INTERNAL,
}
"""Trouble of the database, by primary result code. What is not here is trouble of the statement."""

_FILES_AT_ONCE = 4
"""As many as SQLite opens for one database: the file, its log, the log's index, and one for what it sorts."""

_NEEDS_RECOVERY = (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY)
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_READONLY_DIRECTORY)


class Locked(Exception):  # noqa: N818 - a state of affairs that may pass; it never leaves the driver
    """Another connection holds the lock that is needed. Nothing was done, so it may be tried again."""


def is_locked(error: BaseException) -> bool:
    """Whether waiting may help."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def is_refused_write(error: BaseException) -> bool:
    """Whether a read-only connection, or its guard, turned the statement down."""
    return _code(error) in _NOT_WRITABLE or _primary_code(error) == sqlite3.SQLITE_AUTH


def while_opening(path: str, error: Exception) -> ConnectError:
    """The error for a database that cannot be opened, or whose schema cannot be read."""
    if _code(error) in _NEEDS_RECOVERY:
        return ConnectError(_half_written(path), kind=ErrorKind.CORRUPT, hint=_recovery(path))
    if (trouble := _trouble_of_this_host(error)) is not None:
        return not_connected(trouble, path)
    match _primary_code(error):
        case sqlite3.SQLITE_NOTADB:
            return ConnectError(f"{path} is not a SQLite database, or it is encrypted", kind=ErrorKind.CORRUPT)
        case sqlite3.SQLITE_PERM:
            return AuthenticationError(f"{path}: {error}")
        case sqlite3.SQLITE_CANTOPEN:
            hint = f"check the rights of its folder, and of {path}-wal, {path}-shm and {path}-journal"
            return ConnectError(f"{path}: {error}", hint=hint)
        case code:
            return ConnectError(f"{path}: {error}", kind=_KINDS.get(code, ErrorKind.INTERNAL))


def while_running(path: str, error: Exception) -> DriverError:
    """The error for a statement that failed; one that is the database's trouble counts as a failure."""
    if _code(error) in _NEEDS_RECOVERY:
        return DriverError(_half_written(path), kind=ErrorKind.CORRUPT, hint=_recovery(path))
    if _code(error) in _NOT_WRITABLE:
        return StatementError(f"{path} can only be read: {error}", hint="check the rights of the file and its folder")
    if (trouble := _trouble_of_this_host(error)) is not None:
        return DriverError(f"{path}: {trouble.sentence}", kind=trouble.kind, hint=trouble.hint)
    kind = _KINDS.get(_primary_code(error))
    return StatementError(str(error)) if kind is None else DriverError(f"{path}: {error}", kind=kind)


def _trouble_of_this_host(error: Exception) -> Trouble | None:
    """What this host lacks, of which SQLite only says that it cannot open a file."""
    if isinstance(error, MemoryError):
        return trouble_of(error)
    return trouble_of_descriptors(_FILES_AT_ONCE) if _primary_code(error) == sqlite3.SQLITE_CANTOPEN else None


def _half_written(path: str) -> str:
    return f"{path}: a crash left a transaction half written, and it has not been rolled back yet"


def _recovery(path: str) -> str:
    return f"the next program that may write rolls it back: start the application, or run: sqlite3 {path} .schema"


def _code(error: BaseException) -> int:
    """The extended result code; 0 for what Python itself raised."""
    return getattr(error, "sqlite_errorcode", None) or 0


def _primary_code(error: BaseException) -> int:
    return _code(error) & 0xFF
