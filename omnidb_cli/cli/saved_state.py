"""A topology's saved state as one command uses it: restored into the core, journaled while it runs, written back."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.events.model import EventType
from omnidb_cli.errors import StateStoreError

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.events.model import Event
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.reducer import Action, ConnectionPolicy, ConnectionState
    from omnidb_cli.core.routing.router import Assignment
    from omnidb_cli.state.recorder import Recorder
    from omnidb_cli.state.store import Store, StoredConnection
    from omnidb_cli.topology import Topology

_COMINGS_AND_GOINGS = frozenset({EventType.CONNECTED, EventType.DISCONNECTED})


class _Note(Struct, frozen=True):
    """Something that happened and is not written down yet; `tell` hands it to the recorder."""

    tell: Callable[[], None]
    name: str | None = None
    given: "Action | None" = None
    at: Instant | None = None


class SavedState:
    """The journal of an orchestrator (`core.switchboard.Journal`), and the way back from the store.

    `write` and `read` may be called in another thread.
    """

    def __init__(self, store: "Store", recorder: "Recorder", settings: "Mapping[str, ConnectionPolicy]") -> None:
        self.store = store
        self._recorder = recorder
        self._settings = settings
        self._kept = max(10_000, 4 * len(settings))
        self._notes: deque[_Note] = deque(maxlen=self._kept)

    def record(self, name: str, given: "Action", at: Instant) -> None:
        """Notes what happened to a connection."""
        self._notes.append(_Note(partial(self._recorder.record, name, given, at), name, given, at))

    def routed(self, name: str, serving: "Assignment", events: "tuple[Event, ...]") -> None:
        """Notes who serves a connection now."""
        since = None if serving.eligible_since is None else serving.eligible_since + time() - monotonic()
        tell = partial(
            self._recorder.routed,
            name,
            serving.name,
            eligible_since=since,
            split_since=serving.split_since,
            events=events,
        )
        self._notes.append(_Note(tell, name))

    def published(self, event: "Event") -> None:
        """Notes an event that is no change of health, circuit or route. That a process began or ended is no history."""
        if event.type not in _COMINGS_AND_GOINGS:
            self._notes.append(_Note(partial(self._recorder.published, event)))

    def read(self) -> "Mapping[str, StoredConnection]":
        """What is saved. Raises StateStoreError."""
        return self._recorder.restore()

    def write(self) -> "Mapping[str, StoredConnection]":
        """Writes the notes down; the rows as they are now for everybody. Raises StateStoreError."""
        notes, self._notes = self._notes, deque(maxlen=self._kept)
        for note in notes:
            note.tell()
        return self._recorder.flush()

    def finish(self) -> "Mapping[str, StoredConnection]":
        """Writes the notes down for the last time, and lets go of the store. Raises StateStoreError."""
        try:
            return self.write()
        finally:
            self.store.close()

    def merge_remote(self, db: "Orchestrator", rows: "Mapping[str, StoredConnection]") -> None:
        """Hands rows to the core, with what has been noted since they were written on top of them."""
        from omnidb_cli.core.reducer import reduce

        since: dict[str, list[_Note]] = {}
        for note in self._notes:
            if note.name is not None:
                since.setdefault(note.name, []).append(note)
        adopted: dict[str, tuple[ConnectionState, Assignment | None]] = {}
        for name, saved in rows.items():
            if name not in db:
                continue
            memory, notes = saved.memory, since.get(name, ())
            for note in notes:
                if note.given is not None and note.at is not None:
                    memory = reduce(memory, note.given, note.at, self._settings[name]).memory
            is_settled = all(note.given is not None for note in notes)
            adopted[name] = memory, serving_of(saved) if is_settled else None
        db.merge_remote(adopted)


def restore(db: "Orchestrator", rows: "Mapping[str, StoredConnection]") -> None:
    """Gives the core what was saved; announces nothing."""
    for name, saved in rows.items():
        if name in db:
            db.restore(name, saved.memory, serving_of(saved))


def serving_of(saved: "StoredConnection") -> "Assignment":
    """Who served, on this process's clock."""
    from omnidb_cli.core.routing.router import Assignment

    since = None if saved.eligible_since is None else min(saved.eligible_since, time()) - time() + monotonic()
    return Assignment(saved.serving, saved.serving_known, since, saved.split_since)


def saved_state(topology: "Topology", store: "Store") -> SavedState:
    """The saved state of a topology in a store that is open."""
    from omnidb_cli.cli.rules import settings_of
    from omnidb_cli.state.recorder import Recorder
    from omnidb_cli.topology import fingerprint

    settings = settings_of(topology)
    fingerprints = {name: fingerprint(one, topology) for name, one in topology.connections.items()}
    recorder = Recorder(store, settings, fingerprints, now=_now, actor=None)
    return SavedState(store, recorder, settings)


def read_or_warn(
    context: "Context", topology: "Topology"
) -> "tuple[SavedState | None, Mapping[str, StoredConnection]]":
    """The saved state and its rows for a check; without it a check goes on, loudly (semantics, Across processes 5)."""
    try:
        state = saved_state(topology, context.store(topology))
        return state, state.read()
    except StateStoreError as error:
        context.streams.warning(f"state not available: {error}; circuits assumed closed", hint=error.hint)
        return None, {}


def write_or_warn(
    context: "Context", write: "Callable[[], Mapping[str, StoredConnection]]"
) -> "Mapping[str, StoredConnection]":
    """What `write` returns; where the store refuses, a warning: a check has shown what it found all the same."""
    try:
        return write()
    except StateStoreError as error:
        context.streams.warning(f"state not saved: {error}", hint=error.hint)
        return {}


def _now() -> Instant:
    return Instant(monotonic(), time())
