"""What SQLite and the operating system say about a state file, in words for people."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from omnidb_cli.descriptors import LACKS, lack_of_descriptors
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.sqlite.path import is_ours
from omnidb_cli.state.sqlite.rights import advice

BUSY_S: Final = 5.0
"""How long a lock of another process is waited for."""

_FILES_AT_ONCE = 4
"""The file, its journals, and the folder that is synchronised: so many descriptors SQLite may want at a time."""


class UnusableFileError(StateStoreError):
    """The file is damaged or from another omnidb; `reset` may put it aside."""


class GarbledRowError(Exception):
    """A row holds something else than what was written."""


@contextmanager
def translate_errors(path: str) -> Iterator[None]:
    """Turns what SQLite and the operating system say about the file into a StateStoreError."""
    try:
        yield
    except sqlite3.Error as error:
        _explain(path, error)
    except GarbledRowError as error:
        raise damaged(path, str(error)) from error
    except UnicodeDecodeError as error:
        raise damaged(path, "a text in it is not UTF-8") from error
    except PermissionError as error:
        raise StateStoreError(
            f"state file {path} cannot be used: {error.strerror or error}", hint=advice(path)
        ) from error
    except OSError as error:
        raise StateStoreError(f"state file {path} cannot be used: {error.strerror or error}") from error


def row_of(row: tuple[Any, ...], *types: Any) -> tuple[Any, ...]:
    """`row`, if its values are of these types: SQLite keeps whatever it is given. Raises GarbledRowError."""
    for value, kind in zip(row, types, strict=True):
        if not isinstance(value, kind):
            raise GarbledRowError(f"{type(value).__name__} where {getattr(kind, '__name__', kind)} belongs")
    return row


def _explain(path: str, error: sqlite3.Error) -> NoReturn:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    lack = lack_of_descriptors(_FILES_AT_ONCE) if code == sqlite3.SQLITE_CANTOPEN else None
    if lack is not None and lack in LACKS:
        said, hint = LACKS[lack]
        raise StateStoreError(f"state file {path} cannot be opened: {said}", hint=hint) from error
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            raise locked(path) from error
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            raise damaged(path, str(error)) from error
        case sqlite3.SQLITE_FULL:
            raise StateStoreError(
                f"state file {path} cannot be written: the disk is full", hint="free some space and repeat"
            ) from error
        case sqlite3.SQLITE_READONLY:
            raise StateStoreError(
                f"state file {path} cannot be written: it or its folder is read-only ({error})",
                hint=advice(path) or "use an account that may write there, or name another file with --state",
            ) from error
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            raise StateStoreError(
                f"state file {path} cannot be opened ({error})",
                hint=advice(path) or "check the rights on it and on its folder",
            ) from error
        case sqlite3.SQLITE_IOERR:
            raise StateStoreError(
                f"state file {path} cannot be read or written ({error})", hint="check the disk, its quota and its space"
            ) from error
        case _:
            raise StateStoreError(f"state file {path} cannot be used ({error})") from error


def locked(path: str) -> StateStoreError:
    """The error for a file that another process keeps to itself."""
    return StateStoreError(
        f"state file {path} is locked by another process and did not become free within {BUSY_S:g}s",
        hint="find the process that holds it (`fuser` names it) and repeat",
    )


def damaged(path: str, what: str) -> UnusableFileError:
    """The error for a file whose content is not what was written."""
    if is_ours(path):
        hint = "`omnidb state reset` backs it up and begins with an empty state; holds by hand in it are lost"
    else:
        hint = "nothing in it says that it is omnidb's: move it away yourself, or name another file with --state"
    return UnusableFileError(f"state file {path} is damaged ({what}); it is left as it is", hint=hint)
