"""The file under the SQLite store: found, recognised, created, read without a trace, put aside.

All that can go wrong with a file becomes a StateStoreError here; nothing is repaired and nothing is reset.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.sqlite.errors import BUSY_S, GarbledRowError, UnusableFileError, damaged, locked
from omnidb_cli.state.sqlite.path import (
    APPLICATION_ID,
    JOURNALS,
    Identity,
    NotOursError,
    Standing,
    identity,
    is_ours,
    standing,
)
from omnidb_cli.state.sqlite.rights import create, give_group, needs_group

SCHEMA: Final = 2
_RECENT_S: Final = 0.05
"""A file's time tells two changes apart only if they are some clock ticks apart."""

_ASK_AGAIN_S: Final = (0.002, 0.010)
"""The least and the most between two attempts at a lock. A crowd that asks in step leaves its holder no processor."""

_TABLES: Final = (
    """CREATE TABLE connections (
        topology TEXT NOT NULL, name TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (topology, name)
    ) WITHOUT ROWID""",
    # AUTOINCREMENT: a number once given is never given again, also after a reset; followers count on it.
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, topology TEXT NOT NULL, at_us INTEGER NOT NULL,
        type TEXT NOT NULL, class TEXT NOT NULL, name TEXT, record TEXT NOT NULL
    )""",
    "CREATE INDEX events_of_topology ON events (topology, id)",
    "CREATE INDEX events_of_class ON events (topology, class, id)",
    """CREATE TABLE writers (
        topology TEXT NOT NULL, writer TEXT NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (topology, writer)
    ) WITHOUT ROWID""",
)

Answer = TypeVar("Answer")
Question = Callable[[sqlite3.Connection], Answer]
"""Reads only, and may be asked more than once."""


class Opened(Struct, frozen=True):
    """A connection, and which file it is to."""

    db: sqlite3.Connection
    file: Identity


def connect(path: str, *, immutable: bool = False) -> sqlite3.Connection:
    """A connection to the existing file; never creates one. With `immutable` nothing appears beside it either."""
    mode = "mode=ro&immutable=1" if immutable else "mode=rw"
    db = sqlite3.connect(
        f"{Path(path).as_uri()}?{mode}", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    db.text_factory = bytes.decode  # the library's own way names no error of its own for what is not UTF-8
    return db


def verify_schema(db: sqlite3.Connection, path: str) -> None:
    """Returns if the database is ours and of the schema that we know.

    Raises UnusableFileError for another schema or an empty file (we never leave one: it was cut off), NotOursError for
    somebody else's database.
    """
    if not db.execute("PRAGMA page_count").fetchone()[0]:
        raise damaged(path, "it is empty")
    application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if application != APPLICATION_ID:
        if is_ours(path):
            raise damaged(path, "its header does not say that it is omnidb's, its tables do")
        raise NotOursError(
            f"{path} is a SQLite database, but not omnidb's saved state; it is left as it is",
            hint="name another file with --state or in the topology's state:",
        )
    if version > SCHEMA:
        raise UnusableFileError(
            f"state file {path} was written by a newer omnidb (schema {version}, this one knows {SCHEMA})",
            hint="upgrade omnidb, or name another file with --state",
        )
    if version < SCHEMA:
        raise UnusableFileError(
            f"state file {path} was written by an older omnidb (schema {version}, this one knows {SCHEMA})",
            hint="`omnidb state reset` backs it up and resets; note the holds in it before, with that older omnidb",
        )


def read(path: str, question: Question[Answer], nothing: Answer) -> Answer:
    """The answer of `question`, `nothing` where there is no state yet; nothing is created and nothing written.

    A file without a journal beside it is complete and is read as one that does not change; that it did not is
    looked up afterwards. Where that cannot be told, it is read once more under SQLite's locks, if the disk has room
    for them.
    """
    before = standing(path)
    if before is None:
        return nothing
    untouched: tuple[Answer, ...] = ()
    if not _has_journal(path):
        try:
            answer = _ask_untouched(path, question)
        except (sqlite3.Error, StateStoreError, GarbledRowError, UnicodeDecodeError):
            if _is_unchanged(path, before):
                raise
        else:
            if _is_unchanged(path, before):
                return answer
            untouched = (answer,)
    try:
        return _ask_under_locks(path, question, nothing)
    except sqlite3.OperationalError:
        if untouched and standing(path) == before and not _has_journal(path):
            return untouched[0]
        raise


def open_existing(path: str) -> Opened | None:
    """A connection to our file that can be held, None where there is no file. What it commits is on disk."""
    if standing(path) is None:
        return None
    group = needs_group(path)
    with folder_lock(path, shared=not group):  # nobody meets journals that have not got their group yet
        file = identity(path)
        if file is None:
            return None
        for journal in JOURNALS:
            standing(path + journal)  # SQLite would open whatever is there
        db = connect(path)
        try:
            verify_schema(db, path)
            if group:
                give_group(path)
            db.execute("PRAGMA synchronous=FULL")
        except BaseException:
            db.close()
            raise
        return Opened(db, file)


def open_or_create(path: str) -> Opened:
    """The same; where there is no file, it and its folder are made."""
    while (opened := open_existing(path)) is None:
        _create(path)
    return opened


def begin(db: sqlite3.Connection) -> None:
    """Takes the write lock, waiting for it at most `BUSY_S`.

    SQLite's own wait sleeps the longer the longer it has waited, so that among many writers the latest one wins and
    the first one runs out of time; here each asks equally often.
    """
    deadline = time.monotonic() + BUSY_S
    db.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            time.sleep(_until_asked_again_s())
    finally:
        db.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")


def _until_asked_again_s() -> float:
    least, most = _ASK_AGAIN_S
    return least + (most - least) * os.urandom(1)[0] / 255


def _has_journal(path: str) -> bool:
    """Whether something may be committed that is not in the file itself.

    An empty journal holds nothing. Where the disk was full it is what a write leaves, beside an index too short to
    be opened, and the file is whole all the same.
    """
    found = (standing(path + journal) for journal in ("-wal", "-journal"))
    return any(one is not None and one.size > 0 for one in found)


def _ask_under_locks(path: str, question: Question[Answer], nothing: Answer) -> Answer:
    opened = open_existing(path)
    if opened is None:
        return nothing
    with closing(opened.db) as db:
        return question(db)


def _ask_untouched(path: str, question: Question[Answer]) -> Answer:
    with closing(connect(path, immutable=True)) as db:
        verify_schema(db, path)
        return question(db)


def _is_unchanged(path: str, before: Standing) -> bool:
    if _has_journal(path) or standing(path) != before:
        return False
    folder_is_writable = os.access(Path(path).parent, os.W_OK)
    return not folder_is_writable or time.time_ns() - before.changed_ns > _RECENT_S * 1e9


def _create(path: str) -> None:
    """Makes the whole file under another name first: nobody ever sees half of it, whenever this process dies."""
    _make_folder(Path(path).parent)
    with folder_lock(path) as folder:
        if standing(path) is not None:
            return
        unborn = path + ".new"
        for left in (unborn, *(name + journal for name in (unborn, path) for journal in JOURNALS)):
            Path(left).unlink(missing_ok=True)  # of a file that was deleted, or never finished: SQLite would read them
        create(unborn)
        with closing(connect(unborn)) as db:
            _make_tables(db)
        Path(unborn).rename(path)
        os.fsync(folder)


def _make_tables(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        db.execute(table)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={SCHEMA}")
    db.execute("COMMIT")


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(0o700, exist_ok=True)


@contextmanager
def folder_lock(path: str, *, shared: bool = False) -> Iterator[int]:
    """Keeps opening (shared) apart from creating and moving: nobody opens one file with the journal of another."""
    import fcntl

    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    handle = os.open(Path(path).parent, os.O_RDONLY)
    try:
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                fcntl.flock(handle, mode | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise locked(path) from None
                time.sleep(_until_asked_again_s())
        yield handle
    finally:
        os.close(handle)
