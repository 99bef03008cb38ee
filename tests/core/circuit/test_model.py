"""The circuit as a value: every transition, and everything that must not be one."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import (
    CLOSED,
    Circuit,
    CircuitPolicy,
    CircuitState,
    Hold,
    Instant,
    OpenedBy,
    Reason,
    Trigger,
    state_at,
    transition,
)

RULES = CircuitPolicy(True, 3, 30.0, 2, 300.0, lambda: 0.0)
OFF = replace(RULES, enabled=False)
WALL = 1_700_000_000.0


def at(clock: float) -> Instant:
    return Instant(clock, WALL + clock)


def after(*causes: Trigger, circuit: Circuit = CLOSED, clock: float = 0.0, rules: CircuitPolicy = RULES) -> Circuit:
    for cause in causes:
        circuit = transition(circuit, cause, at(clock), rules)
    return circuit


FAILED, OK, GOOD, BAD = Trigger.CALL_FAILED, Trigger.CALL_SUCCEEDED, Trigger.CHECK_GOOD, Trigger.CHECK_BAD
TRIPPED = after(FAILED, FAILED, FAILED)
TRIAL = after(Trigger.TIME_PASSED, circuit=TRIPPED, clock=30.0)
UNWELL = after(BAD)
PROVING = after(GOOD, circuit=UNWELL)


def test_states_are_the_words_of_the_status_object() -> None:
    assert [state.value for state in CircuitState] == ["closed", "open", "half-open", "disabled"]
    assert f"{CircuitState.HALF_OPEN}" == "half-open"


def test_trips_at_threshold_failures_in_a_row_and_not_before() -> None:
    assert after(FAILED, FAILED).state is CircuitState.CLOSED
    assert TRIPPED.state is CircuitState.OPEN
    assert (TRIPPED.origin, TRIPPED.reason, TRIPPED.failures) == (OpenedBy.CALLS, Reason.FAILURE_THRESHOLD, 3)


def test_a_success_between_begins_the_count_anew() -> None:
    assert after(FAILED, FAILED, OK, FAILED, FAILED).state is CircuitState.CLOSED


def test_the_deadline_is_fixed_at_the_trip_and_late_failures_never_move_it() -> None:
    assert TRIPPED.deadline == 30.0
    late = after(FAILED, FAILED, circuit=TRIPPED, clock=29.0)
    assert late is TRIPPED


def test_the_wait_over_it_is_half_open_without_anybody_asking() -> None:
    assert state_at(TRIPPED, 29.999, RULES) is CircuitState.OPEN
    assert state_at(TRIPPED, 30.0, RULES) is CircuitState.HALF_OPEN
    assert (TRIAL.state, TRIAL.reason) == (CircuitState.HALF_OPEN, Reason.RESET_TIMEOUT_ELAPSED)


def test_half_open_closes_after_that_many_successes() -> None:
    one = after(OK, circuit=TRIAL, clock=31.0)
    assert (one.state, one.successes) == (CircuitState.HALF_OPEN, 1)
    closed = after(OK, circuit=one, clock=31.0)
    assert (closed.state, closed.reason, closed.failures) == (CircuitState.CLOSED, Reason.TRIALS_SUCCEEDED, 0)


def test_one_failure_reopens_a_half_open_one_even_after_a_success() -> None:
    reopened = after(OK, FAILED, circuit=TRIAL, clock=31.0)
    assert (reopened.state, reopened.reason) == (CircuitState.OPEN, Reason.TRIAL_FAILED)
    assert reopened.successes == 0


def test_each_failed_half_open_doubles_the_wait_up_to_the_longest() -> None:
    circuit, clock, waits = TRIPPED, 0.0, []
    for _ in range(7):
        assert circuit.deadline is not None
        waits.append(circuit.wait_s)
        clock = circuit.deadline
        circuit = after(FAILED, circuit=circuit, clock=clock)
    assert waits == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_the_wait_stays_finite_after_any_number_of_failed_trials() -> None:
    circuit = replace(TRIAL, trips=100_000)
    assert after(FAILED, circuit=circuit, clock=30.0).wait_s == 300.0


def test_closing_resets_the_wait() -> None:
    longer = after(FAILED, circuit=TRIAL, clock=30.0)
    assert longer.wait_s == 60.0
    closed = after(OK, OK, circuit=longer, clock=90.0)
    assert after(FAILED, FAILED, FAILED, circuit=closed, clock=100.0).wait_s == 30.0


@given(st.floats(-0.1, 0.1))
def test_each_wait_is_jittered_by_at_most_a_tenth(draw: float) -> None:
    tripped = after(FAILED, FAILED, FAILED, rules=replace(RULES, jitter=lambda: draw))
    assert tripped.wait_s == pytest.approx(30.0 * (1 + draw))
    assert 27.0 <= (tripped.wait_s or 0) <= 33.0 + 1e-9


def test_opened_by_health_it_waits_for_a_check_and_never_for_the_clock() -> None:
    assert (UNWELL.origin, UNWELL.reason, UNWELL.retry_at) == (OpenedBy.HEALTH, Reason.HEALTH_CHECK_FAILED, None)
    assert state_at(UNWELL, 1e9, RULES) is CircuitState.OPEN


def test_opened_by_health_a_good_check_makes_it_half_open_and_good_checks_close_it() -> None:
    assert PROVING.state is CircuitState.HALF_OPEN
    closed = after(GOOD, GOOD, circuit=PROVING)
    assert (closed.state, closed.reason) == (CircuitState.CLOSED, Reason.HEALTH_RECOVERED)


def test_checks_never_close_what_failing_calls_opened() -> None:
    assert after(*[GOOD] * 50, circuit=TRIPPED, clock=1.0) is TRIPPED
    assert after(*[GOOD] * 50, circuit=TRIAL, clock=31.0) is TRIAL


def test_calls_that_fail_while_checks_prove_it_make_it_theirs_to_prove() -> None:
    reopened = after(FAILED, circuit=PROVING)
    assert (reopened.origin, reopened.deadline) == (OpenedBy.CALLS, 60.0)
    assert after(GOOD, GOOD, GOOD, circuit=reopened, clock=1.0) is reopened


def test_a_bad_check_leaves_a_trial_of_failing_calls_to_calls() -> None:
    reopened = after(BAD, circuit=TRIAL, clock=31.0)
    assert (reopened.state, reopened.origin) == (CircuitState.OPEN, OpenedBy.CALLS)
    assert reopened.deadline is not None


def test_tripped_by_hand_of_the_program_it_comes_back_as_after_failures() -> None:
    tripped = after(Trigger.TRIPPED)
    assert tripped.state is CircuitState.OPEN
    assert state_at(tripped, 30.0, RULES) is CircuitState.HALF_OPEN
    assert after(Trigger.TRIPPED, circuit=TRIPPED, clock=5.0) is TRIPPED


def held(
    hold_s: float | None = None, *, circuit: Circuit = CLOSED, clock: float = 0.0, rules: CircuitPolicy = RULES
) -> Circuit:
    return transition(circuit, Trigger.HELD, at(clock), rules, Hold(hold_s, "maintenance", "ann"))


@pytest.mark.parametrize("circuit", [CLOSED, TRIPPED, TRIAL, UNWELL, PROVING], ids=lambda one: str(one.reason))
def test_nothing_automatic_ends_a_hold_early(circuit: Circuit) -> None:
    hold = held(60.0, circuit=circuit, clock=31.0)
    for cause in (OK, FAILED, GOOD, BAD, Trigger.TRIPPED, Trigger.TIME_PASSED):
        assert after(*[cause] * 10, circuit=hold, clock=90.0) is hold
    assert state_at(hold, 90.9, RULES) is CircuitState.OPEN


def test_a_hold_without_end_never_ends_by_itself() -> None:
    hold = held()
    assert after(OK, GOOD, Trigger.TIME_PASSED, circuit=hold, clock=1e9) is hold


def test_a_hold_whose_time_is_up_goes_half_open_and_both_checks_and_calls_prove_it() -> None:
    over = after(Trigger.TIME_PASSED, circuit=held(60.0), clock=60.0)
    assert (over.state, over.reason, over.held) == (CircuitState.HALF_OPEN, Reason.HOLD_EXPIRED, False)
    assert after(GOOD, OK, circuit=over, clock=60.0).state is CircuitState.CLOSED
    assert after(OK, OK, circuit=over, clock=60.0).state is CircuitState.CLOSED
    assert after(GOOD, GOOD, circuit=over, clock=60.0).state is CircuitState.CLOSED


def test_a_hold_remembers_who_why_and_until_when() -> None:
    hold = held(60.0, clock=5.0)
    assert (hold.actor, hold.note, hold.reason) == ("ann", "maintenance", Reason.MANUAL)
    assert (hold.opened_at, hold.held_until) == (WALL + 5, WALL + 65)


def test_holding_what_is_held_changes_time_and_reason_and_is_the_same_transition() -> None:
    first = held(60.0)
    second = transition(first, Trigger.HELD, at(10.0), RULES, Hold(None, "longer", "bob"))
    assert (second.held_until, second.note, second.actor) == (None, "longer", "bob")
    assert (second.opened_at, second.generation) == (first.opened_at, first.generation)
    assert state_at(second, 1e9, RULES) is CircuitState.OPEN


@pytest.mark.parametrize("circuit", [CLOSED, TRIPPED, TRIAL, UNWELL, PROVING, held()], ids=str)
def test_closing_by_hand_clears_hold_counters_and_doubling(circuit: Circuit) -> None:
    closed = after(Trigger.CLOSED_BY_HAND, circuit=replace(circuit, trips=4), clock=31.0)
    assert replace(closed, generation=0) == Circuit(reason=Reason.MANUAL)


def test_switched_off_only_holds_and_closing_by_hand_have_an_effect() -> None:
    assert after(*[FAILED] * 20, BAD, Trigger.TRIPPED, rules=OFF) is CLOSED
    assert state_at(CLOSED, 0.0, OFF) is CircuitState.DISABLED
    hold = held(60.0, rules=OFF)
    assert state_at(hold, 59.0, OFF) is CircuitState.OPEN
    assert after(GOOD, OK, Trigger.TIME_PASSED, circuit=hold, clock=59.0, rules=OFF) is hold
    assert state_at(hold, 60.0, OFF) is CircuitState.DISABLED
    over = after(Trigger.TIME_PASSED, circuit=hold, clock=60.0, rules=OFF)
    assert (over.state, over.held, over.reason) == (CircuitState.CLOSED, False, Reason.HOLD_EXPIRED)


def test_every_change_of_state_is_a_new_generation_and_only_such() -> None:
    starts = [CLOSED, after(FAILED), TRIPPED, TRIAL, UNWELL, PROVING, held(60.0), held()]
    for circuit, cause in product(starts, Trigger):
        if cause is Trigger.CLOSED_BY_HAND:
            continue  # always one: results from before the closing are void
        circuit = after(Trigger.TIME_PASSED, circuit=circuit, clock=31.0)  # noqa: PLW2901 - waits that are over
        following = transition(circuit, cause, at(31.0), RULES, Hold())
        moved = (following.state, following.held) != (circuit.state, circuit.held)
        assert (following.generation != circuit.generation) is moved, (circuit, cause)
        assert following.generation >= circuit.generation


def test_closing_by_hand_is_a_new_generation_even_where_it_was_closed() -> None:
    assert after(Trigger.CLOSED_BY_HAND).generation == CLOSED.generation + 1


def test_retry_at_is_set_only_while_open_and_waiting_for_the_clock() -> None:
    assert TRIPPED.retry_at == WALL + 30.0
    assert [one.retry_at for one in (CLOSED, TRIAL, UNWELL, PROVING, held(60.0))] == [None] * 5


CAUSES = st.lists(st.tuples(st.sampled_from(Trigger), st.sampled_from([0.0, 0.5, 29.0, 31.0, 400.0])), max_size=40)


@given(CAUSES, st.booleans())
def test_whatever_happens_counts_stay_sane_and_open_has_a_way_back(
    happenings: list[tuple[Trigger, float]], enabled: bool
) -> None:
    rules, circuit, clock = replace(RULES, enabled=enabled), CLOSED, 0.0
    for cause, passed in happenings:
        clock += passed
        before = circuit
        circuit = transition(circuit, cause, at(clock), rules, Hold(50.0 if passed else None))
        assert 0 <= circuit.successes < rules.half_open_successes
        assert circuit.failures >= 0
        assert circuit.generation >= before.generation
        assert (circuit.deadline is not None) <= (circuit.state is CircuitState.OPEN)
        if circuit.state is CircuitState.OPEN and not circuit.held:
            assert (circuit.origin is OpenedBy.HEALTH) is (circuit.deadline is None)
        if circuit.state is CircuitState.CLOSED:
            assert (circuit.origin, circuit.trips, circuit.held, circuit.opened_at) == (None, 0, False, None)
            assert circuit.failures < rules.threshold
