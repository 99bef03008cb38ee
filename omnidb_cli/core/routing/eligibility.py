"""Whether a connection may serve, and the words for it. Words name absolute times, so they age well."""

from collections.abc import Sequence
from enum import Enum, auto
from time import gmtime, strftime

from omnidb_cli.core.circuit.model import Circuit, CircuitPolicy, CircuitState, OpenedBy, state_at
from omnidb_cli.core.health.model import Health, HealthRecord
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.errors import Verdict


class Eligibility(Enum):
    """Where a connection stands in the order of those who may serve (semantics, "Half-open in the order")."""

    ELIGIBLE = auto()
    TRIAL = auto()
    """Half-open, and only calls can prove it: takes its trial calls in its own place."""
    RECOVERING = auto()
    """Half-open, and checks can prove it: waits behind a ready one."""
    INELIGIBLE = auto()


def eligibility_of(
    state: ConnectionState, clock: float, rules: CircuitPolicy, *, has_check: bool, permits_left: int = 1
) -> Eligibility:
    """The stand of a connection at `clock`; pure."""
    if state.health.health is Health.UNHEALTHY:
        return Eligibility.INELIGIBLE
    circuit = state.circuit
    match state_at(circuit, clock, rules):
        case CircuitState.OPEN:
            return Eligibility.INELIGIBLE
        case CircuitState.HALF_OPEN:
            if permits_left <= 0:
                return Eligibility.INELIGIBLE
            return Eligibility.RECOVERING if closes_by_checks(circuit, has_check=has_check) else Eligibility.TRIAL
        case _:
            return Eligibility.ELIGIBLE


def closes_by_checks(circuit: Circuit, *, has_check: bool) -> bool:
    """Whether checks can prove a half-open circuit: health opened it, or a hold that ran out, and there is a check."""
    return has_check and (circuit.held or circuit.origin is not OpenedBy.CALLS)


def reason_of(
    state: ConnectionState, clock: float, rules: CircuitPolicy, *, has_check: bool, permits_left: int = 1
) -> str:
    """Why a connection stands where it stands, in words that follow its name."""
    health, circuit = state.health, state.circuit
    shown = state_at(circuit, clock, rules)
    if circuit.held and shown is CircuitState.OPEN:
        return hold_words(circuit)
    if health.health is Health.UNHEALTHY:
        return f"unhealthy: {health.fault.sentence}" if health.fault else "unhealthy"
    if shown is CircuitState.OPEN:
        return _open(circuit)
    if shown is CircuitState.HALF_OPEN:
        return _half_open(circuit, rules, has_check=has_check, permits_left=permits_left)
    return _well(health, has_check=has_check)


def hold_words(circuit: Circuit) -> str:
    """Who holds it, until when, and why: `held by ann@ops until 07:30:12Z: upgrade`."""
    by = f" by {circuit.actor}" if circuit.actor else " by hand"
    until = f" until {clock_time(circuit.held_until)}" if circuit.held_until is not None else ""
    return f"held{by}{until}" + (f": {circuit.note}" if circuit.note else "")


def _open(circuit: Circuit) -> str:
    if circuit.origin is OpenedBy.HEALTH:
        return "circuit open: waiting for a good check"
    times = "1 failing call" if circuit.failures == 1 else f"{circuit.failures} failing calls"
    again = f", trial calls from {clock_time(circuit.retry_at)}" if circuit.retry_at is not None else ""
    return f"circuit open: {times}{again}"


def _half_open(circuit: Circuit, rules: CircuitPolicy, *, has_check: bool, permits_left: int) -> str:
    done = f"{circuit.successes} of {rules.half_open_successes} succeeded"
    if permits_left <= 0:
        return f"circuit half-open: as many trial calls as it admits are under way ({done})"
    if closes_by_checks(circuit, has_check=has_check):
        return f"circuit half-open: proved by checks ({done})"
    return f"circuit half-open: proved by trial calls ({done})"


def _well(health: HealthRecord, *, has_check: bool) -> str:
    match health.health:
        case Health.HEALTHY:
            return "healthy"
        case Health.DEGRADED:
            return f"degraded: {health.fault.sentence}" if health.fault else "degraded"
        case _:
            return "not checked yet" if has_check else "not checked: it has no check"


def clock_time(wall: float | None) -> str:
    """Unix time as `07:30:12Z`."""
    return "" if wall is None else strftime("%H:%M:%SZ", gmtime(wall))


MOST_REASONS = 5
"""So many candidates have their reason in a sentence; of the others it says how many they are."""


def against(verdicts: Sequence[Verdict], number: int) -> str:
    """What stands against the first of `number` candidates, in one line. `verdicts` are theirs, or as many as count."""
    said = [f"{one.name} {one.reason}" for one in verdicts[:MOST_REASONS]]
    more = number - len(said)
    return "; ".join([*said, f"and {more} more"] if more else said)
