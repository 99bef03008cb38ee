"""Manual acts on circuits: decided by the core, remembered in the store, shown as they then are for everybody."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.cli.saved_state import saved_state
from omnidb_cli.cli.wiring import offline_orchestrator
from omnidb_cli.core.circuit.model import Circuit, Hold
from omnidb_cli.core.routing.eligibility import hold_words
from omnidb_cli.core.routing.holds import HoldDecision, decide_hold
from omnidb_cli.errors import PreconditionError
from omnidb_cli.output.views.circuits import PARTS, circuits_document
from omnidb_cli.state.actor import current_actor

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator

Act = Callable[["Orchestrator", Sequence[str], str], None]
"""What to do to some connections, and who does it."""


class HoldRequest(Struct, frozen=True):
    """A hold as a person asks for it: for how long (seconds; None: until closed), why, and against which warnings."""

    hold_s: float | None
    reason: str | None
    replace: bool
    force: bool


def hold(context: "Context", names: Sequence[str], output: str | None, wanted: HoldRequest) -> None:
    """Takes every one of `names` out of rotation, or none.

    Raises what `act` does, and PreconditionError for another person's hold without `replace`, and where nothing would
    be left to serve a connection without `force`.
    """

    def place(db: "Orchestrator", asked: Sequence[str], actor: str) -> None:
        reason = wanted.reason and context.streams.hide(wanted.reason)  # it is kept, and everybody reads it
        new = [name for name in asked if _is_wanted(context, db, name, wanted, actor)]
        if not wanted.force:
            _refuse_outage(db, new)
        for name in new:
            db.open_circuit(name, reason=reason, hold_for=wanted.hold_s, actor=actor, takes_over=wanted.replace)

    def confirm(db: "Orchestrator", asked: Sequence[str], actor: str) -> None:
        for name in asked:  # somebody else may have been a moment earlier
            if db.circuit(name)[0].actor != actor:
                _is_wanted(context, db, name, wanted, actor)

    act(context, names, output, place, confirm)


def act(
    context: "Context",
    names: Sequence[str],
    output: str | None,
    do: Act,
    confirm: Act = lambda _db, _asked, _actor: None,
) -> None:
    """Does it to every one of `names`, or to none; `confirm` sees what came of it for everybody.

    Raises UnknownConnectionError, StateStoreError, and PreconditionError where nothing would remember it.
    """
    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    topology.closure(names)
    asked = list(dict.fromkeys(names))
    with saved_state(context, topology, partial(offline_orchestrator, topology), required=True) as db:
        do(db, asked, current_actor())
    confirm(db, asked, current_actor())
    now = {one.name: one.circuit for one in db.snapshot().connections}
    streams.show(circuits_document([(name, now[name]) for name in asked], now=datetime.now(UTC)))


def _is_wanted(context: "Context", db: "Orchestrator", name: str, wanted: HoldRequest, actor: str) -> bool:
    """Whether a hold is to be placed; says so where it is there already. Raises PreconditionError for another's."""
    circuit, rules = db.circuit(name)
    decision = decide_hold(circuit, Hold(wanted.hold_s, wanted.reason, actor), monotonic(), rules)
    if wanted.replace:
        return True
    again = f"`omnidb circuit open {name} --replace`"
    match decision:
        case HoldDecision.REFUSE:
            raise _refused(f'"{name}" is {hold_words(circuit)}', f"take it over with {again}", name)
        case HoldDecision.KEEP:
            kept = f'"{name}" is already {hold_words(circuit)}: nothing changed'
            context.streams.warning(kept, connection=name, hint=_shorter(circuit, again))
            return False
        case _:
            return True


def _shorter(circuit: Circuit, again: str) -> str | None:
    return None if circuit.hold_deadline is None else f"end it earlier with {again}"


def _refuse_outage(db: "Orchestrator", held: Collection[str]) -> None:
    """Raises PreconditionError where holding all of `held` takes the service from a connection (Failover 10)."""
    lost = list(_left_unserved(db, held))
    if not lost:
        return
    names = ", ".join(f'"{name}"' for name in lost)
    reasons = "; ".join(
        f"{one.name} {one.reason}"
        for one in db.route(lost[0], without=held).candidates
        if one.name not in held and one.name != lost[0]
    )
    why = f" ({reasons})" if reasons else ""
    again = f"`omnidb circuit open {' '.join(held)} --force`"
    raise _refused(
        f"holding {', '.join(held)} would leave {names} without an eligible endpoint{why}",
        f"hold it anyway with {again}",
        lost[0],
    )


def _left_unserved(db: "Orchestrator", held: Collection[str]) -> Iterator[str]:
    """Connections that are served now and would not be: others, and those of `held` that have backups."""
    for name in db:
        before = db.route(name)
        if before.serving is None or (name in held and len(before.candidates) == 1):
            continue
        if db.route(name, without=held).serving is None:
            yield name


def _refused(message: str, hint: str, name: str) -> PreconditionError:
    error = PreconditionError(message, hint=hint)
    error.connection = name
    return error
