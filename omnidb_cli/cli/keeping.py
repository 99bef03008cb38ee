"""Keeps a watcher's saved state in step: what it sees is written down, what others do is seen within a second.

The store works in a thread of its own, so that a locked file never holds up a look.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from omnidb_cli.cli.remembering import SavedState, restore, saved_state
from omnidb_cli.core.endpoint import Checked
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

_POLL_S = 0.25


class Keeper:
    """The journal of a watcher. `trouble` says what is wrong with the store, or is None.

    `changed()` is called when the trouble comes or goes.
    """

    def __init__(self, context: "Context", topology: "Topology", rounds: "Rounds", changed: Callable[[], None]) -> None:
        self._context = context
        self._topology = topology
        self._rounds = rounds
        self._changed = changed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="omnidb-state")
        self._state: SavedState | None = None
        self._rows: Mapping[str, Saved] = {}
        self._seen: int | None = None
        self.trouble: str | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(self._open)
        except StateStoreError as error:
            self.trouble = f"state not available: {error}; circuits assumed closed"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state is not None:
            try:
                await self._in_thread(self._state.write)
            except StateStoreError as failed:
                self._context.streams.warning(f"state not saved: {failed}", hint=failed.hint)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def restore(self, db: "Orchestrator") -> None:
        """Gives the core what was saved."""
        restore(db, self._rows)

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
        trouble = None
        try:
            rows = await self._in_thread(lambda: self._exchange(state))
            state.adopt(db, rows)
        except StateStoreError as error:
            trouble = f"state not saved: {error}"
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _exchange(self, state: SavedState) -> "Mapping[str, Saved]":
        rows = dict(state.write())
        revision = state.store.revision()
        if revision != self._seen:
            self._seen = revision
            rows.update(state.read())
        return rows

    def _open(self) -> None:
        self._state = saved_state(self._topology, self._context.store(self._topology), stays=True)
        self._seen = self._state.store.revision()
        self._rows = self._state.read()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
