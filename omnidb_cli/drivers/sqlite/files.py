"""What the file system tells of a database file before SQLite opens it, and how to open it without changing anything.

SQLite alone is not enough: opening a FIFO hangs, an empty file passes for a database, and a reader of a database
in WAL mode that nobody has open leaves a `-wal` and a `-shm` file behind.
"""

import errno
import os
import stat
from threading import Lock

from msgspec import Struct

from omnidb_cli.drivers.network_errors import not_connected, trouble_of
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind

_MAGIC = b"SQLite format 3\0"
_READ_VERSION = 19  # the place of the header's byte that tells readers to use the write-ahead log
_WAL = b"\x02"

_KINDS = {
    errno.ENOENT: ErrorKind.NOT_FOUND,
    errno.ENOTDIR: ErrorKind.NOT_FOUND,
    errno.ELOOP: ErrorKind.NOT_FOUND,
    errno.ENAMETOOLONG: ErrorKind.NOT_FOUND,
}


class File(Struct, frozen=True):
    """A regular, non-empty file. `path` is no symbolic link: SQLite keeps its logs beside the file itself."""

    path: str
    inode: tuple[int, int]
    folder_writable: bool
    writable: bool


def inspect(path: str) -> File:
    """The database file at `path`.

    Raises OSError, and ConnectError (`corrupt`) for what cannot be a database. An empty file is refused too: SQLite
    would take it for a database without tables, but on a server it is one that was cut off or never filled.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        path = os.path.realpath(path, strict=True)
        found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ConnectError(f"{path} is {_what(found.st_mode)}, not a database file", kind=ErrorKind.CORRUPT)
    if found.st_size == 0:
        raise ConnectError(
            f"{path} is empty (0 bytes): it was cut off, or never filled",
            kind=ErrorKind.CORRUPT,
            hint=f"restore it; to start with a new database: sqlite3 {path} 'PRAGMA user_version = 1'",
        )
    # SQLite needs a journal beside the file to write it
    folder_writable = os.access(path.rpartition("/")[0] or "/", os.W_OK | os.X_OK)
    return File(path, (found.st_dev, found.st_ino), folder_writable, folder_writable and os.access(path, os.W_OK))


def unreachable(path: str, error: OSError) -> ConnectError:
    """The error of our tree for what the operating system said about `path`."""
    if isinstance(error, PermissionError):
        return AuthenticationError(
            f"{path}: permission denied", hint="give this user the right to read the file and to enter its folders"
        )
    trouble = trouble_of(error)
    if trouble is not None and trouble.is_local:
        return not_connected(trouble, path)
    kind = _KINDS.get(error.errno or 0, ErrorKind.INTERNAL)
    if error.errno != errno.ENOENT:
        return ConnectError(f"{path}: {error.strerror or error}", kind=kind)
    if str(error.filename) != path:
        return ConnectError(f"{path} is a link to {error.filename}, which does not exist", kind=kind)
    return ConnectError(f"{path} does not exist", kind=kind)


def _what(mode: int) -> str:
    match stat.S_IFMT(mode):
        case stat.S_IFDIR:
            return "a directory"
        case stat.S_IFIFO:
            return "a named pipe"
        case stat.S_IFSOCK:
            return "a socket"
        case _:
            return "a device"


class _Use:
    """The connections of this process to one file."""

    __slots__ = ("checking", "in_wal_mode", "users")

    def __init__(self) -> None:
        self.users = 0
        self.in_wal_mode = False
        self.checking = Lock()


_uses: dict[tuple[int, int], _Use] = {}
_uses_lock = Lock()


class Claim:
    """Kept for as long as a SQLite connection to `file` is open; `in_wal_mode` is what the file's header says.

    Closing any descriptor of a file drops all of the process's POSIX locks on it, also those that SQLite relies on
    (https://www.sqlite.org/howtocorrupt.html, section 2.2). So the header is read by the first claim alone,
    before anything is open, and the later ones are told. Raises OSError.
    """

    def __init__(self, file: File) -> None:
        self._inode = file.inode
        with _uses_lock:
            use = _uses.setdefault(file.inode, _Use())
            use.users += 1
            first = use.users == 1
            if first:
                use.checking.acquire()
        if not first:
            with use.checking:
                self.in_wal_mode = use.in_wal_mode
            return
        try:
            use.in_wal_mode = self.in_wal_mode = _says_wal(file.path)
        except OSError:
            self.release()
            raise
        finally:
            use.checking.release()

    def release(self) -> None:
        """Gives the use back."""
        with _uses_lock:
            use = _uses[self._inode]
            use.users -= 1
            if not use.users:
                del _uses[self._inode]


def _says_wal(path: str) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        header = os.pread(descriptor, _READ_VERSION + 1, 0)
    finally:
        os.close(descriptor)
    return header.startswith(_MAGIC) and header[_READ_VERSION:] == _WAL


def log_is_idle(file: File) -> bool:
    """Whether a database in WAL mode is all in its main file, and nobody has it open.

    If not, SQLite reads it with the log and its index; an index that is missing is the one file that a check adds.
    """
    log_size = _size(file.path + "-wal")
    return log_size is None or (log_size == 0 and _size(file.path + "-shm") is None)


def _size(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return None


def uri(file: File, *, mode: str, immutable: bool = False) -> str:
    """SQLite's URI for `file`, whatever characters its name has. `mode` is `ro` or `rw`; neither creates it."""
    quoted = file.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file://{quoted}?mode={mode}{'&immutable=1' if immutable else ''}"
