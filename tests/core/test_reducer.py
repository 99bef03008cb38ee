"""Where health and circuit meet: every input, the memory after it, and what is announced, in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli import CheckResult, CircuitState, Health
from omnidb_cli.core.circuit.model import CircuitPolicy, Hold, Instant, Reason
from omnidb_cli.core.health.model import CheckError
from omnidb_cli.core.reducer import (
    Action,
    CallCompleted,
    CheckCompleted,
    CircuitChange,
    CloseRequested,
    ConnectionPolicy,
    ConnectionState,
    HealthChange,
    HoldChange,
    HoldRequested,
    TimeElapsed,
    changes_between,
    reduce,
)
from omnidb_cli.errors import ErrorKind

RULES = CircuitPolicy(True, 3, 30.0, 2, 300.0, lambda: 0.0)
SETTINGS = ConnectionPolicy(RULES)
WALL = 1_700_000_000.0

GOOD = CheckCompleted(CheckResult())
DEGRADED = CheckCompleted(CheckResult(Health.DEGRADED))
BAD = CheckCompleted(CheckResult(Health.UNHEALTHY, detail="refused", kind="refused"))
OURS = CheckCompleted(CheckResult(Health.UNHEALTHY, detail="too many open files", kind="local"))
OK, FAILED = CallCompleted(succeeded=True), CallCompleted(succeeded=False)


class Life:
    """One connection's memory, what was announced, and a clock."""

    def __init__(self, settings: ConnectionPolicy = SETTINGS) -> None:
        self.state = ConnectionState()
        self.settings = settings
        self.clock = 0.0

    def after(self, *inputs: Action, passed: float = 0.0) -> list[str]:
        """What is announced, as `previous→current reason` words."""
        self.clock += passed
        said = []
        for given_ in inputs:
            outcome = reduce(self.state, given_, Instant(self.clock, WALL + self.clock), self.settings)
            self.state = outcome.state
            said += [words(change) for change in outcome.changes]
        return said


def words(change: HealthChange | CircuitChange | HoldChange) -> str:
    if isinstance(change, HoldChange):
        return f"hold changed {change.actor}: {change.note}"
    reason = change.reason if isinstance(change, CircuitChange) else "health"
    return f"{change.previous}→{change.current} {reason}"


def test_unhealthy_is_announced_before_the_circuit_that_it_opens() -> None:
    life = Life()
    life.after(GOOD)
    assert life.after(BAD) == ["healthy→unhealthy health", "closed→open health-check-failed"]
    assert life.after(BAD, BAD) == []


def test_recovered_health_closes_with_the_first_good_check_counted() -> None:
    life = Life()
    life.after(BAD)
    assert life.after(GOOD) == ["unhealthy→healthy health", "open→half-open health-recovered"]
    assert life.state.circuit.successes == 1
    assert life.after(GOOD) == ["half-open→closed health-recovered"]


def test_one_success_wanted_is_half_open_and_closed_by_the_same_check() -> None:
    life = Life(ConnectionPolicy(replace(RULES, half_open_successes=1)))
    life.after(BAD)
    assert life.after(GOOD) == [
        "unhealthy→healthy health",
        "open→half-open health-recovered",
        "half-open→closed health-recovered",
    ]


def test_recovery_is_neither_forced_nor_lost_with_equal_timers() -> None:
    life = Life()
    life.after(BAD)
    said = [word for _ in range(3) for word in life.after(GOOD, passed=30.0)]
    assert said.count("half-open→closed health-recovered") == 1
    assert said.index("open→half-open health-recovered") < said.index("half-open→closed health-recovered")


def test_a_bad_check_while_proving_opens_again() -> None:
    life = Life(replace(SETTINGS, fall=3))
    life.after(BAD, GOOD)
    assert life.after(BAD) == ["healthy→degraded health", "half-open→open health-check-failed"]
    assert life.state.health.health is Health.DEGRADED


def test_rise_holds_back_the_half_open_until_health_is_back() -> None:
    life = Life(replace(SETTINGS, rise=2))
    life.after(BAD)
    assert life.after(GOOD) == []
    assert life.after(GOOD) == ["unhealthy→healthy health", "open→half-open health-recovered"]


def test_fall_counts_before_the_circuit_opens() -> None:
    life = Life(replace(SETTINGS, fall=2))
    life.after(GOOD)
    assert life.after(BAD) == ["healthy→degraded health"]
    assert life.after(BAD) == ["degraded→unhealthy health", "closed→open health-check-failed"]


