"""What a state store offers. A store is the file named like its URL's scheme.

A store module has one public function `open_store(url: str, topology: str) -> Store`. Opening writes nothing and
creates nothing (semantics, Across processes 2); the first change does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from omnidb_cli.core.events.model import Event
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.errors import StateStoreError
from omnidb_cli.plugins import load, names_in

_HERE = "omnidb_cli.state"
_NOT_YET = ("redis", "rediss", "valkey", "postgresql", "postgres")
_FORMS = "sqlite:////absolute/path.db keeps it in a file, memory: keeps nothing"


class StoredConnection(Struct, frozen=True):
    """One connection's row.

    `fingerprint` identifies the settings it was saved under (no secret goes into it). `serving` is who
    served it last (None: nobody), `serving_known` is False before the first route was ever decided.
    `eligible_since` is the Unix time since when a primary that does not serve has been eligible without a break,
    `split_since` since when two of its route take writes, `moved_at` when the service moved last.
    """

    memory: ConnectionState
    fingerprint: str
    serving: str | None = None
    serving_known: bool = False
    eligible_since: float | None = None
    split_since: float | None = None
    moved_at: float | None = None


Update = Callable[[StoredConnection | None], tuple[StoredConnection, Sequence[Event]]]
"""From the row as it is (None: there is none) to the row as it is to be, and the events to remember.

Pure: it may be asked twice.
"""


class StoredEvent(Struct, frozen=True):
    """An event of the history with the number that the store gave it."""

    id: int
    event: Event


class Sharing(Struct, frozen=True):
    """For whom a state counts.

    `shared_with` is who may read and change it, `also_read_by` who may only read it (None: nobody else). `exposed_by`
    is the folder by which everybody on the host may put another state in its place (None: nobody may).
    """

    shared_with: str
    also_read_by: str | None = None
    exposed_by: str | None = None


class StoreInfo(Struct, frozen=True):
    """What `state show` says.

    `size_bytes` and `schema` are None where there is nothing yet; `writers` are who@host, last first.
    """

    url: str
    exists: bool
    size_bytes: int | None
    schema: int | None
    connections: int
    events: int
    writers: Sequence[str]
    sharing: Sharing


class Store(Protocol):
    """The shared memory of everybody who works with one topology. Every method may raise StateStoreError."""

    @property
    def remembers(self) -> bool:
        """Whether anything outlives this process."""
        ...

    @property
    def exposed_by(self) -> str | None:
        """The folder by which everybody on the host may put another state in the place of this one, if it is so."""
        ...

    def load(self) -> Mapping[str, StoredConnection]:
        """Every row of the topology. Times in `ConnectionState.circuit` are set to this process's monotonic clock."""
        ...

    def update(self, updates: Mapping[str, Update], events: Sequence[Event] = ()) -> Mapping[str, StoredConnection]:
        """Changes each named row in one atomic read-modify-write and appends the events; returns the rows after it."""
        ...

    def revision(self) -> int:
        """A number that changes when another process has changed something. Ask before `load`, not after."""
        ...

    def events(
        self,
        *,
        after_id: int = 0,
        since: datetime | None = None,
        names: Iterable[str] = (),
        types: Iterable[str] = (),
    ) -> Sequence[StoredEvent]:
        """The history, oldest first."""
        ...

    def last_id(self) -> int:
        """The number of the newest event; what is appended from now on has a greater one."""
        ...

    def info(self) -> StoreInfo: ...

    def reset(self) -> str | None:
        """Starts anew and keeps the old contents aside; returns where, or None when there was nothing."""
        ...

    def close(self) -> None: ...


def is_store(scheme: str) -> bool:
    """Whether there is a store of this scheme, or one is to come."""
    return scheme in _NOT_YET or (scheme in names_in(_HERE) and hasattr(load(_HERE, scheme), "open_store"))


def store_schemes() -> tuple[str, ...]:
    """Every scheme of which there is a store, or one is to come."""
    return (*filter(is_store, names_in(_HERE)), *_NOT_YET)


def open_state(url: str, topology: str) -> Store:
    """The store that `url` names, for the topology of that name. Nothing is touched yet.

    Raises StateStoreError for a URL that names no store. The URL is not repeated there: it may hold a password.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or "/" in scheme:
        raise StateStoreError("the state is not given as a URL", hint=_FORMS)
    try:
        open_store = load(_HERE, scheme).open_store
    except (KeyError, AttributeError):
        when = "state in {} is not there yet" if scheme in _NOT_YET else "there is no state store {}:"
        raise StateStoreError(when.format(scheme), hint=_FORMS) from None
    store: Store = open_store(url, topology)
    return store
