"""State that ends with the process: the same protocol, and nothing is kept."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter

from omnidb_cli.core.events.model import Event
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.retention import BUDGETS, EventClass, class_of
from omnidb_cli.state.store import Sharing, StoredConnection, StoredEvent, StoreInfo, Update


def open_store(url: str, topology: str) -> "MemoryStore":  # noqa: ARG001 - nobody else sees it: nothing to keep apart
    """An empty store. Raises StateStoreError for anything but `memory:`."""
    if url not in {"memory:", "memory://"}:
        raise StateStoreError(f"{url!r} is not a state store", hint="write memory: to keep nothing")
    return MemoryStore()


class MemoryStore:
    """A `Store` for one process; it never fails."""

    remembers = False
    exposed_by = None

    def __init__(self) -> None:
        self._rows: dict[str, StoredConnection] = {}
        self._history: dict[EventClass, deque[StoredEvent]] = {
            kind: deque(maxlen=budget.events) for kind, budget in BUDGETS.items()
        }
        self._last_id = 0

    def load(self) -> Mapping[str, StoredConnection]:
        """Every row."""
        return dict(self._rows)

    def update(self, updates: Mapping[str, Update], events: Sequence[Event] = ()) -> Mapping[str, StoredConnection]:
        """The named rows after the change."""
        rows: dict[str, StoredConnection] = {}
        happened: list[Event] = []
        for name, update in updates.items():
            rows[name], told = update(self._rows.get(name))
            happened += told
        self._rows.update(rows)
        for event in sorted([*happened, *events], key=attrgetter("at")):
            self._last_id += 1
            self._history[class_of(event)].append(StoredEvent(self._last_id, event))
        return rows

    def revision(self) -> int:
        """Always the same: no other process reaches it."""
        return 0

    def events(
        self,
        *,
        after_id: int = 0,
        since: datetime | None = None,
        names: Iterable[str] = (),
        types: Iterable[str] = (),
    ) -> Sequence[StoredEvent]:
        """The history, oldest first. No `names`, no `types` mean all of them."""
        wanted_names, wanted_types = set(names), set(types)
        return [
            stored
            for stored in sorted(chain.from_iterable(self._history.values()), key=attrgetter("id"))
            if stored.id > after_id
            and (since is None or stored.event.at >= since)
            and (not wanted_names or stored.event.name in wanted_names)
            and (not wanted_types or stored.event.type in wanted_types)
        ]

    def last_id(self) -> int:
        """The number of the newest event; 0 where there was none."""
        return self._last_id

    def info(self) -> StoreInfo:
        """What there is: no file, no size."""
        events = sum(map(len, self._history.values()))
        return StoreInfo("memory:", False, None, None, len(self._rows), events, (), Sharing("this process only"))

    def reset(self) -> str | None:
        """Forgets everything; there is nothing to keep aside."""
        self._rows.clear()
        for events in self._history.values():
            events.clear()
        return None

    def close(self) -> None:
        """Does nothing: it ends with the process."""
