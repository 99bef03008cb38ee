"""What is at the path of a state file: a file, nothing, or something that is no state and is never opened."""

import os
import stat
from pathlib import Path
from typing import Final

from msgspec import Struct

from omnidb_cli.errors import StateStoreError

APPLICATION_ID: Final = 0x6F6D6462  # "omdb"
JOURNALS: Final = ("-wal", "-shm", "-journal")

_MAGIC: Final = b"SQLite format 3\0"
_APPLICATION_ID_AT: Final = slice(68, 72)
_SCHEMA_WORDS: Final = b"CREATE TABLE connections (\n        topology TEXT NOT NULL"
_PAGE: Final = 4096
_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}

Identity = tuple[int, int]
"""Device and inode: the same path with another identity is another file."""


class NotOursError(StateStoreError):
    """What is at the path is no state of omnidb: nothing touches it, `reset` neither."""


class Standing(Struct, frozen=True):
    """Which file is at a path, when its content changed (ns) and its size in bytes."""

    identity: Identity
    changed_ns: int
    size: int


def identity(path: str) -> Identity | None:
    """Which file is at `path` now; None when there is none. Raises NotOursError for what is no regular file."""
    found = standing(path)
    return None if found is None else found.identity


def standing(path: str) -> Standing | None:
    """The file at `path` as it is now; None when there is none.

    Raises NotOursError for what is no regular file: opening a FIFO would wait for ever, and a device may act on it.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - one call a revision, and no Path object for it
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise NotOursError(f"state file {path} cannot be used: it is {kind}, not a file")
    return Standing((found.st_dev, found.st_ino), found.st_mtime_ns, found.st_size)


def refuse_dangling_link(given: str) -> None:
    """Raises NotOursError where `given` leads through a link to nothing: what is made there would lie elsewhere."""
    for place in (Path(given), *Path(given).parents):
        if place.is_symlink() and not place.exists():
            raise NotOursError(f"state file {given} cannot be used: {place} is a link that leads to nothing")


def is_ours(path: str) -> bool:
    """Whether the regular file at `path`, not one that a link there names, begins as a state of omnidb does.

    Tells it of a damaged file too, as long as the beginning is whole.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a link, a socket, or closed to us: nothing that we know as ours
        return False
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return False
        page = os.read(handle, _PAGE)
    finally:
        os.close(handle)
    by_header = page[_APPLICATION_ID_AT] == APPLICATION_ID.to_bytes(4, "big")
    return page.startswith(_MAGIC) and (by_header or _SCHEMA_WORDS in page)
