"""The saved state of one host: a SQLite file that many processes read and change at once."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.events.model import Event, utc
from omnidb_cli.errors import StateStoreError
from omnidb_cli.log import Log
from omnidb_cli.state import records
from omnidb_cli.state.actor import current_actor
from omnidb_cli.state.sqlite.access import FileAccess
from omnidb_cli.state.sqlite.backup import copy_aside, not_ours
from omnidb_cli.state.sqlite.errors import UnusableFileError, row_of
from omnidb_cli.state.sqlite.file import SCHEMA
from omnidb_cli.state.sqlite.history import append, last_id
from omnidb_cli.state.sqlite.path import NotOursError
from omnidb_cli.state.store import StoredConnection, StoredEvent, StoreInfo, Update

_WRITERS: Final = 50
_PREFIX: Final = "sqlite:///"

_log = Log("state")


def real_moment() -> Instant:
    """Now, on both clocks of this machine."""
    return Instant(time.monotonic(), time.time())


def open_store(url: str, topology: str, *, now: Callable[[], Instant] = real_moment) -> "SqliteStore":
    """The store in the file that `url` names: `sqlite:////absolute.db`, or `sqlite:///relative.db` to where we are.

    Touches nothing. Raises StateStoreError for another form of URL.
    """
    path = url.removeprefix(_PREFIX)
    if not url.startswith(_PREFIX) or path in {"", ":memory:"} or "?" in path or "\0" in path:
        raise StateStoreError(
            "the state URL names no file", hint="write sqlite:////absolute/path.db, or memory: to keep nothing"
        )
    return SqliteStore(url, FileAccess(path), _storable(topology), now)


def _storable(text: str) -> str:
    """`text` as SQLite takes it: what was typed or named in another encoding is spelled out."""
    return text.encode(errors="backslashreplace").decode()


class SqliteStore:
    """A `Store`. Several threads may use it; each method is one transaction."""

    remembers = True

    def __init__(self, url: str, file: FileAccess, topology: str, now: Callable[[], Instant]) -> None:
        self._url = url
        self._file = file
        self._topology = topology
        self._now = now

    @property
    def exposed_by(self) -> str | None:
        """The folder by which everybody may put another state in the place of this one."""
        return self._file.exposed_by()

    def load(self) -> Mapping[str, StoredConnection]:
        """Every row of the topology; empty where there is no file."""
        at = self._now()

        def question(db: sqlite3.Connection) -> dict[str, StoredConnection]:
            rows = db.execute("SELECT name, record FROM connections WHERE topology = ?", (self._topology,))
            return {name: records.decode(record, name, at) for name, record in (row_of(row, str, str) for row in rows)}

        rows: Mapping[str, StoredConnection] = self._file.read(question, {})
        _log.debug("read the state of %d connections from %s", len(rows), self._file.path)
        return rows

    def update(self, updates: Mapping[str, Update], events: Sequence[Event] = ()) -> Mapping[str, StoredConnection]:
        """The named rows after the change. A row that its update leaves as it was is not written."""
        if not updates and not events:
            return {}
        rows = self._file.write(lambda db: self._apply(db, updates, events))
        _log.debug("wrote the state of %s to %s", ", ".join(rows) or "no connection", self._file.path)
        return rows

    def revision(self) -> int:
        """Grows when another process changed, made, removed or replaced the file. Ask before `load`, not after."""
        return self._file.revision()

    def events(
        self,
        *,
        after_id: int = 0,
        since: datetime | None = None,
        names: Iterable[str] = (),
        types: Iterable[str] = (),
    ) -> Sequence[StoredEvent]:
        """The history, oldest first. No `names`, no `types` mean all of them."""
        wanted: list[tuple[str, list[object]]] = [("topology = ?", [self._topology]), ("id > ?", [after_id])]
        if since is not None:
            wanted.append(("at_us >= ?", [records.microseconds(since)]))
        for column, values in (("name", [_storable(name) for name in names]), ("type", [str(kind) for kind in types])):
            if values:
                wanted.append((f"{column} IN ({','.join('?' * len(values))})", list(values)))
        where = " AND ".join(condition for condition, _ in wanted)
        statement = f"SELECT id, type, name, at_us, record FROM events WHERE {where} ORDER BY id"  # noqa: S608 - all ours
        parameters = [value for _, values in wanted for value in values]

        def question(db: sqlite3.Connection) -> list[StoredEvent]:
            found = db.execute(statement, parameters)
            return [
                StoredEvent(number, records.decode_event(record, number, kind=kind, name=name, at_us=at_us))
                for number, kind, name, at_us, record in (row_of(row, int, str, str | None, int, str) for row in found)
            ]

        return self._file.read(question, [])

    def last_id(self) -> int:
        """The number of the newest event that the file has had; a smaller one than before means another file."""
        return self._file.read(last_id, 0)

    def info(self) -> StoreInfo:
        """What there is: the size counts the journal too."""
        shared = self._file.sharing()

        def question(db: sqlite3.Connection) -> StoreInfo:
            parts = [Path(self._file.path + suffix) for suffix in ("", "-wal")]
            of_topology = (self._topology,)
            ((connections,),) = db.execute("SELECT count(*) FROM connections WHERE topology = ?", of_topology)
            ((events,),) = db.execute("SELECT count(*) FROM events WHERE topology = ?", of_topology)
            writers = db.execute("SELECT writer FROM writers WHERE topology = ? ORDER BY at_us DESC", of_topology)
            return StoreInfo(
                url=self._url,
                exists=True,
                size_bytes=sum(part.stat().st_size for part in parts if part.exists()),
                schema=SCHEMA,
                connections=connections,
                events=events,
                writers=[writer for (writer,) in (row_of(row, str) for row in writers)],
                sharing=shared,
            )

        return self._file.read(question, StoreInfo(self._url, False, None, None, 0, 0, (), shared))

    def reset(self) -> str | None:
        """Empties the topology's part and keeps a copy of the file as it was; returns the copy's path.

        A file that is damaged or from another omnidb is moved aside instead. What is not known to be ours stays where
        it is and as it is: PreconditionError.
        """
        stamp = f"{utc(self._now().wall):%Y%m%dT%H%M%SZ}"
        try:
            if self._file.is_absent():
                return None
            return self._file.write(lambda db: self._empty(db, stamp))
        except NotOursError as error:
            raise not_ours(str(error)) from error
        except UnusableFileError:
            return self._file.move_aside(stamp)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _apply(
        self, db: sqlite3.Connection, updates: Mapping[str, Update], events: Sequence[Event]
    ) -> Mapping[str, StoredConnection]:
        at = self._now()
        rows: dict[str, StoredConnection] = {}
        happened: list[Event] = []
        changed: list[tuple[str, str, str]] = []
        for name, update in updates.items():
            text = self._record(db, name)
            rows[name], told = update(None if text is None else records.decode(text, name, at))
            happened += told
            if (record := records.encode(rows[name])) != text:
                changed.append((self._topology, name, record))
        db.executemany("INSERT OR REPLACE INTO connections VALUES (?, ?, ?)", changed)
        append(db, self._topology, [*happened, *events], int(at.wall * 1e6))
        if changed or happened or events:
            self._sign(db, at)
        return rows

    def _record(self, db: sqlite3.Connection, name: str) -> str | None:
        found = db.execute("SELECT record FROM connections WHERE topology = ? AND name = ?", (self._topology, name))
        row = found.fetchone()
        return None if row is None else str(row_of(row, str)[0])

    def _sign(self, db: sqlite3.Connection, at: Instant) -> None:
        db.execute(
            "INSERT OR REPLACE INTO writers VALUES (?, ?, ?)", (self._topology, current_actor(), int(at.wall * 1e6))
        )
        db.execute(
            "DELETE FROM writers WHERE topology = ? AND at_us < "
            "(SELECT at_us FROM writers WHERE topology = ? ORDER BY at_us DESC LIMIT 1 OFFSET ?)",
            (self._topology, self._topology, _WRITERS - 1),
        )

    def _empty(self, db: sqlite3.Connection, stamp: str) -> str:
        aside = copy_aside(self._file.path, stamp)
        for table in ("connections", "events", "writers"):
            db.execute(f"DELETE FROM {table} WHERE topology = ?", (self._topology,))  # noqa: S608 - the names are ours
        return aside
