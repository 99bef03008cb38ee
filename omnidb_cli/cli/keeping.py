"""Keeps a watcher's saved state in step: what it sees is written down, what others do is seen within a second.

The store works in a thread of its own, so that a locked file never holds up a look.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from omnidb_cli.cli.remembering import SavedState, restore, saved_state
from omnidb_cli.core.endpoint import Checked, Memory
from omnidb_cli.errors import StateStoreError

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.cli.rounds import Rounds
    from omnidb_cli.core.circuit import Moment
    from omnidb_cli.core.endpoint import Input
    from omnidb_cli.core.events import Event
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.router import Serving
    from omnidb_cli.state.store import Saved
    from omnidb_cli.topology import Topology

T = TypeVar("T")

_UNAVAILABLE = "state not available: {}; circuits as last known"
_POLL_S = 0.25
_FAREWELL_S = 1.0


class Keeper:
    """The journal of a watcher. `trouble` says what is wrong with the store, or is None.

    `changed()` is called when the trouble comes or goes.
    """

    def __init__(self, context: "Context", topology: "Topology", rounds: "Rounds", changed: Callable[[], None]) -> None:
        self._streams = context.streams
        self._rounds = rounds
        self._changed = changed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="omnidb-state")
        self._state: SavedState | None = None
        self._seen: int | None = None
        self._known: Mapping[str, Saved] = {}
        self.trouble: str | None = None
        try:
            self._state = saved_state(topology, context.store(topology))
        except StateStoreError as error:
            self.trouble = _UNAVAILABLE.format(error)

    async def __aenter__(self) -> Self:
        if self._state is not None:
            try:
                await self._in_thread(self._news, self._state)
            except StateStoreError as error:
                self.trouble = _UNAVAILABLE.format(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._state is not None:
                async with asyncio.timeout(_FAREWELL_S):
                    await self._in_thread(SavedState.finish, self._state)
        except (StateStoreError, TimeoutError) as failed:
            said = str(failed) or "the store does not answer"
            self._streams.warning(f"state not saved: {said}", hint=getattr(failed, "hint", None))
        self._thread.shutdown(wait=False, cancel_futures=True)

    def restore(self, db: "Orchestrator") -> None:
        """Gives the core what was saved."""
        restore(db, self._known)

    def record(self, name: str, given: "Input", at: "Moment") -> None:
        """Notes what happened to a connection."""
        if self._state is not None:
            self._state.record(name, given, at)
        if type(given) is Checked:
            self._rounds.looked(name)

    def routed(self, name: str, serving: "Serving", event: "Event | None") -> None:
        """Notes who serves a connection now."""
        if self._state is not None:
            self._state.routed(name, serving, event)

    def published(self, event: "Event") -> None:
        """Notes an event that is no change of health, circuit or route."""
        if self._state is not None:
            self._state.published(event)

    async def keep_in_step(self, db: "Orchestrator") -> None:
        """Writes and reads every quarter of a second, as long as it runs."""
        while self._state is not None:
            await asyncio.sleep(_POLL_S)
            await self._step(db, self._state)

    async def _step(self, db: "Orchestrator", state: SavedState) -> None:
        trouble, known = None, self._known
        try:
            rows = await self._in_thread(self._exchange, state)
        except StateStoreError as error:
            self._seen = None
            trouble = _UNAVAILABLE.format(error)
        else:
            state.adopt(db, rows)
            self._forget(db, known.keys() - self._known.keys() - rows.keys())
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _forget(self, db: "Orchestrator", gone: "Collection[str]") -> None:
        """Begins anew with those whose rows somebody took away: the state was reset."""
        for name in gone:
            db.adopt(name, Memory())
            db.look_soon(name)

    def _exchange(self, state: SavedState) -> "Mapping[str, Saved]":
        news = self._news(state)
        return {**news, **state.write()}

    def _news(self, state: SavedState) -> "Mapping[str, Saved]":
        revision = state.store.revision()
        if revision == self._seen:
            return {}
        self._known = state.read()
        self._seen = revision
        return self._known

    async def _in_thread(self, work: Callable[[SavedState], T], state: SavedState) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, state)
