"""What checks observed: the words, one check's result, and the record of a connection's checks."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.errors import ConfigurationError, ErrorKind, is_local, within_limit


class Health(StrEnum):
    """What checks observed last; `unknown` means never observed."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class CheckResult(Struct, frozen=True):
    """The answer of one check.

    `latency_s` and `lag_s` are seconds; without a latency the monitor's own measurement stands.
    `role` is the role the server really has (`primary`, `replica`), None when it cannot tell.
    `detail` says in words what is wrong; `kind` is an `ErrorKind` word for it: `local` means that no check could be
    made. `writable` tells whether it takes writes (None: a primary does), `position` how far its history goes.
    """

    health: Health = Health.HEALTHY
    latency_s: float | None = None
    role: str | None = None
    lag_s: float | None = None
    detail: str | None = None
    kind: str | None = None
    writable: bool | None = None
    position: str | None = None


class HealthPolicy(Struct, frozen=True):
    """What a connection is expected to be: its role, and above which lag or latency (seconds) it is degraded."""

    role: str | None = None
    max_lag_s: float | None = None
    slow_s: float | None = None


class CheckError(Struct, frozen=True):
    """What was wrong at the last check: an `ErrorKind` word and a sentence.

    `progress` counts the checks still to come before it is decided: `1 of 3 failed checks`.
    """

    kind: str
    message: str
    progress: str | None = None

    @property
    def sentence(self) -> str:
        """The message with its count."""
        return self.message if self.progress is None else f"{self.message} ({self.progress})"


class HealthRecord(Struct, frozen=True):
    """All that is kept of a connection's checks. `checked_at` is Unix time, when the answer came.

    `good` and `bad` count the checks in a row that answered, or failed. `since` is the Unix time since when its health
    is what it is. `writable` and `position` are None unless the last check told them. `not_made` says why the checks
    since then could not be made at all: trouble of this host, which says nothing about the server (semantics,
    Health 9).
    """

    health: Health = Health.UNKNOWN
    consecutive_successes: int = 0
    consecutive_failures: int = 0
    checked_at: float | None = None
    latency_s: float | None = None
    role: str | None = None
    lag_s: float | None = None
    fault: CheckError | None = None
    since: float | None = None
    writable: bool | None = None
    position: str | None = None
    not_made: CheckError | None = None

    @property
    def takes_writes(self) -> bool:
        """Whether the last check saw that it may be written."""
        if self.health is Health.UNHEALTHY:
            return False
        return self.role == "primary" if self.writable is None else self.writable


NEVER_OBSERVED = HealthRecord()

# Every passing check asks for it; looking a member up on its enum costs as much as half a check on Python 3.11.
_WELL = Health.HEALTHY


def record_check(
    record: HealthRecord, result: CheckResult, at: float, rise: int, fall: int, latency_s: float | None = None
) -> HealthRecord:
    """The record after one more check whose answer came at `at` (Unix time).

    `fall` failed checks in a row make it unhealthy, and one short of that degraded, with the count; `rise` good ones
    make it healthy again, and short of that it keeps its last failure, with the count. Degraded is applied at once,
    and the very first check decides at once (semantics, Health 4). `latency_s` (seconds) stands in for a latency that
    the result does not bring.
    """
    measured_s = latency_s if result.latency_s is None else result.latency_s
    if result.health is _WELL is record.health:  # a quiet night
        role, lag_s, writable, position = result.role, result.lag_s, result.writable, result.position
        successes = record.consecutive_successes + 1
        return HealthRecord(_WELL, successes, 0, at, measured_s, role, lag_s, None, record.since, writable, position)
    successes, failures, health, fault = _counted(record, result, rise, fall)
    since = record.since if health is record.health and record.since is not None else at
    role, lag_s, writable, position = result.role, result.lag_s, result.writable, result.position
    return HealthRecord(
        health,
        successes,
        failures,
        at,
        measured_s,
        role,
        lag_s,
        fault,
        since,
        writable,
        position,
    )


def not_checked(record: HealthRecord, result: CheckResult) -> HealthRecord:
    """The record after a check that could not be made: health stays as it is, and ages (semantics, Health 9)."""
    return replace(record, not_made=_fault(result))


def _counted(
    record: HealthRecord, result: CheckResult, rise: int, fall: int
) -> tuple[int, int, Health, CheckError | None]:
    first, was_down = record.health is Health.UNKNOWN, record.health is Health.UNHEALTHY
    fault = _fault(result)
    if result.health is Health.UNHEALTHY:
        failures = record.consecutive_failures + 1
        if first or was_down or failures >= fall:
            return 0, failures, Health.UNHEALTHY, fault
        progress = f"{failures} of {fall} failed checks"
        return 0, failures, Health.DEGRADED, fault and replace(fault, progress=progress)
    successes = max(record.consecutive_successes + 1, rise if first else 0)
    if was_down and successes < rise and result.health is not Health.DEGRADED:
        failure = record.fault or CheckError(ErrorKind.INTERNAL, "the checks before it failed")
        return successes, 0, Health.UNHEALTHY, replace(failure, progress=f"{successes} of {rise} passing checks")
    return successes, 0, result.health, fault


def _fault(result: CheckResult) -> CheckError | None:
    if result.health is Health.HEALTHY:
        return None
    return CheckError(_listed(result.kind) or ErrorKind.INTERNAL, result.detail or f"the check says {result.health}")


def _listed(kind: object) -> ErrorKind | None:
    """The kind, if it is on the list: foreign errors carry a `kind` of their own making."""
    return _KINDS.get(kind) if isinstance(kind, str) else None