def test_a_check_that_could_not_be_made_changes_neither_health_nor_circuit() -> None:
    life = Life(replace(SETTINGS, fall=2))
    life.after(GOOD, BAD)
    before = life.state
    assert life.after(OURS, OURS, OURS, passed=5.0) == []
    assert life.state.circuit == before.circuit
    assert replace(life.state.health, not_made=None) == before.health
    assert life.state.health.not_made == CheckError(ErrorKind.LOCAL, "too many open files")
    assert life.after(GOOD) == ["degraded→healthy health"]
    assert life.state.health.not_made is None


def test_a_check_that_could_not_be_made_is_no_first_check() -> None:
    life = Life()
    assert life.after(OURS) == []
    assert (life.state.health.health, life.state.health.checked_at) == (Health.UNKNOWN, None)


def test_a_check_that_could_not_be_made_proves_nothing_of_a_half_open_circuit() -> None:
    life = Life()
    life.after(BAD, GOOD)
    assert life.after(OURS) == []
    assert (life.state.circuit.state, life.state.circuit.successes) == (CircuitState.HALF_OPEN, 1)


def test_degraded_answers_and_so_proves_a_circuit_that_health_opened() -> None:
    life = Life()
    life.after(BAD)
    assert life.after(DEGRADED) == ["unhealthy→degraded health", "open→half-open health-recovered"]


def test_checks_do_not_close_what_calls_opened() -> None:
    life = Life()
    assert life.after(GOOD, FAILED, FAILED, FAILED)[-1] == "closed→open failure-threshold"
    assert life.after(*[GOOD] * 10) == []
    assert life.after(*[GOOD] * 10, passed=31.0) == ["open→half-open reset-timeout-elapsed"]
    assert life.after(OK, OK) == ["half-open→closed trials-succeeded"]


def test_an_unhealthy_connection_stays_open_whatever_the_clock_says() -> None:
    life = Life()
    life.after(BAD)
    assert life.after(TimeElapsed(), passed=1e8) == []
    assert life.state.circuit.state is CircuitState.OPEN


def test_a_result_of_an_older_generation_changes_nothing() -> None:
    life = Life()
    life.after(FAILED, FAILED, FAILED)
    life.after(TimeElapsed(), passed=31.0)
    before = life.state
    assert life.after(CallCompleted(succeeded=True, generation=0), CallCompleted(succeeded=False, generation=0)) == []
    assert life.state == before


def test_a_late_success_from_before_the_trip_does_not_close_it() -> None:
    life = Life()
    life.after(FAILED, FAILED, FAILED)
    life.after(TimeElapsed(), passed=31.0)
    life.after(*[CallCompleted(succeeded=True, generation=0)] * 10)
    assert life.state.circuit.state is CircuitState.HALF_OPEN


def test_a_result_that_arrives_after_its_own_wait_was_over_is_judged_by_its_generation() -> None:
    life = Life()
    life.after(FAILED, FAILED, FAILED)
    tripped = life.state.circuit.generation
    assert life.after(CallCompleted(succeeded=False, generation=tripped), passed=31.0) == [
        "open→half-open reset-timeout-elapsed"
    ]


def test_a_hold_is_announced_once_and_what_changes_of_it_as_that() -> None:
    life = Life()
    assert life.after(HoldRequested(Hold(60.0, "upgrade", "ann"))) == ["closed→open manual"]
    assert life.after(HoldRequested(Hold(None, "longer", "bob"))) == ["hold changed bob: longer"]
    assert life.after(HoldRequested(Hold(None, "longer", "bob"))) == []
    assert life.after(HoldRequested(Hold(60.0, "longer", "bob"))) == ["hold changed bob: longer"]
    assert life.state.circuit.note == "longer"


def test_coming_into_a_persons_hands_is_announced_even_where_it_was_open() -> None:
    life = Life()
    life.after(BAD)
    assert life.after(HoldRequested(Hold())) == ["open→open manual"]


def test_a_check_during_a_hold_changes_health_only() -> None:
    life = Life()
    life.after(HoldRequested(Hold()))
    assert life.after(BAD) == ["unknown→unhealthy health"]
    assert life.after(GOOD) == ["unhealthy→healthy health"]
    assert life.state.circuit.held


def test_closing_by_hand_forgets_the_verdict_and_the_next_bad_check_says_so_again() -> None:
    life = Life()
    life.after(BAD)
    assert life.after(CloseRequested("ann")) == ["unhealthy→unknown health", "open→closed manual"]
    assert life.state.health.checked_at is None
    assert life.after(BAD) == ["unknown→unhealthy health", "closed→open health-check-failed"]


