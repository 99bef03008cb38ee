"""The circuit as a value: its states, and the one function that leads from one to the next.

Nothing here reads a clock or changes anything: `step` takes the moment and returns the circuit after it.
`breaker.py` holds a circuit and acts on it.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class CircuitState(StrEnum):
    """Whether calls are let through; `disabled` means that only a hold by hand stops them."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    DISABLED = "disabled"


class OpenedBy(StrEnum):
    """What opened a circuit, and so what may close it again."""

    HEALTH = "health"
    CALLS = "calls"
    HAND = "hand"


class Reason(StrEnum):
    """Why a circuit changed, as events and the status object say it."""

    HEALTH_CHECK_FAILED = "health-check-failed"
    HEALTH_RECOVERED = "health-recovered"
    FAILURE_THRESHOLD = "failure-threshold"
    TRIAL_FAILED = "trial-failed"
    TRIALS_SUCCEEDED = "trials-succeeded"
    RESET_TIMEOUT_ELAPSED = "reset-timeout-elapsed"
    HOLD_EXPIRED = "hold-expired"
    MANUAL = "manual"


class Instant(Struct, frozen=True):
    """One instant on two clocks: `clock` for waits (monotonic seconds), `wall` for people and the store (Unix time)."""

    clock: float
    wall: float


class Hold(Struct, frozen=True):
    """A person takes a connection out of rotation: for how long (seconds; None: until closed), why, and who.

    One that does not take over leaves another person's hold as it is, also one that was placed a moment before.
    """

    hold_s: float | None = None
    note: str | None = None
    actor: str | None = None
    takes_over: bool = True


class CircuitPolicy(Struct, frozen=True):
    """The settings of one circuit, checked and in seconds. `jitter` draws from -0.1 … 0.1."""

    enabled: bool
    threshold: int
    reset_timeout_s: float
    half_open_successes: int
    max_reset_timeout_s: float
    jitter: Callable[[], float]


class Circuit(Struct, frozen=True):
    """All that a circuit remembers. A new value replaces it at each step; none is ever changed.

    `deadline` (of an open circuit that waits for the clock) and `hold_deadline` count on `Instant.clock`; `opened_at`
    and `held_until` are Unix times for people and for the store. `trips` counts failed half-opens in a row (each
    doubles the wait), `generation` the transitions, so that a late result can be told from a current one.
    """

    state: CircuitState = CircuitState.CLOSED
    origin: OpenedBy | None = None
    reason: str | None = None
    actor: str | None = None
    failures: int = 0
    successes: int = 0
    opened_at: float | None = None
    wait_s: float | None = None
    deadline: float | None = None
    trips: int = 0
    held: bool = False
    note: str | None = None
    hold_s: float | None = None
    held_until: float | None = None
    hold_deadline: float | None = None
    generation: int = 0

    @property
    def retry_at(self) -> float | None:
        """Unix time at which trial calls begin; None unless open and waiting for the clock."""
        if self.state is not CircuitState.OPEN or self.opened_at is None or self.wait_s is None:
            return None
        return self.opened_at + self.wait_s

    @property
    def reopens_at(self) -> float | None:
        """Clock seconds at which time alone makes an open circuit half-open; None where it never does."""
        return self.hold_deadline if self.held else self.deadline


CLOSED = Circuit()


class Trigger(StrEnum):
    """Everything that can happen to a circuit."""

    CALL_SUCCEEDED = "call-succeeded"
    CALL_FAILED = "call-failed"
    CHECK_GOOD = "check-good"
    CHECK_BAD = "check-bad"
    TRIPPED = "tripped"
    HELD = "held"
    CLOSED_BY_HAND = "closed-by-hand"
    TIME_PASSED = "time-passed"


def state_at(circuit: Circuit, clock: float, rules: CircuitPolicy) -> CircuitState:
    """The state as it is at `clock`, whether or not anybody has acted on the time that passed."""
    if circuit.held:
        if circuit.hold_deadline is None or clock < circuit.hold_deadline:
            return CircuitState.OPEN
        return CircuitState.HALF_OPEN if rules.enabled else CircuitState.DISABLED
    if not rules.enabled:
        return CircuitState.DISABLED
    if circuit.deadline is not None and clock >= circuit.deadline:
        return CircuitState.HALF_OPEN
    return circuit.state


def transition(
    circuit: Circuit, cause: Trigger, at: Instant, rules: CircuitPolicy, hold: Hold | None = None
) -> Circuit:
    """The circuit after `cause` at `at`; the same object when nothing changes.

    A call's result counts only while its generation is current: the caller compares before it asks.
    With `rules.enabled` off only holds and the closing by hand have an effect (semantics, Circuit 10).
    """
    circuit = _time_passed(circuit, at, rules)
    match cause:
        case Trigger.HELD:
            asked = hold or Hold()
            is_anothers = circuit.held and circuit.actor != asked.actor
            return circuit if is_anothers and not asked.takes_over else _held(circuit, at, asked)
        case Trigger.CLOSED_BY_HAND:
            return _closed(circuit, Reason.MANUAL, hold.actor if hold else None)
        case Trigger.TIME_PASSED:
            return circuit
    if circuit.held or not rules.enabled:
        return circuit
    return _automatic(circuit, cause, at, rules)