_KINDS: Mapping[str, ErrorKind] = {kind.value: kind for kind in ErrorKind}


class Observation(Struct, frozen=True):
    """What a server told about itself in one round trip, before anything is expected of it.

    `writable` is None when it cannot tell. `lag_s` is None when unknown; `stalled` says, in words, that
    replication has stopped, however small the lag looks. `position` says, in the engine's own words, how far its
    history goes, of one that takes writes: where two of them part (semantics, Failover 8). `powers` says, in words,
    what the account may do that no read-only transaction holds back; None where it may not, or cannot be told.
    """

    latency_s: float
    role: str | None = None
    writable: bool | None = None
    lag_s: float | None = None
    stalled: str | None = None
    version: str | None = None
    position: str | None = None
    powers: str | None = None


def evaluate(answer: Observation, expected: HealthPolicy) -> CheckResult:
    """The verdict on an answer (semantics, Health 6): the worst thing that is true of it, said in words."""
    health, kind, detail = _verdict(answer, expected)
    lag_s = answer.lag_s
    if lag_s is not None and not is_span(lag_s):
        lag_s = None
    return CheckResult(health, answer.latency_s, answer.role, lag_s, detail, kind, answer.writable, answer.position)


_Verdict = tuple[Health, ErrorKind | None, str | None]
_NOTHING_WRONG: _Verdict = (_WELL, None, None)


def _verdict(answer: Observation, expected: HealthPolicy) -> _Verdict:
    role, lag_s = answer.role, answer.lag_s
    if expected.role == "primary" and (role == "replica" or answer.writable is False):
        found = "it is a replica" if role == "replica" else "it is read-only"
        return Health.UNHEALTHY, ErrorKind.ROLE, f"expected a primary, but {found}"
    if expected.role == "replica" and role == "primary":
        return Health.DEGRADED, ErrorKind.ROLE, "expected a replica, but it takes writes: promoted?"
    if answer.stalled is not None:
        return Health.DEGRADED, ErrorKind.LAG, within_limit(answer.stalled)
    if lag_s is not None and not is_span(lag_s):
        return Health.DEGRADED, ErrorKind.LAG, f"the replication lag is unknown: the server says {lag_s!r} seconds"
    max_lag_s, slow_s, latency_s = expected.max_lag_s, expected.slow_s, answer.latency_s
    if max_lag_s is not None and lag_s is not None and lag_s > max_lag_s:
        return Health.DEGRADED, ErrorKind.LAG, f"replication lag {lag_s:.1f}s is above max_lag {max_lag_s:g}s"
    if slow_s is not None and latency_s > slow_s:
        return Health.DEGRADED, ErrorKind.SLOW, f"answered in {latency_s * 1000:.0f}ms, above slow {slow_s * 1000:g}ms"
    return _NOTHING_WRONG


def is_span(seconds: float) -> bool:
    """Whether it can be a measured span of time: NaN, infinity and ages of the universe are none."""
    return -_LONGEST_SPAN_S < seconds < _LONGEST_SPAN_S


_LONGEST_SPAN_S = 1e10
"""Three centuries."""


def to_check_result(answer: object) -> CheckResult:
    """What a check function's return value means (design, section 6).

    `False` is unhealthy; a `Health` or its word, and a `CheckResult`, speak for themselves; anything else
    is healthy. Raises ConfigurationError for one that claims `unknown`, or a `CheckResult` of no known health.
    """
    if isinstance(answer, CheckResult):
        answer = _with_spans(answer)
        return answer if type(answer.health) is Health and answer.health is not Health.UNKNOWN else _in_words(answer)
    if answer is False:
        return CheckResult(Health.UNHEALTHY, detail="the check answered False")
    if isinstance(answer, str) and answer in _WORDS:
        return _in_words(CheckResult(_WORDS[answer]))
    return _HEALTHY


def _with_spans(result: CheckResult) -> CheckResult:
    """The result without measurements that are none."""
    latency_s, lag_s = result.latency_s, result.lag_s
    if (latency_s is None or is_span(latency_s)) and (lag_s is None or is_span(lag_s)):
        return result
    return replace(
        result,
        latency_s=latency_s if latency_s is not None and is_span(latency_s) else None,
        lag_s=lag_s if lag_s is not None and is_span(lag_s) else None,
    )


def _in_words(result: CheckResult) -> CheckResult:
    """The result with its health as one of ours, where a plain word stood."""
    health = _WORDS.get(result.health)
    if health is None:
        raise ConfigurationError(f"a check cannot answer {result.health!r}: write healthy, degraded or unhealthy")
    if health is Health.UNKNOWN:
        raise ConfigurationError("a check cannot answer 'unknown': it has checked")
    return replace(result, health=health)


_HEALTHY = CheckResult()
_WORDS: Mapping[str, Health] = {health.value: health for health in Health}


def failed(error: BaseException) -> CheckResult:
    """The result of a check that raised: the error's own `kind` where it has one, and not too much of what it says."""
    kind = _listed(getattr(error, "kind", None)) or _kind_of(error)
    return CheckResult(Health.UNHEALTHY, detail=within_limit(str(error)) or type(error).__name__, kind=kind)


def _kind_of(error: BaseException) -> ErrorKind:
    match error:
        case _ if is_local(error):
            return ErrorKind.LOCAL
        case TimeoutError():
            return ErrorKind.TIMEOUT
        case ConnectionRefusedError():
            return ErrorKind.REFUSED
        case ConnectionError() | EOFError():
            return ErrorKind.RESET
        case FileNotFoundError():
            return ErrorKind.NOT_FOUND
        case _:
            return ErrorKind.INTERNAL
