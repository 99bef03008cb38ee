"""Keeps a watcher's saved state in step: what it sees is written down, what others do is seen within a second.

The store works in a thread of its own, so that a locked file never holds up a check.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec import Struct

from omnidb_cli.cli.commands.watch.event_merging import SharedEvents
from omnidb_cli.cli.saved_state import merge, recorder_of, restore
from omnidb_cli.core.reducer import CheckCompleted, ConnectionState
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.recorder import Recorder

if TYPE_CHECKING:
    from omnidb_cli.cli.commands.watch.rounds import Rounds
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.circuit.model import Instant
    from omnidb_cli.core.events.model import Event
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.reducer import Action
    from omnidb_cli.core.routing.router import Assignment
    from omnidb_cli.state.store import StoredConnection
    from omnidb_cli.topology import Topology

T = TypeVar("T")

_UNAVAILABLE = "state not available: {}; circuits as last known"
_NO_ANSWER = _UNAVAILABLE.format("it does not answer")
_POLL_S = 0.25
_PATIENCE_S = 0.7
_FAREWELL_S = 1.0


class _Exchanged(Struct, frozen=True):
    """What one step read and wrote. `news` is None where no other process has changed anything."""

    revision: int
    news: "Mapping[str, StoredConnection] | None"
    written: "Mapping[str, StoredConnection]"


class StateSync:
    """The journal of a watcher. `trouble` says what is wrong with the store, or is None.

    `changed()` is called when the trouble comes or goes.
    """

    def __init__(self, context: "Context", topology: "Topology", rounds: "Rounds", changed: Callable[[], None]) -> None:
        self._streams = context.streams
        self._rounds = rounds
        self._changed = changed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="omnidb-state")
        self._recorder: Recorder | None = None
        self._seen: int | None = None
        self._began = datetime.now(UTC)
        self._restored: Mapping[str, StoredConnection] = {}
        self._saved_names: frozenset[str] = frozenset()
        self._names = frozenset(topology.connections)
        self._last_id: int | None = None
        self._shared = SharedEvents()
        self._news: list[Event] = []
        self.trouble: str | None = None
        try:
            self._recorder = recorder_of(topology, context.store(topology))
        except StateStoreError as error:
            self.trouble = _UNAVAILABLE.format(error)

    async def __aenter__(self) -> Self:
        if self._recorder is not None:
            try:
                self._restored = await self._in_thread(self._begin, self._recorder)
                self._saved_names = frozenset(self._restored)
            except StateStoreError as error:
                self.trouble = _UNAVAILABLE.format(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._recorder is not None:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._in_thread(Recorder.finish, self._recorder)
        except (StateStoreError, TimeoutError) as failed:
            said = str(failed) or "the store does not answer"
            self._streams.warning(f"state not saved: {said}", hint=getattr(failed, "hint", None))
        self._thread.shutdown(wait=False, cancel_futures=True)

    def restore(self, db: "Orchestrator") -> None:
        """Gives the core what was saved."""
        if self._recorder is not None:
            restore(db, self._recorder, self._restored)

    def record(self, name: str, given: "Action", at: "Instant") -> None:
        """Notes what happened to a connection."""
        if self._recorder is not None:
            self._recorder.record(name, given, at)
        if type(given) is CheckCompleted:
            self._rounds.checked(name)

    def routed(self, name: str, serving: "Assignment", events: "tuple[Event, ...]") -> None:
        """Notes who serves a connection now."""
        if self._recorder is not None:
            self._recorder.routed(name, serving, events)

    def published(self, event: "Event") -> None:
        """Notes an event that is no change of health, circuit or route."""
        if self._recorder is not None:
            self._recorder.published(event)

    def unseen(self, own: "list[Event]") -> "list[Event]":
        """Of `own` what was not told before, with what other processes have added to the history; oldest first."""
        news, self._news = self._news, []
        return sorted([*news, *self._shared.own(own)], key=attrgetter("at"))

    async def keep_in_step(self, db: "Orchestrator") -> None:
        """Writes and reads every quarter of a second, as long as it runs."""
        while self._recorder is not None:
            await asyncio.sleep(_POLL_S)
            await self._step(db, self._recorder)

    async def _step(self, db: "Orchestrator", recorder: Recorder) -> None:
        silence = asyncio.get_running_loop().call_later(_PATIENCE_S, lambda: self._tell(self.trouble or _NO_ANSWER))
        try:
            got = await self._in_thread(self._exchange, recorder)
            try:
                self._hear(await self._in_thread(self._happened, recorder))
            finally:
                self._take_in(db, recorder, got)  # after the events of its own time; and holds count without them too
        except StateStoreError as error:
            self._tell(_UNAVAILABLE.format(error))
        else:
            self._tell(None)
        finally:
            silence.cancel()

    def _tell(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _take_in(self, db: "Orchestrator", recorder: Recorder, got: _Exchanged) -> None:
        """Hands the core what the store has now. Only here, after a write that went well, is news taken as known."""
        before = self._saved_names
        self._seen = got.revision
        saved = before if got.news is None else frozenset(got.news)
        self._saved_names = saved.union(got.written)
        merge(db, recorder, {**(got.news or {}), **got.written})
        self._forget(db, before - self._saved_names)

    def _hear(self, events: "list[Event]") -> None:
        if news := self._shared.saved(events):
            self._news += news
            self._changed()

    def _forget(self, db: "Orchestrator", gone: "Collection[str]") -> None:
        """Begins anew with those whose rows somebody took away: the state was reset."""
        db.merge_remote(dict.fromkeys(gone, (ConnectionState(), None)))
        for name in gone:
            db.request_check(name)

    def _begin(self, recorder: Recorder) -> "Mapping[str, StoredConnection]":
        seen, last_id = recorder.store.revision(), recorder.store.last_id()
        rows = recorder.restore()
        self._seen, self._last_id = seen, last_id
        return rows

    def _exchange(self, recorder: Recorder) -> _Exchanged:
        revision = recorder.store.revision()
        news = None if revision == self._seen else recorder.restore()
        return _Exchanged(revision, news, recorder.flush())

    def _happened(self, recorder: Recorder) -> "list[Event]":
        """What was added to the history since the last time, by whomever. A smaller number means another file."""
        last_id = recorder.store.last_id()
        if last_id == self._last_id:
            return []
        if self._last_id is None or last_id < self._last_id:
            stored = recorder.store.events(since=self._began)
        else:
            stored = recorder.store.events(after_id=self._last_id)
        self._last_id = max([last_id, *(one.id for one in stored)])
        return [one.event for one in stored if one.event.name in self._names]

    async def _in_thread(self, work: Callable[[Recorder], T], recorder: Recorder) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, recorder)
