"""One connection's memory, and the pure function that leads from one to the next.

Health and circuit meet here (semantics, "Health ↔ circuit"): everything that happens to a connection is an
`Input`; `reduce` returns the memory after it and the changes that everybody should hear of, in order.
The orchestrator applies it to what it holds; the state store applies the same inputs to the saved row, so
that two processes that change one connection lose nothing.
"""

from itertools import pairwise

from msgspec import Struct

from omnidb_cli.core.circuit.model import CLOSED, Cause, Circuit, CircuitState, Hold, Moment, Origin, Rules, step
from omnidb_cli.core.health.model import NEVER_OBSERVED, CheckResult, Fault, Health, HealthRecord, not_checked, observe
from omnidb_cli.errors import ErrorKind


class Memory(Struct, frozen=True):
    """What outlives a process, of one connection."""

    health: HealthRecord = NEVER_OBSERVED
    circuit: Circuit = CLOSED


class Settings(Struct, frozen=True):
    """What `reduce` must know of a connection's configuration. `rise` and `fall` count looks in a row."""

    rules: Rules
    rise: int = 1
    fall: int = 1


class Checked(Struct, frozen=True):
    """A check answered. `latency_s` is the monitor's own measurement, for a check that brings none."""

    result: CheckResult
    latency_s: float | None = None


class Called(Struct, frozen=True):
    """A call ended, admitted by circuit generation `generation` (None: reported by hand, for the current one)."""

    succeeded: bool
    generation: int | None = None


class Held(Struct, frozen=True):
    """A person takes the connection out of rotation."""

    hold: Hold


class Closed(Struct, frozen=True):
    """A person puts the connection back: hold, counters and the verdict of the last look are cleared."""

    actor: str | None = None


class Elapsed(Struct, frozen=True):
    """Time passed: a wait or a hold may be over."""


Input = Checked | Called | Held | Closed | Elapsed


class HealthChange(Struct, frozen=True):
    """The verdict changed."""

    previous: Health
    current: Health
    fault: Fault | None


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


class Outcome(Struct, frozen=True):
    """The memory after an input, and what changed, in the order in which it is announced."""

    memory: Memory
    changes: tuple[Change, ...]


def reduce(memory: Memory, given: Input, at: Moment, settings: Settings) -> Outcome:
    """The memory after `given` happened at `at`."""
    health, circuit = memory.health, memory.circuit
    steps = [circuit]
    if (now := step(circuit, Cause.TIME_PASSED, at, settings.rules)) is not circuit:
        steps.append(now)
    match given:
        case Checked(CheckResult(Health.UNHEALTHY, kind=ErrorKind.LOCAL) as result):
            record = not_checked(health, result)
        case Checked():
            record = observe(health, given.result, at.wall, settings.rise, settings.fall, given.latency_s)
            steps += _after_check(now, record, given, at, settings)
        case Called():
            record = health
            if given.generation is None or given.generation == now.generation:
                cause = Cause.CALL_SUCCEEDED if given.succeeded else Cause.CALL_FAILED
                steps.append(step(now, cause, at, settings.rules))
        case Held(hold):
            record = health
            steps.append(step(now, Cause.HELD, at, settings.rules, hold))
        case Closed(actor):
            record = NEVER_OBSERVED
            steps.append(step(now, Cause.CLOSED_BY_HAND, at, settings.rules, Hold(actor=actor)))
        case Elapsed():
            record = health
    changes: list[Change] = _health_change(health, record)
    for previous, current in pairwise(steps):
        changes += _circuit_change(previous, current, settings.rules)
    return Outcome(Memory(record, steps[-1]), tuple(changes))


def changes_between(before: Memory, after: Memory, rules: Rules) -> tuple[Change, ...]:
    """What changed from one memory to another that somebody else arrived at, in the order of announcing."""
    health = _health_change(before.health, after.health)
    return (*health, *_circuit_change(before.circuit, after.circuit, rules))


def _health_change(before: HealthRecord, after: HealthRecord) -> list[Change]:
    return [] if after.health is before.health else [HealthChange(before.health, after.health, after.fault)]


def _after_check(
    circuit: Circuit, record: HealthRecord, checked: Checked, at: Moment, settings: Settings
) -> list[Circuit]:
    """The circuits that follow from a look, one after the other."""
    rules = settings.rules
    if checked.result.health is Health.UNHEALTHY:
        if checked.result.kind == ErrorKind.LOCAL:
            return []
        proving = circuit.state is CircuitState.HALF_OPEN and circuit.origin is not Origin.CALLS
        decided = proving or record.health is Health.UNHEALTHY
        return [step(circuit, Cause.CHECK_BAD, at, rules)] if decided else []
    if record.health is Health.UNHEALTHY:
        return []
    after = step(circuit, Cause.CHECK_GOOD, at, rules)
    if circuit.state is CircuitState.OPEN and after.state is CircuitState.HALF_OPEN:
        return [after, step(after, Cause.CHECK_GOOD, at, rules)]  # the look that recovered counts as the first success
    return [after]


def _circuit_change(previous: Circuit, current: Circuit, rules: Rules) -> list[CircuitChange] | list[HoldChange]:
    before, after = _acted_on(previous, rules), _acted_on(current, rules)
    if previous.held and current.held and after is CircuitState.OPEN:
        return [] if _terms(previous) == _terms(current) else [HoldChange(*_terms(current))]
    if before is after and previous.held is current.held:
        return []
    return [CircuitChange(before, after, current.reason, current.note, current.actor)]


def _acted_on(circuit: Circuit, rules: Rules) -> CircuitState:
    """The state that was last acted on: what time alone makes of it is announced when somebody acts on that."""
    if circuit.held:
        return CircuitState.OPEN
    return circuit.state if rules.enabled else CircuitState.DISABLED


def _terms(circuit: Circuit) -> tuple[str | None, str | None, float | None]:
    return circuit.note, circuit.actor, circuit.held_until
