"""What a new hold means to the one that is there already (semantics, Circuit 10)."""

import pytest
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import CLOSED, Circuit, CircuitPolicy, Hold, Instant, Trigger, transition
from omnidb_cli.core.routing.holds import HoldDecision, decide_hold

RULES = CircuitPolicy(True, 3, 30.0, 2, 300.0, lambda: 0.0)


def held(hold_s: float | None, actor: str = "ann@ops") -> Circuit:
    return transition(CLOSED, Trigger.HELD, Instant(0.0, 1e9), RULES, Hold(hold_s, "upgrade", actor))


@pytest.mark.parametrize(
    ("circuit", "wanted_s", "decision"),
    [
        (CLOSED, 60.0, HoldDecision.PLACE),
        (held(5.0), 60.0, HoldDecision.PLACE),
        (held(None), 60.0, HoldDecision.KEEP),
        (held(None), None, HoldDecision.KEEP),
        (held(70.0), 60.0, HoldDecision.KEEP),
        (held(70.0), 61.0, HoldDecision.EXTEND),
        (held(70.0), None, HoldDecision.EXTEND),
        (held(None, "bob@desk"), 60.0, HoldDecision.REFUSE),
        (held(70.0, "bob@desk"), None, HoldDecision.REFUSE),
        (held(5.0, "bob@desk"), 60.0, HoldDecision.PLACE),
    ],
)
def test_ten_seconds_later_ann_asks_for_a_hold(
    circuit: Circuit, wanted_s: float | None, decision: HoldDecision
) -> None:
    assert decide_hold(circuit, Hold(wanted_s, None, "ann@ops"), 10.0, RULES) is decision


def test_a_hold_that_is_over_is_nobodys_with_circuits_turned_off_too() -> None:
    off = replace(RULES, enabled=False)
    assert decide_hold(held(5.0, "bob@desk"), Hold(1.0, None, "ann@ops"), 10.0, off) is HoldDecision.PLACE
    assert decide_hold(held(50.0, "bob@desk"), Hold(1.0, None, "ann@ops"), 10.0, off) is HoldDecision.REFUSE
