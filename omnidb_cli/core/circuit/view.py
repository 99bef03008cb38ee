"""One circuit as the status object shows it."""

from datetime import datetime

from omnidb_cli.core.circuit.model import Circuit, CircuitPolicy, CircuitState, Instant, Trigger, state_at, transition
from omnidb_cli.core.events.model import utc
from omnidb_cli.core.snapshot import CircuitView


def circuit_view(circuit: Circuit, clock: float, rules: CircuitPolicy) -> CircuitView:
    """One circuit as it is at `clock`. A hold's reason is the person's text, or `manual`."""
    state = state_at(circuit, clock, rules)
    circuit = transition(circuit, Trigger.TIME_PASSED, Instant(clock, 0.0), rules)
    manual = circuit.held and state is CircuitState.OPEN
    idle = state in {CircuitState.CLOSED, CircuitState.DISABLED}
    return CircuitView(
        state=state,
        manual=manual,
        reason=None if idle else (circuit.note or circuit.reason if manual else circuit.reason),
        actor=circuit.actor if manual else None,
        failures=circuit.failures,
        successes=circuit.successes,
        opened_at=None if idle else _utc(circuit.opened_at),
        retry_at=_utc(circuit.retry_at) if state is CircuitState.OPEN else None,
        held_until=_utc(circuit.held_until) if manual else None,
    )


def _utc(wall: float | None) -> datetime | None:
    return None if wall is None else utc(wall)