def _automatic(circuit: Circuit, cause: Trigger, at: Instant, rules: CircuitPolicy) -> Circuit:
    match (cause, circuit.state):
        case (Trigger.CALL_SUCCEEDED, CircuitState.CLOSED):
            return replace(circuit, failures=0) if circuit.failures else circuit
        case (Trigger.CALL_SUCCEEDED, CircuitState.HALF_OPEN):
            return _succeeded(circuit, Reason.TRIALS_SUCCEEDED, rules)
        case (Trigger.CALL_FAILED, CircuitState.CLOSED):
            if circuit.failures + 1 < rules.threshold:
                return replace(circuit, failures=circuit.failures + 1)
            return _opened(circuit, OpenedBy.CALLS, Reason.FAILURE_THRESHOLD, at, rules)
        case (Trigger.CALL_FAILED | Trigger.TRIPPED, CircuitState.HALF_OPEN):
            return _opened(circuit, OpenedBy.CALLS, Reason.TRIAL_FAILED, at, rules)
        case (Trigger.TRIPPED, CircuitState.CLOSED):
            return _opened(circuit, OpenedBy.CALLS, Reason.FAILURE_THRESHOLD, at, rules)
        case (Trigger.CHECK_BAD, CircuitState.CLOSED):
            return _opened(circuit, OpenedBy.HEALTH, Reason.HEALTH_CHECK_FAILED, at, rules)
        case (Trigger.CHECK_BAD, CircuitState.HALF_OPEN):
            # What calls opened stays theirs to prove: a check that fails meanwhile does not hand it to the checks.
            origin = OpenedBy.CALLS if circuit.origin is OpenedBy.CALLS else OpenedBy.HEALTH
            return _opened(circuit, origin, Reason.HEALTH_CHECK_FAILED, at, rules)
        case (Trigger.CHECK_GOOD, CircuitState.OPEN) if circuit.origin is OpenedBy.HEALTH:
            return _half_open(circuit, Reason.HEALTH_RECOVERED)
        case (Trigger.CHECK_GOOD, CircuitState.HALF_OPEN) if circuit.origin is not OpenedBy.CALLS:
            return _succeeded(circuit, Reason.HEALTH_RECOVERED, rules)
        case _:
            return circuit


def _time_passed(circuit: Circuit, at: Instant, rules: CircuitPolicy) -> Circuit:
    state = state_at(circuit, at.clock, rules)
    if circuit.held and state is not CircuitState.OPEN:
        if state is CircuitState.DISABLED:
            return _closed(circuit, Reason.HOLD_EXPIRED)
        return _half_open(replace(_unheld(circuit), origin=OpenedBy.HAND), Reason.HOLD_EXPIRED)
    if circuit.state is CircuitState.OPEN and state is CircuitState.HALF_OPEN:
        return _half_open(circuit, Reason.RESET_TIMEOUT_ELAPSED)
    return circuit


def _opened(circuit: Circuit, origin: OpenedBy, reason: Reason, at: Instant, rules: CircuitPolicy) -> Circuit:
    trips = circuit.trips + 1 if circuit.state is CircuitState.HALF_OPEN else circuit.trips
    wait_s = None  # health opened it: only a good check leads on
    if origin is not OpenedBy.HEALTH:
        wait_s = min(rules.reset_timeout_s * 2.0 ** min(trips, 64), rules.max_reset_timeout_s) * (1 + rules.jitter())
    return Circuit(
        state=CircuitState.OPEN,
        origin=origin,
        reason=reason,
        failures=circuit.failures + 1,
        opened_at=at.wall,
        wait_s=wait_s,
        deadline=None if wait_s is None else at.clock + wait_s,
        trips=trips,
        generation=circuit.generation + 1,
    )


def _half_open(circuit: Circuit, reason: Reason) -> Circuit:
    return replace(
        circuit,
        state=CircuitState.HALF_OPEN,
        reason=reason,
        successes=0,
        deadline=None,
        generation=circuit.generation + 1,
    )


def _succeeded(circuit: Circuit, reason: Reason, rules: CircuitPolicy) -> Circuit:
    if circuit.successes + 1 >= rules.half_open_successes:
        return _closed(circuit, reason)
    return replace(circuit, successes=circuit.successes + 1)


def _closed(circuit: Circuit, reason: Reason, actor: str | None = None) -> Circuit:
    return Circuit(reason=reason, actor=actor, generation=circuit.generation + 1)


def _held(circuit: Circuit, at: Instant, hold: Hold) -> Circuit:
    timed = hold.hold_s is not None
    return Circuit(
        state=CircuitState.OPEN,
        origin=OpenedBy.HAND,
        reason=Reason.MANUAL,
        actor=hold.actor,
        failures=circuit.failures,
        opened_at=circuit.opened_at if circuit.held else at.wall,
        held=True,
        note=hold.note,
        hold_s=hold.hold_s,
        held_until=at.wall + hold.hold_s if timed else None,  # type: ignore[operator]
        hold_deadline=at.clock + hold.hold_s if timed else None,  # type: ignore[operator]
        generation=circuit.generation if circuit.held else circuit.generation + 1,
    )


def _unheld(circuit: Circuit) -> Circuit:
    return replace(
        circuit,
        held=False,
        note=None,
        hold_s=None,
        held_until=None,
        hold_deadline=None,
        actor=None,
        opened_at=circuit.opened_at,
    )
