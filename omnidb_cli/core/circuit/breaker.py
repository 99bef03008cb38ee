"""One circuit breaker: it holds a circuit, admits calls, and hands out the permits of a half-open one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import (
    CLOSED,
    Circuit,
    CircuitPolicy,
    CircuitState,
    Hold,
    Instant,
    Trigger,
    state_at,
    transition,
)
from omnidb_cli.core.settings import CircuitBreakerConfig, CountsAsFailure, Duration
from omnidb_cli.duration import LONGEST_HOLD_S, parse_duration
from omnidb_cli.errors import CircuitOpenError, ConfigurationError

T = TypeVar("T")

COUNTED = 0
"""The permit of a call that takes none away, but whose success matters: its circuit is closed and has seen failures."""


class CircuitSnapshot(Struct, frozen=True):
    """A breaker at one moment, to be restored in another process: waits are what remains of them, in seconds."""

    state: CircuitState
    failures: int
    successes: int
    manual: bool
    retry_in_s: float | None
    hold_left_s: float | None
    circuit: Circuit


class CircuitBreaker:
    """Lets calls through until they keep failing; then refuses them for a while; then tries again with a few.

    `threshold` consecutive failures open it for `reset_timeout`; half-open it admits `half_open_successes` calls at a
    time and closes after that many successes. Each failed trial doubles the wait up to `max_reset_timeout`.
    `counts_as_failure(error)` decides what a failure is (default: every `Exception`); `clock` is in seconds.

    Raises ConfigurationError for settings that are not usable.
    """

    __slots__ = (
        *("_clock", "_counts", "_rules", "_last_error"),
        *("_next_permit", "_permits", "_permits_of"),
        *("_shut", "_shut_until", "_sound", "circuit"),
    )

    def __init__(
        self,
        threshold: int = 5,
        reset_timeout: Duration = "30s",
        half_open_successes: int = 2,
        *,
        max_reset_timeout: Duration | None = None,
        counts_as_failure: CountsAsFailure | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        config = CircuitBreakerConfig(
            threshold, reset_timeout, half_open_successes, max_reset_timeout, counts_as_failure
        )
        self._govern(config.rules(), counts_as_failure, clock)

    @classmethod
    def governed(
        cls, rules: CircuitPolicy, *, counts_as_failure: CountsAsFailure | None, clock: Callable[[], float]
    ) -> CircuitBreaker:
        """A breaker by rules that are already checked, disabled ones included."""
        breaker = cls.__new__(cls)
        breaker._govern(rules, counts_as_failure, clock)  # noqa: SLF001 - its own class
        return breaker

    def _govern(self, rules: CircuitPolicy, counts: CountsAsFailure | None, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._counts = counts
        self._clock = clock
        self._last_error: BaseException | None = None
        self._permits: dict[int, float] | None = None
        self._permits_of = 0
        self._next_permit = 0
        self.circuit = CLOSED
        self._sound: Circuit | None = CLOSED
        """The circuit that was found closed without a failure: calls through it need no other question."""
        self._shut: Circuit | None = None
        """The circuit that was found open: calls are refused until `_shut_until` without another question."""
        self._shut_until = 0.0

    async def execute(self, fn: Callable[[], Awaitable[T]]) -> T:
        """What `fn()` returns. Its own exception passes through untouched.

        Raises CircuitOpenError when the circuit is open, or half-open with all its permits out.
        """
        circuit = self.circuit
        permit = None
        if circuit is not self._sound:
            if circuit is self._shut and (left_s := self._shut_until - self._clock()) > 0:
                raise CircuitOpenError(None, left_s, self._last_error)
            permit = self._admit()
            circuit = self.circuit
        try:
            result = await fn()
        except BaseException as error:
            if self.ended(permit, error):
                self._apply_call(Trigger.CALL_FAILED, circuit.generation)
            raise
        if self.circuit is not circuit or permit is not None:
            self.ended(permit, None)
            self._apply_call(Trigger.CALL_SUCCEEDED, circuit.generation)
        return result

    @property
    def state(self) -> CircuitState:
        """The state as it is now. Asking changes nothing."""
        return state_at(self.circuit, self._clock(), self._rules)

    @property
    def failures(self) -> int:
        """Failures in a row while closed; those that opened it while it is not."""
        return self.circuit.failures

    @property
    def last_error(self) -> BaseException | None:
        """The error that was counted last, or None."""
        return self._last_error

    def can_execute(self) -> bool:
        """Whether a call would be admitted now. Asking takes no permit."""
        match self.state:
            case CircuitState.OPEN:
                return False
            case CircuitState.HALF_OPEN:
                return self.permits_left(self._clock()) > 0
            case _:
                return True

    def success(self) -> None:
        """Records one call that went well."""
        self._apply(Trigger.CALL_SUCCEEDED)

    def failure(self) -> None:
        """Records one call that failed."""
        self._apply(Trigger.CALL_FAILED)

    def open(self) -> None:
        """Trips it as failures would: half-open after the wait."""
        self._apply(Trigger.TRIPPED)

    def hold(self, hold_for: Duration | None = None) -> None:
        """Keeps it open until `reset()`, or until `hold_for` is over; nothing automatic ends that early."""
        self._apply(Trigger.HELD, Hold(None if hold_for is None else checked_hold(hold_for)))

    def reset(self) -> None:
        """Closes it and clears hold and counters."""
        self._last_error = None
        self._apply(Trigger.CLOSED_BY_HAND)

    def snapshot(self) -> CircuitSnapshot:
        """All that it remembers, in a form that survives another clock's origin."""
        circuit, now = self.circuit, self._clock()
        state = state_at(circuit, now, self._rules)
        return CircuitSnapshot(
            state=state,
            failures=circuit.failures,
            successes=circuit.successes,
            manual=circuit.held and state is CircuitState.OPEN,
            retry_in_s=_left(circuit.deadline, now),
            hold_left_s=_left(circuit.hold_deadline, now),
            circuit=circuit,
        )

    def restore(self, snapshot: CircuitSnapshot) -> None:
        """Takes over what another breaker remembered; announces nothing and extends no wait."""
        if not isinstance(snapshot, CircuitSnapshot):
            raise ConfigurationError(f"not a circuit's snapshot: {snapshot!r}")
        now = self._clock()
        self.circuit = replace(
            snapshot.circuit,
            deadline=None if snapshot.retry_in_s is None else now + snapshot.retry_in_s,
            hold_deadline=None if snapshot.hold_left_s is None else now + snapshot.hold_left_s,
            generation=max(self.circuit.generation, snapshot.circuit.generation) + 1,
        )

    def _admit(self) -> int | None:
        """Lets one call in: a permit for a half-open circuit, else COUNTED or nothing.

        Raises CircuitOpenError when there is none to be had. What holds for the next call too is remembered.
        """
        circuit, now = self.circuit, self._clock()
        match state_at(circuit, now, self._rules):
            case CircuitState.OPEN:
                if circuit.reopens_at is not None:
                    self._shut, self._shut_until = circuit, circuit.reopens_at
                raise CircuitOpenError(None, self.retry_after_s(now), self._last_error)
            case CircuitState.HALF_OPEN:
                if self.permits_left(now) <= 0:
                    raise CircuitOpenError(None, self.retry_after_s(now), self._last_error)
                self._apply(Trigger.TIME_PASSED)
                return self.take_permit(now)
        if circuit.failures:
            return COUNTED
        self._sound = circuit
        return None

    def retry_after_s(self, now: float) -> float | None:
        """Seconds until a call may be admitted; None when no clock says it (a hold without end, a failed check)."""
        if self.circuit.state is CircuitState.OPEN:
            return _left(self.circuit.reopens_at, now)
        return _left(min((self._permits or {}).values(), default=None), now)

    def permits_left(self, now: float) -> int:
        """How many calls a half-open circuit would admit; a permit not given back is void after `reset_timeout`."""
        taken = 0
        if self._permits and self._permits_of == self.circuit.generation:
            taken = sum(void_at > now for void_at in self._permits.values())
        return self._rules.half_open_successes - taken

    def take_permit(self, now: float) -> int:
        """One permit of a half-open circuit that has one left."""
        if self._permits is None or self._permits_of != self.circuit.generation:
            self._permits = {}
            self._permits_of = self.circuit.generation
        for permit in [taken for taken, void_at in self._permits.items() if void_at <= now]:
            del self._permits[permit]
        self._next_permit += 1
        self._permits[self._next_permit] = now + self._rules.reset_timeout_s
        return self._next_permit

    def ended(self, permit: int | None, error: BaseException | None) -> bool:
        """Takes the permit back; whether `error` counts as a failure. Cancellation decides nothing."""
        if permit is not None and self._permits is not None:
            self._permits.pop(permit, None)
        if not isinstance(error, Exception) or not self._is_failure(error):
            return False
        self._last_error = error
        return True

    def _is_failure(self, error: Exception) -> bool:
        if self._counts is None:
            return True
        try:
            return bool(self._counts(error))
        except Exception as broken:  # noqa: BLE001 - the caller's own error must reach it, not the predicate's
            error.add_note(f"counts_as_failure raised {broken!r}; the error was counted as a failure")
            return True

    def _apply_call(self, cause: Trigger, generation: int) -> None:
        if generation == self.circuit.generation:
            self._apply(cause)

    def _apply(self, cause: Trigger, hold: Hold | None = None) -> None:
        self.circuit = transition(self.circuit, cause, Instant(self._clock(), time.time()), self._rules, hold)


def checked_hold(hold_for: Duration) -> float:
    """The seconds of a hold's time limit. Raises ConfigurationError for what is not a duration."""
    try:
        return parse_duration(hold_for, longest_s=LONGEST_HOLD_S)
    except ValueError as error:
        raise ConfigurationError(f"hold_for: {error}") from None


def _left(deadline: float | None, now: float) -> float | None:
    return None if deadline is None else max(deadline - now, 0.0)
