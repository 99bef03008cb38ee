"""Carries what happens in this process into the saved state, and what is saved into this process.

Every input is applied again, by the core's own `reduce`, to the row as it is: what another process did meanwhile
is neither lost nor undone, and of several observers of one change only the first one writes its event.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import CLOSED, Instant
from omnidb_cli.core.events.mapping import event_of
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.health.model import NEVER_OBSERVED
from omnidb_cli.core.reducer import (
    Action,
    CheckCompleted,
    CloseRequested,
    ConnectionPolicy,
    ConnectionState,
    HoldRequested,
    reduce,
)
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.errors import StateStoreError, UnknownConnectionError
from omnidb_cli.state.store import Store, StoredConnection, Update

GRAIN_S: Final = 0.05
"""How far two readings of this host's two clocks may differ.

A process acted on an end that its own clock had reached; the row's end, set to the same clock anew, may lie a trifle
later. Replayed exactly, what followed from it would be lost.
"""

MOST_PENDING: Final = 10_000
"""How many entries wait, at least, for a store that fails; the oldest go first."""


class _Given(Struct, frozen=True):
    name: str
    given: Action
    at: Instant


class _Routed(Struct, frozen=True):
    name: str
    serving: str | None
    eligible_since: float | None
    split_since: float | None
    events: tuple[Event, ...]


_Entry = _Given | _Routed | Event

_COMINGS_AND_GOINGS: Final = frozenset({EventType.CONNECTED, EventType.DISCONNECTED})
"""That a process began or ended is no history."""


class Recorder:
    """The journal of an orchestrator, written down at `flush` in one transaction.

    `settings` and `fingerprints` name every connection of the topology; `actor` signs manual acts that name nobody.
    `record`, `routed` and `published` touch no disk, and may go on while another thread flushes or restores.
    """

    def __init__(
        self,
        store: Store,
        settings: Mapping[str, ConnectionPolicy],
        fingerprints: Mapping[str, str],
        *,
        now: Callable[[], Instant],
        actor: str | None,
    ) -> None:
        self.store = store
        self._settings = settings
        self._fingerprints = fingerprints
        self._now = now
        self._actor = actor
        self._lock = Lock()
        self._entries: deque[_Entry] = deque(maxlen=max(MOST_PENDING, 4 * len(settings)))

    def restore(self) -> Mapping[str, StoredConnection]:
        """What is saved of the topology's connections. Writes nothing, extends nothing.

        A row that was saved under other settings comes back as new, a hold by hand excepted. Raises StateStoreError.
        """
        return {
            name: _renewed(saved, self._fingerprints[name])
            for name, saved in self.store.load().items()
            if name in self._fingerprints
        }

    def record(self, name: str, given: Action, at: Instant) -> None:
        """Notes what connection `name` was given at `at`. Raises UnknownConnectionError."""
        self._note(_Given(self._known(name), self._signed(given), at))

    def routed(self, name: str, serving: Assignment, events: tuple[Event, ...] = ()) -> None:
        """Notes who serves `name` now; each of `events` is told unless somebody else has told it.

        Raises UnknownConnectionError.
        """
        since = serving.eligible_since
        if since is not None:
            now = self._now()
            since += now.wall - now.clock
        self._note(_Routed(self._known(name), serving.name, since, serving.split_since, events))

    def published(self, event: Event) -> None:
        """Notes an event that is no change of health, circuit or route."""
        if event.type not in _COMINGS_AND_GOINGS:
            self._note(event)

    def flush(self) -> Mapping[str, StoredConnection]:
        """Writes down what was noted; returns the rows that it touched, as they are now for everybody.

        With nothing to write the store is left alone. Raises StateStoreError; what was noted is kept for the next
        time.
        """
        with self._lock:
            taken = tuple(self._entries)
            self._entries.clear()
        if not taken:
            return {}
        try:
            return self.store.update(self._updates(taken), [one for one in taken if isinstance(one, Event)])
        except StateStoreError:
            with self._lock:
                noted = tuple(self._entries)
                self._entries.clear()
                self._entries.extend((*taken, *noted))
            raise

    def finish(self) -> Mapping[str, StoredConnection]:
        """Flushes for the last time, and lets go of the store. Raises StateStoreError."""
        try:
            return self.flush()
        finally:
            self.store.close()

    def with_pending(
        self, rows: Mapping[str, StoredConnection]
    ) -> dict[str, tuple[ConnectionState, Assignment | None]]:
        """The rows as the core takes them, with what was noted since they were written on top of them.

        Who serves is None where that was decided since.
        """
        with self._lock:
            noted = _by_name(self._entries)
        merged: dict[str, tuple[ConnectionState, Assignment | None]] = {}
        for name, saved in rows.items():
            memory, entries = saved.memory, noted.get(name, ())
            for entry in entries:
                if isinstance(entry, _Given):
                    memory = reduce(memory, entry.given, entry.at, self._settings[name]).memory
            is_decided = any(isinstance(entry, _Routed) for entry in entries)
            merged[name] = memory, None if is_decided else self.serving(saved)
        return merged

    def serving(self, saved: StoredConnection) -> Assignment:
        """Who served, with its times on this process's clock."""
        now = self._now()
        since = None if saved.eligible_since is None else min(saved.eligible_since, now.wall) - now.wall + now.clock
        return Assignment(saved.serving, saved.serving_known, since, saved.split_since)

    def _known(self, name: str) -> str:
        if name not in self._settings:
            raise UnknownConnectionError(name, tuple(self._settings))
        return name

    def _note(self, entry: _Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def _signed(self, given: Action) -> Action:
        match given:
            case HoldRequested(hold) if hold.actor is None:
                return HoldRequested(replace(hold, actor=self._actor))
            case CloseRequested(None):
                return CloseRequested(self._actor)
            case _:
                return given

    def _updates(self, taken: Iterable[_Entry]) -> Mapping[str, Update]:
        return {name: self._update(name, entries) for name, entries in _by_name(taken).items()}

    def _update(self, name: str, entries: Sequence[_Given | _Routed]) -> Update:
        settings, fingerprint = self._settings[name], self._fingerprints[name]

        def update(saved: StoredConnection | None) -> tuple[StoredConnection, Sequence[Event]]:
            row = StoredConnection(ConnectionState(), fingerprint) if saved is None else _renewed(saved, fingerprint)
            now_wall = self._now().wall
            told: list[Event] = []
            for entry in entries:
                if isinstance(entry, _Routed):
                    row, events = _reroute(row, entry, now_wall)
                else:
                    row, events = _replay(row, entry, settings, now_wall)
                told += events
            return row, told

        return update


def _by_name(entries: Iterable[_Entry]) -> Mapping[str, list[_Given | _Routed]]:
    found: dict[str, list[_Given | _Routed]] = {}
    for entry in entries:
        if not isinstance(entry, Event):
            found.setdefault(entry.name, []).append(entry)
    return found


def _replay(
    row: StoredConnection, entry: _Given, settings: ConnectionPolicy, now_wall: float
) -> tuple[StoredConnection, Sequence[Event]]:
    if isinstance(entry.given, CheckCompleted) and _is_stale(row, entry.at.wall, now_wall):
        return row, ()
    at = replace(entry.at, clock=entry.at.clock + GRAIN_S)
    outcome = reduce(row.memory, entry.given, at, settings)
    events = [event_of(entry.name, change, entry.at.wall) for change in outcome.changes]
    return replace(row, memory=outcome.memory), events


def _is_stale(row: StoredConnection, at_wall: float, now_wall: float) -> bool:
    """Whether a newer check is saved already. One from the future is not newer: the clock was set back since."""
    seen = row.memory.health.checked_at
    return seen is not None and at_wall < seen <= now_wall


def _reroute(row: StoredConnection, entry: _Routed, now_wall: float) -> tuple[StoredConnection, Sequence[Event]]:
    """The row after somebody's decision on who serves it, and those of its events that are news."""
    splits = [event for event in entry.events if event.type is EventType.SPLIT_BRAIN]
    moves = [event for event in entry.events if event.type is not EventType.SPLIT_BRAIN]
    told = splits if row.split_since is None else []
    row = replace(row, split_since=_earliest_known(row.split_since, entry.split_since))
    is_moved = not row.serving_known or row.serving != entry.serving
    if is_moved and row.serving_known and (not moves or _is_outdated(row, moves[0], now_wall)):
        return row, told
    routed = replace(
        row,
        serving=entry.serving,
        serving_known=True,
        eligible_since=_earliest_known(row.eligible_since, entry.eligible_since),
        moved_at=moves[0].at.timestamp() if is_moved and moves else row.moved_at,
    )
    return routed, [*moves, *told] if is_moved else told


def _is_outdated(row: StoredConnection, move: Event, now_wall: float) -> bool:
    """Whether others have moved the service since. A person's word never is; nor does a move from the future count."""
    return move.actor is None and row.moved_at is not None and move.at.timestamp() < row.moved_at <= now_wall


def _earliest_known(saved: float | None, noted: float | None) -> float | None:
    """Since when it has been so: what is saved, as long as it goes on. Another process may have noticed it later."""
    return noted if saved is None or noted is None else saved


def _renewed(saved: StoredConnection, fingerprint: str) -> StoredConnection:
    """The row under the settings of `fingerprint`: under others, what machines found out counts no more.

    A hold by hand stays (semantics, Across processes 4). The generation goes on, so that late results stay late.
    """
    if saved.fingerprint == fingerprint:
        return saved
    circuit = saved.memory.circuit
    fresh = replace(circuit, failures=0) if circuit.held else replace(CLOSED, generation=circuit.generation + 1)
    return StoredConnection(ConnectionState(NEVER_OBSERVED, fresh), fingerprint, saved.serving, saved.serving_known)
