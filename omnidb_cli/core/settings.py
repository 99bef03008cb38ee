"""What a caller of the library may set, checked at construction; every fault is a ConfigurationError."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from omnidb_cli.core.circuit.model import CircuitPolicy
from omnidb_cli.duration import LONGEST_DELAY_S, LONGEST_S, parse_duration
from omnidb_cli.errors import ConfigurationError

Duration = str | float
"""`500ms`, `30s`, `5m`, `1h`, or a number of seconds."""

CheckFunction = Callable[[Any], Any]
"""Takes the client; returns (or awaits to) what `health.result_of` reads. Raising means unhealthy."""

CountsAsFailure = Callable[[BaseException], bool]

_LONGEST_DEFAULT_WAIT_S = 300.0
_ROLES = ("primary", "replica", None)
_MOST_RETRIES = 10


def _whole(name: str, value: object, *, least: int, most: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of at least {least}, not {value!r}")
    if most is not None and value > most:
        raise ConfigurationError(f"{name} must be at most {most}, not {value!r}")


def _seconds(name: str, value: object, *, zero: bool = False, longest_s: float = LONGEST_S) -> float:
    try:
        return parse_duration(value, zero=zero, longest_s=longest_s)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None


class HealthCheck(Struct, frozen=True, dict=True):
    """When and how connections are checked.

    `interval` apart, each attempt bounded by `timeout`; a failed check is tried `retries` more times,
    `retry_delay` apart. `fall` failed checks in a row make a connection unhealthy, `rise` good ones healthy
    again. `checks` maps names to check functions; `overrides` gives single connections settings of their own;
    `roles` says which are expected to be `primary` or `replica`.

    Raises ConfigurationError for anything that is not a usable number or duration.
    """

    interval: Duration = "30s"
    timeout: Duration = "5s"
    retries: int = 0
    retry_delay: Duration = "100ms"
    rise: int = 1
    fall: int = 1
    checks: Mapping[str, CheckFunction] = field(default_factory=dict)
    overrides: Mapping[str, "HealthCheck"] = field(default_factory=dict)
    roles: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _whole("retries", self.retries, least=0, most=_MOST_RETRIES)
        _whole("rise", self.rise, least=1)
        _whole("fall", self.fall, least=1)
        _ = self.interval_s, self.timeout_s, self.retry_delay_s
        for name, check in self.checks.items():
            if not callable(check):
                raise ConfigurationError(f'the check of "{name}" is not callable: {check!r}')
        for name, role in self.roles.items():
            if role not in _ROLES:
                raise ConfigurationError(f'the role of "{name}" must be primary or replica, not {role!r}')

    @cached_property
    def interval_s(self) -> float:
        """`interval` in seconds."""
        return _seconds("interval", self.interval)

    @cached_property
    def timeout_s(self) -> float:
        """`timeout` in seconds."""
        return _seconds("timeout", self.timeout)

    @cached_property
    def retry_delay_s(self) -> float:
        """`retry_delay` in seconds."""
        return _seconds("retry_delay", self.retry_delay, longest_s=LONGEST_DELAY_S)


def _uniform_tenth() -> float:
    """A draw from -0.1 … 0.1, so that many waiting clients do not come back in the same instant."""
    from random import uniform

    return uniform(-0.1, 0.1)  # noqa: S311 - no secret hangs on it


class CircuitBreakerConfig(Struct, frozen=True):
    """When a circuit trips and how it comes back.

    `threshold` failures in a row open it for `reset_timeout`; then at most `half_open_successes` trial calls at
    a time, and that many successes close it. Each failed trial doubles the wait up to `max_reset_timeout`
    (default: the larger of 5 min and `reset_timeout`). `counts_as_failure(error)` decides what a failure is
    (default: every `Exception`).

    Raises ConfigurationError for NaN, bools, zero and negatives.
    """

    threshold: int = 5
    reset_timeout: Duration = "30s"
    half_open_successes: int = 2
    max_reset_timeout: Duration | None = None
    counts_as_failure: CountsAsFailure | None = None

    def __post_init__(self) -> None:
        self.rules()
        if self.counts_as_failure is not None and not callable(self.counts_as_failure):
            raise ConfigurationError(f"counts_as_failure is not callable: {self.counts_as_failure!r}")

    def rules(self, *, enabled: bool = True, jitter: Callable[[], float] = _uniform_tenth) -> CircuitPolicy:
        """The same in seconds, as the circuit's transitions want it."""
        _whole("threshold", self.threshold, least=1)
        _whole("half_open_successes", self.half_open_successes, least=1)
        reset_s = _seconds("reset_timeout", self.reset_timeout)
        longest_s = max(_LONGEST_DEFAULT_WAIT_S, reset_s)
        if self.max_reset_timeout is not None:
            longest_s = _seconds("max_reset_timeout", self.max_reset_timeout)
            if longest_s < reset_s:
                raise ConfigurationError("max_reset_timeout must not be shorter than reset_timeout")
        return CircuitPolicy(enabled, self.threshold, reset_s, self.half_open_successes, longest_s, jitter)


class Failback(StrEnum):
    """How a primary that is well again comes back: by itself, or when a person says so."""

    AUTO = "auto"
    MANUAL = "manual"


class Failover(Struct, frozen=True, dict=True):
    """Who serves when a connection cannot: `to`, one name or several in order.

    With `failback="auto"` the primary serves again after `failback_after` of unbroken eligibility, with
    `"manual"` when `failback(name)` is called. Raises ConfigurationError for anything else.
    """

    to: str | Sequence[str]
    failback: str = Failback.AUTO
    failback_after: Duration = 0.0

    def __post_init__(self) -> None:
        if not self.backups:
            raise ConfigurationError("a failover needs at least one backup")
        if len(set(self.backups)) < len(self.backups):
            raise ConfigurationError(f"a backup is named twice: {', '.join(self.backups)}")
        if self.failback not in list(Failback):
            raise ConfigurationError(f"failback must be auto or manual, not {self.failback!r}")
        _ = self.failback_after_s

    @cached_property
    def backups(self) -> tuple[str, ...]:
        """The names of `to`, in order."""
        return (self.to,) if isinstance(self.to, str) else tuple(self.to)

    @cached_property
    def failback_after_s(self) -> float:
        """`failback_after` in seconds."""
        return _seconds("failback_after", self.failback_after, zero=True)
