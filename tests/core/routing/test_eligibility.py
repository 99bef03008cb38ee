"""Who may serve, in which order, and the words for it."""

import pytest

from omnidb_cli import Health
from omnidb_cli.core.circuit.model import CLOSED, Circuit, CircuitPolicy, Hold, Instant, Trigger, transition
from omnidb_cli.core.health.model import CheckError, HealthRecord
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.core.routing.eligibility import Eligibility, clock_time, eligibility_of, reason_of

RULES = CircuitPolicy(True, 2, 30.0, 2, 300.0, lambda: 0.0)
NOON = 1_700_049_600.0


def after(*causes: Trigger, circuit: Circuit = CLOSED, clock: float = 0.0, hold: Hold | None = None) -> Circuit:
    for cause in causes:
        circuit = transition(circuit, cause, Instant(clock, NOON + clock), RULES, hold)
    return circuit


TRIPPED = after(Trigger.CALL_FAILED, Trigger.CALL_FAILED)
TRIAL = after(Trigger.TIME_PASSED, circuit=TRIPPED, clock=30.0)
UNWELL = after(Trigger.CHECK_BAD)
PROVING = after(Trigger.CHECK_GOOD, circuit=UNWELL)
HELD = after(Trigger.HELD, hold=Hold(60.0, "upgrade", "ann"))
BAD = HealthRecord(Health.UNHEALTHY, fault=CheckError("refused", "connection refused"))
SLOW = HealthRecord(Health.DEGRADED, fault=CheckError("slow", "answered in 300ms"))
GOOD = HealthRecord(Health.HEALTHY)


def stand(circuit: Circuit, health: HealthRecord = GOOD, *, clock: float = 0.0, check: bool = True, left: int = 1):
    return eligibility_of(ConnectionState(health, circuit), clock, RULES, has_check=check, permits_left=left)


def reason(circuit: Circuit, health: HealthRecord = GOOD, *, clock: float = 0.0, check: bool = True, left: int = 1):
    return reason_of(ConnectionState(health, circuit), clock, RULES, has_check=check, permits_left=left)


@pytest.mark.parametrize("health", [GOOD, SLOW, HealthRecord()], ids=lambda one: one.health)
def test_healthy_degraded_and_unknown_are_ready_in_their_own_place(health: HealthRecord) -> None:
    assert stand(CLOSED, health) is Eligibility.ELIGIBLE


@pytest.mark.parametrize("circuit", [CLOSED, TRIAL, PROVING, UNWELL, HELD], ids=lambda one: str(one.reason))
def test_unhealthy_is_out_whatever_the_circuit(circuit: Circuit) -> None:
    assert stand(circuit, BAD, clock=31.0) is Eligibility.INELIGIBLE


@pytest.mark.parametrize("circuit", [TRIPPED, UNWELL, HELD], ids=lambda one: str(one.reason))
def test_an_open_circuit_counts_however_healthy_it_is(circuit: Circuit) -> None:
    assert stand(circuit) is Eligibility.INELIGIBLE


def test_half_open_by_calls_takes_its_trials_in_its_own_place() -> None:
    assert stand(TRIAL, clock=31.0) is Eligibility.TRIAL
    assert stand(TRIPPED, clock=31.0) is Eligibility.TRIAL


def test_half_open_by_health_waits_to_be_proved_where_there_is_a_check() -> None:
    assert stand(PROVING) is Eligibility.RECOVERING
    assert stand(PROVING, check=False) is Eligibility.TRIAL


def test_a_hold_that_ran_out_waits_to_be_proved_where_there_is_a_check() -> None:
    assert stand(HELD, clock=60.0) is Eligibility.RECOVERING
    assert stand(HELD, clock=60.0, check=False) is Eligibility.TRIAL
    acted_on = after(Trigger.TIME_PASSED, circuit=HELD, clock=60.0)
    assert stand(acted_on, clock=60.0) is Eligibility.RECOVERING


def test_half_open_with_all_permits_out_is_out() -> None:
    assert stand(TRIAL, clock=31.0, left=0) is Eligibility.INELIGIBLE
    assert stand(PROVING, left=0) is Eligibility.INELIGIBLE
    assert stand(CLOSED, left=0) is Eligibility.ELIGIBLE


@pytest.mark.parametrize(
    ("circuit", "health", "words"),
    [
        (CLOSED, GOOD, "healthy"),
        (CLOSED, SLOW, "degraded: answered in 300ms"),
        (CLOSED, HealthRecord(), "not checked yet"),
        (UNWELL, BAD, "unhealthy: connection refused"),
        (UNWELL, GOOD, "circuit open: waiting for a good check"),
        (TRIPPED, GOOD, "circuit open: 2 failing calls, trial calls from 12:00:30Z"),
        (HELD, BAD, "held by ann until 12:01:00Z: upgrade"),
        (after(Trigger.HELD), GOOD, "held by hand"),
        (PROVING, GOOD, "circuit half-open: proved by checks (0 of 2 succeeded)"),
        (TRIAL, GOOD, "circuit half-open: proved by trial calls (0 of 2 succeeded)"),
    ],
)
def test_every_stand_has_its_words(circuit: Circuit, health: HealthRecord, words: str) -> None:
    assert reason(circuit, health) == words


def test_the_words_say_when_permits_are_what_is_missing_and_when_there_is_no_check() -> None:
    assert "as many trial calls as it admits are under way" in reason(TRIAL, left=0)
    assert reason(CLOSED, HealthRecord(), check=False) == "not checked: it has no check"


def test_times_are_absolute_and_utc() -> None:
    assert clock_time(NOON) == "12:00:00Z"
    assert clock_time(None) == ""
