"""What a new hold means to the one that is there already (semantics, Circuit 10). Pure."""

from enum import Enum, auto

from omnidb_cli.core.circuit.model import Circuit, CircuitPolicy, CircuitState, Hold, state_at


class HoldDecision(Enum):
    """What becomes of a hold that a person asks for."""

    PLACE = auto()
    """Nothing holds it yet."""
    EXTEND = auto()
    """It is the person's own, and lasts longer from now on."""
    KEEP = auto()
    """It is the person's own, and lasts at least as long already."""
    REFUSE = auto()
    """It is another person's: only a person who says so takes it over."""


def decide_hold(circuit: Circuit, wanted: Hold, clock: float, rules: CircuitPolicy) -> HoldDecision:
    """What `wanted` means where `circuit` is as it is at `clock`. Whose a hold is, its actor says."""
    if not circuit.held or state_at(circuit, clock, rules) is not CircuitState.OPEN:
        return HoldDecision.PLACE
    if circuit.actor != wanted.actor:
        return HoldDecision.REFUSE
    if circuit.hold_deadline is None or (wanted.hold_s is not None and clock + wanted.hold_s <= circuit.hold_deadline):
        return HoldDecision.KEEP
    return HoldDecision.EXTEND
