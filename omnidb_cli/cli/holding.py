"""Manual acts on circuits: decided by the core, remembered in the store, shown as they then are for everybody."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omnidb_cli.cli.compose import unconnected
from omnidb_cli.cli.remembering import restore, saved_state
from omnidb_cli.output.views.circuits import PARTS, circuits_document
from omnidb_cli.state.writer import this_writer

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator

Act = Callable[["Orchestrator", str, str], None]
"""What to do to one connection, and who does it."""


def act(context: "Context", names: Sequence[str], output: str | None, do: Act) -> None:
    """Does it to every one of `names`, or to none.

    Raises UnknownConnectionError, StateStoreError, and PreconditionError where nothing would remember it.
    """
    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    topology.closure(names)
    state = saved_state(topology, context.remembering_store(topology))
    db = unconnected(topology, journal=state)
    restore(db, state.read())
    actor = this_writer()
    for name in dict.fromkeys(names):
        do(db, name, actor)
    state.adopt(db, state.finish())
    now = {one.name: one.circuit for one in db.snapshot().connections}
    streams.show(circuits_document([(name, now[name]) for name in dict.fromkeys(names)], now=datetime.now(UTC)))