def test_closing_what_is_closed_announces_nothing() -> None:
    life = Life()
    assert life.after(CloseRequested()) == []
    assert life.after(GOOD, CloseRequested()) == ["unknown→healthy health", "healthy→unknown health"]


def test_a_hold_that_ran_out_unseen_is_announced_before_what_came_after() -> None:
    life = Life()
    life.after(HoldRequested(Hold(60.0)))
    assert life.after(BAD, passed=61.0) == [
        "unknown→unhealthy health",
        "open→half-open hold-expired",
        "half-open→open health-check-failed",
    ]


def test_a_hold_that_ran_out_is_closed_by_good_checks_and_calls_together() -> None:
    life = Life()
    life.after(HoldRequested(Hold(60.0)))
    life.after(TimeElapsed(), passed=61.0)
    assert life.after(GOOD) == ["unknown→healthy health"]
    assert life.after(OK) == ["half-open→closed trials-succeeded"]


def test_switched_off_health_changes_and_no_circuit_does() -> None:
    life = Life(ConnectionPolicy(replace(RULES, enabled=False)))
    assert life.after(BAD, FAILED, FAILED, FAILED, FAILED) == ["unknown→unhealthy health"]
    assert life.after(HoldRequested(Hold(60.0))) == ["disabled→open manual"]
    assert life.after(TimeElapsed(), passed=60.0) == ["open→disabled hold-expired"]


INPUTS = st.sampled_from(
    [
        GOOD,
        DEGRADED,
        BAD,
        OK,
        FAILED,
        TimeElapsed(),
        CloseRequested(),
        HoldRequested(Hold()),
        HoldRequested(Hold(20.0)),
        CallCompleted(True, 0),
    ]
)


@given(
    st.lists(st.tuples(INPUTS, st.sampled_from([0.0, 1.0, 31.0, 400.0])), max_size=50),
    st.booleans(),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_announcements_are_a_chain_and_end_at_the_state(
    life_story: list[tuple[Action, float]], enabled: bool, rise: int, fall: int
) -> None:
    life = Life(ConnectionPolicy(replace(RULES, enabled=enabled), rise, fall))
    health, circuit = Health.UNKNOWN, CircuitState.CLOSED if enabled else CircuitState.DISABLED
    for given_, passed in life_story:
        life.clock += passed
        held_before = life.state.circuit.held
        outcome = reduce(life.state, given_, Instant(life.clock, WALL + life.clock), life.settings)
        for change in outcome.changes:
            if isinstance(change, HealthChange):
                assert change.previous is health
                health = change.current
            elif isinstance(change, HoldChange):
                assert held_before
                assert outcome.state.circuit.held
            else:
                assert change.previous is circuit
                assert change.current is not circuit or (outcome.state.circuit.held and not held_before)
                circuit = change.current
        life.state = outcome.state
        shown = life.state.circuit.state
        if not enabled and not life.state.circuit.held:
            shown = CircuitState.DISABLED
        assert (life.state.health.health, shown) == (health, circuit)


@pytest.mark.parametrize("given_", [OK, FAILED, TimeElapsed()], ids=["ok", "failed", "elapsed"])
def test_calls_and_time_never_touch_health(given_: Action) -> None:
    life = Life()
    life.after(BAD)
    before = life.state.health
    life.after(given_, passed=1000.0)
    assert life.state.health == before


def test_what_somebody_else_did_is_told_as_if_it_happened_here() -> None:
    mine, theirs = Life(), Life()
    theirs.after(BAD)
    changes = changes_between(mine.state, theirs.state, RULES)
    assert [words(change) for change in changes] == ["unknown→unhealthy health", "closed→open health-check-failed"]
    assert changes_between(theirs.state, theirs.state, RULES) == ()


def test_a_wait_that_is_over_is_told_by_whoever_acts_on_it_and_not_by_taking_over_a_row() -> None:
    life = Life()
    life.after(FAILED, FAILED, FAILED)
    later = Life()
    later.state, later.clock = life.state, 31.0
    assert changes_between(life.state, replace(life.state, health=life.state.health), RULES) == ()
    later.after(TimeElapsed())
    assert [words(one) for one in changes_between(life.state, later.state, RULES)] == [
        "open→half-open reset-timeout-elapsed"
    ]


def test_reasons_are_words_of_the_closed_list() -> None:
    assert {reason.value for reason in Reason} == {
        "health-check-failed",
        "health-recovered",
        "failure-threshold",
        "trial-failed",
        "trials-succeeded",
        "reset-timeout-elapsed",
        "hold-expired",
        "manual",
    }
