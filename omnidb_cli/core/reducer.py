"""One connection's state, and the pure function that leads from one to the next.

Health and circuit meet here (semantics, "Health ↔ circuit"): everything that happens to a connection is an
`Action`; `reduce` returns the state after it and the changes that everybody should hear of, in order.
The orchestrator applies it to what it holds; the state store applies the same inputs to the saved row, so
that two processes that change one connection lose nothing.
"""

from itertools import pairwise

from msgspec import Struct

from omnidb_cli.core.circuit.model import (
    CLOSED,
    Circuit,
    CircuitPolicy,
    CircuitState,
    Hold,
    Instant,
    OpenedBy,
    Trigger,
    transition,
)
from omnidb_cli.core.health.model import (
    NEVER_OBSERVED,
    CheckError,
    CheckResult,
    Health,
    HealthRecord,
    not_checked,
    record_check,
)
from omnidb_cli.errors import ErrorKind

# Every check asks for these; looking a member up on its enum costs as much as half a check on Python 3.11.
_CLOSED, _HEALTHY = CircuitState.CLOSED, Health.HEALTHY


class ConnectionState(Struct, frozen=True):
    """What outlives a process, of one connection."""

    health: HealthRecord = NEVER_OBSERVED
    circuit: Circuit = CLOSED


class ConnectionPolicy(Struct, frozen=True):
    """What `reduce` must know of a connection's configuration. `rise` and `fall` count checks in a row."""

    rules: CircuitPolicy
    rise: int = 1
    fall: int = 1


class CheckCompleted(Struct, frozen=True):
    """A check answered. `latency_s` is the monitor's own measurement, for a check that brings none."""

    result: CheckResult
    latency_s: float | None = None


class CallCompleted(Struct, frozen=True):
    """A call ended, admitted by circuit generation `generation` (None: reported by hand, for the current one)."""

    succeeded: bool
    generation: int | None = None


class HoldRequested(Struct, frozen=True):
    """A person takes the connection out of rotation."""

    hold: Hold


class CloseRequested(Struct, frozen=True):
    """A person puts the connection back: hold, counters and the verdict of the last check are cleared."""

    actor: str | None = None


class TimeElapsed(Struct, frozen=True):
    """Time passed: a wait or a hold may be over."""


Action = CheckCompleted | CallCompleted | HoldRequested | CloseRequested | TimeElapsed


class HealthChange(Struct, frozen=True):
    """The verdict changed."""

    previous: Health
    current: Health
    fault: CheckError | None


class CircuitChange(Struct, frozen=True):
    """The circuit changed state, or came into a person's hands."""

    previous: CircuitState
    current: CircuitState
    reason: str | None
    note: str | None
    actor: str | None


class HoldChange(Struct, frozen=True):
    """A hold that was there already got another time, reason or person; the circuit stays open."""

    note: str | None
    actor: str | None
    held_until: float | None


Change = HealthChange | CircuitChange | HoldChange


class Reduction(Struct, frozen=True):
    """The state after an action, and what changed, in the order in which it is announced."""

    state: ConnectionState
    changes: tuple[Change, ...]


def reduce(state: ConnectionState, given: Action, at: Instant, settings: ConnectionPolicy) -> Reduction:
    """The state after `given` happened at `at`."""
    health, circuit = state.health, state.circuit
    if type(given) is CheckCompleted and health.health is _HEALTHY is given.result.health and circuit.state is _CLOSED:
        # Nearly every check: a passing one changes no closed circuit, and nothing is announced.
        record = record_check(health, given.result, at.wall, settings.rise, settings.fall, given.latency_s)
        return Reduction(ConnectionState(record, circuit), ())
    steps = [circuit]
    if (now := transition(circuit, Trigger.TIME_PASSED, at, settings.rules)) is not circuit:
        steps.append(now)
    match given:
        case CheckCompleted(CheckResult(Health.UNHEALTHY, kind=ErrorKind.LOCAL) as result):
            record = not_checked(health, result)
        case CheckCompleted():
            record = record_check(health, given.result, at.wall, settings.rise, settings.fall, given.latency_s)
            steps += _after_check(now, record, given, at, settings)
        case CallCompleted():
            record = health
            if given.generation is None or given.generation == now.generation:
                cause = Trigger.CALL_SUCCEEDED if given.succeeded else Trigger.CALL_FAILED
                steps.append(transition(now, cause, at, settings.rules))
        case HoldRequested(hold):
            record = health
            steps.append(transition(now, Trigger.HELD, at, settings.rules, hold))
        case CloseRequested(actor):
            record = NEVER_OBSERVED
            steps.append(transition(now, Trigger.CLOSED_BY_HAND, at, settings.rules, Hold(actor=actor)))
        case TimeElapsed():
            record = health
    changes: list[Change] = _health_change(health, record)
    for previous, current in pairwise(steps):
        changes += _circuit_change(previous, current, settings.rules)
    return Reduction(ConnectionState(record, steps[-1]), tuple(changes))


def changes_between(before: ConnectionState, after: ConnectionState, rules: CircuitPolicy) -> tuple[Change, ...]:
    """What changed from one state to another that somebody else arrived at, in the order of announcing."""
    health = _health_change(before.health, after.health)
    return (*health, *_circuit_change(before.circuit, after.circuit, rules))


def _health_change(before: HealthRecord, after: HealthRecord) -> list[Change]:
    return [] if after.health is before.health else [HealthChange(before.health, after.health, after.fault)]


def _after_check(
    circuit: Circuit, record: HealthRecord, checked: CheckCompleted, at: Instant, settings: ConnectionPolicy
) -> list[Circuit]:
    """The circuits that follow from a check, one after the other."""
    rules = settings.rules
    if checked.result.health is Health.UNHEALTHY:
        proving = circuit.state is CircuitState.HALF_OPEN and circuit.origin is not OpenedBy.CALLS
        decided = proving or record.health is Health.UNHEALTHY
        return [transition(circuit, Trigger.CHECK_BAD, at, rules)] if decided else []
    if record.health is Health.UNHEALTHY:
        return []
    after = transition(circuit, Trigger.CHECK_GOOD, at, rules)
    if circuit.state is CircuitState.OPEN and after.state is CircuitState.HALF_OPEN:
        return [
            after,
            transition(after, Trigger.CHECK_GOOD, at, rules),
        ]  # the check that recovered counts as the first success
    return [after]


def _circuit_change(
    previous: Circuit, current: Circuit, rules: CircuitPolicy
) -> list[CircuitChange] | list[HoldChange]:
    before, after = _acted_on(previous, rules), _acted_on(current, rules)
    if previous.held and current.held and after is CircuitState.OPEN:
        return [] if _terms(previous) == _terms(current) else [HoldChange(*_terms(current))]
    if before is after and previous.held is current.held:
        return []
    return [CircuitChange(before, after, current.reason, current.note, current.actor)]


def _acted_on(circuit: Circuit, rules: CircuitPolicy) -> CircuitState:
    """The state that was last acted on: what time alone makes of it is announced when somebody acts on that."""
    if circuit.held:
        return CircuitState.OPEN
    return circuit.state if rules.enabled else CircuitState.DISABLED


def _terms(circuit: Circuit) -> tuple[str | None, str | None, float | None]:
    return circuit.note, circuit.actor, circuit.held_until
