"""A topology's saved state as one command uses it: restored into the core, journaled while it runs, written back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, time
from typing import TYPE_CHECKING

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.errors import StateStoreError

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.events.mapping import Journal
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.state.recorder import Recorder
    from omnidb_cli.state.store import Store, StoredConnection
    from omnidb_cli.topology import Topology

    Rows = Mapping[str, StoredConnection]


@contextmanager
def saved_state(
    context: "Context", topology: "Topology", core: "Callable[[Journal | None], Orchestrator]", *, required: bool
) -> "Iterator[Orchestrator]":
    """What `core` makes, as the saved state has it; at the end what happened is written back, and others' acts come in.

    Where it is `required`, a store that cannot be read or written raises StateStoreError, and one that would remember
    nothing PreconditionError; else a warning says so (semantics, Across processes 5). Nothing is written after an
    error.
    """
    recorder, rows = required_rows(context, topology) if required else read_or_warn(context, topology)
    db = core(recorder)
    if recorder is None:
        yield db
        return
    restore(db, recorder, rows)
    yield db
    merge(db, recorder, recorder.finish() if required else write_or_warn(context, recorder.finish))


def required_rows(context: "Context", topology: "Topology") -> "tuple[Recorder, Rows]":
    """The recorder of a store that remembers, and its rows. Raises StateStoreError, PreconditionError."""
    recorder = recorder_of(topology, context.persistent_store(topology))
    return recorder, recorder.restore()


def restore(db: "Orchestrator", recorder: "Recorder", rows: "Rows") -> None:
    """Gives the core what was saved; announces nothing."""
    for name, saved in rows.items():
        if name in db:
            db.restore(name, saved.memory, recorder.serving(saved))


def merge(db: "Orchestrator", recorder: "Recorder", rows: "Rows") -> None:
    """Gives the core what others made of its connections, with what was noted since on top; announces what is new."""
    db.merge_remote(recorder.with_pending({name: saved for name, saved in rows.items() if name in db}))


def recorder_of(topology: "Topology", store: "Store") -> "Recorder":
    """The journal of a topology in a store that is open."""
    from omnidb_cli.cli.rules import settings_of
    from omnidb_cli.state.recorder import Recorder
    from omnidb_cli.topology import fingerprint

    fingerprints = {name: fingerprint(one, topology) for name, one in topology.connections.items()}
    return Recorder(store, settings_of(topology), fingerprints, now=_now, actor=None)


def read_or_warn(context: "Context", topology: "Topology") -> "tuple[Recorder | None, Rows]":
    """The recorder and its rows for a check; without it a check goes on, loudly (semantics, Across processes 5)."""
    try:
        recorder = recorder_of(topology, context.store(topology))
        return recorder, recorder.restore()
    except StateStoreError as error:
        context.streams.warning(f"state not available: {error}; circuits assumed closed", hint=error.hint)
        return None, {}


def write_or_warn(context: "Context", write: "Callable[[], Rows]") -> "Rows":
    """What `write` returns; where the store refuses, a warning: a check has shown what it found all the same."""
    try:
        return write()
    except StateStoreError as error:
        context.streams.warning(f"state not saved: {error}", hint=error.hint)
        return {}


def _now() -> Instant:
    return Instant(monotonic(), time())
