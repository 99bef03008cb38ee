"""One process's hold on the state file: a connection once it is needed, given up when the file is another."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from omnidb_cli.state.sqlite.backup import move_aside, not_ours
from omnidb_cli.state.sqlite.errors import translate_errors
from omnidb_cli.state.sqlite.file import (
    Answer,
    Opened,
    Question,
    begin,
    open_existing,
    open_or_create,
    read,
    verify_schema,
)
from omnidb_cli.state.sqlite.path import Identity, identity, refuse_dangling_link, standing
from omnidb_cli.state.sqlite.rights import exposed_by, sharing
from omnidb_cli.state.store import Sharing

_REFUSALS, _REFUSED_S = 5, 0.01
"""How often a write is tried again where the file or a journal cannot be written, and after how long."""


class FileAccess:
    """Reads and changes the file that `given` leads to, one at a time. Every method may raise StateStoreError."""

    def __init__(self, given: str) -> None:
        self._given = os.path.abspath(given)  # noqa: PTH100 - links in it are to be seen
        self.path = os.path.realpath(given)
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None
        self._file: Identity | None = None
        self._seen: object = None
        self._revision = 0

    def read(self, question: Question[Answer], nothing: Answer) -> Answer:
        """The answer of `question`, `nothing` where there is no file. Leaves no trace unless a connection is held."""
        with self._lock, self._explained():
            self._release_if_moved()
            return read(self.path, question, nothing) if self._db is None else question(self._db)

    def write(self, act: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Runs `act` in one transaction that excludes every other writer; all of it is kept, or nothing."""
        with self._lock, self._explained():
            try:
                db = self._begin()
                outcome = act(db)
                db.execute("COMMIT")
            except BaseException:
                self._release()  # the open transaction goes with its connection
                raise
            return outcome

    def revision(self) -> int:
        """A number that grows when another process changed, made, removed or replaced the file."""
        with self._lock, self._explained():
            seen = self._check()
            if seen != self._seen:
                self._seen = seen
                self._revision += 1
            return self._revision

    def is_absent(self) -> bool:
        """Whether there is no file."""
        with self._explained():
            return standing(self.path) is None

    def sharing(self) -> Sharing:
        """Who shares the file; where there is none, who will."""
        with self._explained():
            return sharing(self.path)

    def exposed_by(self) -> str | None:
        """The folder by which everybody may put another file in the place of this one."""
        return exposed_by(self.path)

    def move_aside(self, stamp: str) -> str:
        """Renames the file, whatever else is in it; returns its new name.

        Raises PreconditionError where it is not known to be ours, or where the path is a link to it.
        """
        with self._lock, self._explained():
            self._release()
            if os.path.islink(self._given):  # noqa: PTH114 - as the rest
                raise not_ours(f"{self._given} is a link to {self.path}")
            return move_aside(self.path, stamp)

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with translate_errors(self.path):
            if self._db is None and standing(self.path) is None:
                refuse_dangling_link(self._given)
            yield

    def _begin(self) -> sqlite3.Connection:
        """A connection that holds the write lock of the file that is at the path now, not of one moved aside.

        Another account may be making the journals at this very moment, and a connection that met one without the
        group's rights stays read-only: such a one is given up a few times before it is believed.
        """
        refusals = 0
        while True:
            self._release_if_moved()
            try:
                db = self._db or self._hold(open_or_create(self.path))
                begin(db)
            except sqlite3.OperationalError as error:
                refusals += 1
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY or refusals > _REFUSALS:
                    raise
                self._release()
                time.sleep(_REFUSED_S)
                continue
            if identity(self.path) == self._file:
                verify_schema(db, self.path)
                return db
            self._release()

    def _check(self) -> object:
        self._release_if_moved()
        try:
            if self._db is None and (opened := open_existing(self.path)) is not None:
                self._hold(opened)
            return self._db and (self._file, self._db.execute("PRAGMA data_version").fetchone())
        except sqlite3.OperationalError:
            self._release()
            return standing(self.path)  # a folder that is closed to us: the file's time has to do

    def _hold(self, opened: Opened) -> sqlite3.Connection:
        self._db, self._file = opened.db, opened.file
        self._seen = None  # data_version counts for one connection; what another one missed cannot be told
        return opened.db

    def _release_if_moved(self) -> None:
        if self._db is not None and identity(self.path) != self._file:
            self._release()

    def _release(self) -> None:
        db, self._db, self._file = self._db, None, None
        if db is not None:
            db.close()
