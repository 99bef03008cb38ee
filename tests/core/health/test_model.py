"""What checks add up to: rise and fall, verdicts on answers, and what a check's return value means."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli import CheckResult, ConfigurationError, ConnectError, ErrorKind, Health
from omnidb_cli.core.health.model import (
    NEVER_OBSERVED,
    CheckError,
    HealthPolicy,
    HealthRecord,
    Observation,
    evaluate,
    failed,
    record_check,
    to_check_result,
)
from omnidb_cli.errors import LONGEST_MESSAGE

GOOD = CheckResult(Health.HEALTHY)
SLOW = CheckResult(Health.DEGRADED, detail="slow", kind="slow")
BAD = CheckResult(Health.UNHEALTHY, detail="refused", kind="refused")


def seen(*results: CheckResult, rise: int = 1, fall: int = 1, record: HealthRecord = NEVER_OBSERVED) -> HealthRecord:
    for result in results:
        record = record_check(record, result, 100.0, rise, fall)
    return record


def test_health_is_the_word_of_the_status_object() -> None:
    assert [health.value for health in Health] == ["healthy", "degraded", "unhealthy", "unknown"]
    assert f"{Health.UNKNOWN}" == "unknown"


def test_nothing_is_called_healthy_before_it_was_seen() -> None:
    assert NEVER_OBSERVED.health is Health.UNKNOWN
    assert NEVER_OBSERVED.checked_at is None


@pytest.mark.parametrize(
    ("result", "health"), [(GOOD, Health.HEALTHY), (SLOW, Health.DEGRADED), (BAD, Health.UNHEALTHY)]
)
def test_the_first_check_decides_at_once_whatever_rise_and_fall_say(result: CheckResult, health: Health) -> None:
    assert seen(result, rise=5, fall=5).health is health


def test_fall_failed_checks_in_a_row_make_it_unhealthy() -> None:
    assert seen(GOOD, BAD, BAD, BAD, fall=3).health is Health.UNHEALTHY
    assert seen(GOOD, BAD, BAD, BAD, fall=3).fault == CheckError("refused", "refused")
    assert seen(GOOD, BAD, BAD, GOOD, BAD, BAD, fall=3).health is Health.DEGRADED


def test_a_failed_check_short_of_fall_degrades_with_its_count_and_one_passing_check_ends_that() -> None:
    record = seen(GOOD, BAD, BAD, fall=3)
    assert record.health is Health.DEGRADED
    assert record.fault == CheckError("refused", "refused", "2 of 3 failed checks")
    assert record.fault.sentence == "refused (2 of 3 failed checks)"
    assert seen(GOOD, BAD, BAD, GOOD, rise=4, fall=3) == seen(GOOD, BAD, BAD, GOOD, rise=1, fall=3)
    assert seen(GOOD, BAD, BAD, GOOD, fall=3).health is Health.HEALTHY
    assert seen(GOOD, SLOW, BAD, fall=3).fault == CheckError("refused", "refused", "1 of 3 failed checks")


def test_one_that_is_rising_keeps_its_last_failure_with_the_count() -> None:
    record = seen(BAD, GOOD, rise=3)
    assert (record.health, record.fault) == (
        Health.UNHEALTHY,
        CheckError("refused", "refused", "1 of 3 passing checks"),
    )
    record = seen(BAD, GOOD, GOOD, rise=3)
    assert record.fault == CheckError("refused", "refused", "2 of 3 passing checks")
    assert seen(BAD, GOOD, GOOD, GOOD, rise=3).fault is None
    assert seen(BAD, GOOD, BAD, rise=3).fault == CheckError("refused", "refused")


def test_it_remembers_since_when_its_health_is_what_it_is() -> None:
    record = NEVER_OBSERVED
    since = []
    for at, result in enumerate([GOOD, GOOD, BAD, BAD, SLOW, GOOD, GOOD], 1):
        record = record_check(record, result, float(at), 1, 1)
        since.append(record.since)
    assert since == [1, 1, 3, 3, 5, 6, 6]


def test_who_takes_writes_is_what_the_last_check_saw() -> None:
    assert seen(CheckResult(role="primary")).takes_writes
    assert not seen(CheckResult(role="replica")).takes_writes
    assert not seen(CheckResult(role="primary", writable=False)).takes_writes
    assert seen(CheckResult(role=None, writable=True)).takes_writes
    assert not seen(CheckResult(role="primary"), BAD).takes_writes
    assert not NEVER_OBSERVED.takes_writes


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "x"),
        OSError(errno.ENFILE, "x"),
        OSError(errno.ENOBUFS, "x"),
        OSError(errno.EADDRNOTAVAIL, "x"),
        MemoryError(),
        ExceptionGroup("all", [OSError(errno.EMFILE, "x"), OSError(errno.ENFILE, "x")]),
    ],
)
def test_trouble_of_this_host_is_of_a_kind_of_its_own(error: Exception) -> None:
    assert failed(error).kind is ErrorKind.LOCAL


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ECONNREFUSED, "x"),
        OSError("no number"),
        ExceptionGroup("some", [OSError(errno.EADDRNOTAVAIL, "x"), OSError(errno.ECONNREFUSED, "x")]),
    ],
)
def test_trouble_on_the_way_is_not_this_hosts_own(error: Exception) -> None:
    assert failed(error).kind is not ErrorKind.LOCAL


def test_rise_good_checks_in_a_row_make_it_healthy_again() -> None:
    assert seen(BAD, GOOD, GOOD, rise=3).health is Health.UNHEALTHY
    assert seen(BAD, GOOD, GOOD, GOOD, rise=3).health is Health.HEALTHY
    assert seen(BAD, GOOD, GOOD, BAD, GOOD, GOOD, rise=3).health is Health.UNHEALTHY


def test_both_are_one_by_default_so_one_check_is_enough() -> None:
    assert seen(GOOD, BAD).health is Health.UNHEALTHY
    assert seen(GOOD, BAD, GOOD).health is Health.HEALTHY


def test_degraded_is_applied_at_once() -> None:
    assert seen(GOOD, SLOW, rise=5, fall=5).health is Health.DEGRADED
    assert seen(BAD, SLOW, rise=5, fall=5).health is Health.DEGRADED


def test_streaks_go_on_from_a_saved_record() -> None:
    saved = HealthRecord(Health.HEALTHY, consecutive_successes=0, consecutive_failures=2, checked_at=50.0)
    assert seen(BAD, fall=3, record=saved).health is Health.UNHEALTHY


def test_a_record_keeps_when_how_quick_and_what_was_wrong() -> None:
    record = record_check(NEVER_OBSERVED, CheckResult(Health.DEGRADED, 0.25, "replica", 12.0, "lags", "lag"), 7.0, 1, 1)
    assert (record.checked_at, record.latency_s, record.role, record.lag_s) == (7.0, 0.25, "replica", 12.0)
    assert record.fault == CheckError("lag", "lags")
    assert record_check(record, GOOD, 8.0, 1, 1).fault is None


def test_the_monitors_own_latency_stands_in_only_where_the_check_brings_none() -> None:
    assert record_check(NEVER_OBSERVED, GOOD, 0.0, 1, 1, 0.5).latency_s == 0.5
    assert record_check(NEVER_OBSERVED, CheckResult(latency_s=0.1), 0.0, 1, 1, 0.5).latency_s == 0.1


def test_the_quiet_night_counts_like_any_other() -> None:
    assert seen(GOOD, GOOD, GOOD) == HealthRecord(
        Health.HEALTHY, consecutive_successes=3, consecutive_failures=0, checked_at=100.0, since=100.0
    )


@given(st.lists(st.sampled_from([GOOD, SLOW, BAD]), min_size=1), st.integers(1, 4), st.integers(1, 4))
def test_streaks_count_checks_in_a_row_and_the_verdict_follows_them(
    results: list[CheckResult], rise: int, fall: int
) -> None:
    record = seen(*results, rise=rise, fall=fall)
    last_is_bad = results[-1] is BAD
    assert (record.consecutive_failures > 0) is last_is_bad
    assert (record.consecutive_successes > 0) is not last_is_bad
    assert record.health is not Health.UNKNOWN
    if record.consecutive_failures >= fall:
        assert record.health is Health.UNHEALTHY
    if record.consecutive_successes >= rise:
        assert record.health is results[-1].health
    assert (record.fault is None) is (record.health is Health.HEALTHY), "trouble comes with its error, and no other"


PRIMARY, REPLICA = HealthPolicy(role="primary"), HealthPolicy(role="replica")


@pytest.mark.parametrize(
    ("answer", "expected", "health", "kind"),
    [
        (Observation(0.01, "primary", True), PRIMARY, Health.HEALTHY, None),
        (Observation(0.01, "replica", False), PRIMARY, Health.UNHEALTHY, ErrorKind.ROLE),
        (Observation(0.01, "primary", False), PRIMARY, Health.UNHEALTHY, ErrorKind.ROLE),
        (Observation(0.01, None, False), PRIMARY, Health.UNHEALTHY, ErrorKind.ROLE),
        (Observation(0.01, None, None), PRIMARY, Health.HEALTHY, None),
        (Observation(0.01, "primary", True), REPLICA, Health.DEGRADED, ErrorKind.ROLE),
        (Observation(0.01, "replica", False), REPLICA, Health.HEALTHY, None),
        (Observation(0.01, None, None), REPLICA, Health.HEALTHY, None),
        (Observation(0.01, "replica", lag_s=10.0), HealthPolicy(max_lag_s=10.0), Health.HEALTHY, None),
        (Observation(0.01, "replica", lag_s=10.1), HealthPolicy(max_lag_s=10.0), Health.DEGRADED, ErrorKind.LAG),
        (Observation(0.01, "replica", lag_s=9e9), HealthPolicy(), Health.HEALTHY, None),
        (Observation(0.01, "replica", stalled="SQL thread stopped"), HealthPolicy(), Health.DEGRADED, ErrorKind.LAG),
        (Observation(0.25), HealthPolicy(slow_s=0.25), Health.HEALTHY, None),
        (Observation(0.26), HealthPolicy(slow_s=0.25), Health.DEGRADED, ErrorKind.SLOW),
        (Observation(9.0, "replica", False), HealthPolicy("primary", 1.0, 0.1), Health.UNHEALTHY, ErrorKind.ROLE),
    ],
)
def test_an_answer_is_judged_by_role_lag_and_speed(
    answer: Observation, expected: HealthPolicy, health: Health, kind: ErrorKind | None
) -> None:
    result = evaluate(answer, expected)
    assert (result.health, result.kind) == (health, kind)
    assert (result.detail is None) is (health is Health.HEALTHY)
    assert (result.latency_s, result.role, result.lag_s) == (answer.latency_s, answer.role, answer.lag_s)


def test_the_words_of_a_verdict_name_the_limit_that_was_passed() -> None:
    late = evaluate(Observation(0.01, lag_s=12.34), HealthPolicy(max_lag_s=10.0))
    assert late.detail == "replication lag 12.3s is above max_lag 10s"
    slow = evaluate(Observation(0.3), HealthPolicy(slow_s=0.25))
    assert slow.detail == "answered in 300ms, above slow 250ms"


@pytest.mark.parametrize("answer", [True, None, 0, "", "fine", [], 1.5, object(), Health.HEALTHY, "healthy"])
def test_anything_else_a_check_returns_is_healthy(answer: object) -> None:
    assert to_check_result(answer).health is Health.HEALTHY


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        (False, Health.UNHEALTHY),
        ("degraded", Health.DEGRADED),
        ("unhealthy", Health.UNHEALTHY),
        (Health.DEGRADED, Health.DEGRADED),
        (Health.UNHEALTHY, Health.UNHEALTHY),
        (CheckResult(Health.DEGRADED), Health.DEGRADED),
    ],
)
def test_false_words_and_results_speak_for_themselves(answer: object, health: Health) -> None:
    assert to_check_result(answer).health is health


@pytest.mark.parametrize("answer", [CheckResult(Health.UNKNOWN), Health.UNKNOWN, "unknown"])
def test_a_check_that_checked_cannot_answer_unknown(answer: object) -> None:
    with pytest.raises(ConfigurationError, match="unknown"):
        to_check_result(answer)


def test_a_result_whose_health_is_a_plain_word_means_that_word() -> None:
    assert to_check_result(CheckResult("unhealthy")).health is Health.UNHEALTHY  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="splendid"):
        to_check_result(CheckResult("splendid"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError("no"), "refused"),
        (ConnectionResetError("gone"), "reset"),
        (BrokenPipeError(), "reset"),
        (EOFError(), "reset"),
        (FileNotFoundError("x.db"), "not-found"),
        (ValueError("?"), "internal"),
        (ConnectError("no", kind=ErrorKind.DNS), "dns"),
    ],
)
def test_an_exception_is_unhealthy_with_a_kind_of_the_closed_list(error: Exception, kind: str) -> None:
    result = failed(error)
    assert (result.health, result.kind) == (Health.UNHEALTHY, kind)
    assert result.detail


def test_a_kind_of_somebody_elses_error_does_not_leak_into_the_closed_list() -> None:
    error = RuntimeError("odd")
    error.kind = "frobnicated"  # type: ignore[attr-defined]
    assert failed(error).kind == "internal"


def test_a_kind_that_is_not_on_the_list_is_internal_in_a_result_too() -> None:
    record = record_check(NEVER_OBSERVED, CheckResult(Health.UNHEALTHY, kind="frobnicated"), 0.0, 1, 1)
    assert record.fault is not None
    assert record.fault.kind == "internal"


def test_results_and_records_are_frozen() -> None:
    with pytest.raises(AttributeError):
        GOOD.health = Health.UNHEALTHY  # type: ignore[misc]
    with pytest.raises(AttributeError):
        NEVER_OBSERVED.health = Health.HEALTHY  # type: ignore[misc]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e300, -1e300])
def test_a_measurement_that_is_none_is_unknown_with_the_reason(number: float) -> None:
    result = evaluate(Observation(0.01, "replica", lag_s=number), HealthPolicy(max_lag_s=10.0))
    assert (result.health, result.kind, result.lag_s) == (Health.DEGRADED, ErrorKind.LAG, None)
    assert repr(number) in (result.detail or "")
    assert to_check_result(CheckResult(latency_s=number, lag_s=number)) == CheckResult()
    assert to_check_result(CheckResult(latency_s=number, lag_s=3.0)) == CheckResult(lag_s=3.0)


class ChattyError(Exception):
    """Somebody else's, and longer than anybody reads."""


@pytest.mark.parametrize("kind", [ConnectError, ChattyError])
def test_no_more_than_so_much_is_kept_of_what_an_error_says(kind: type[Exception]) -> None:
    detail = failed(kind("refused " + "x" * 1_000_000)).detail
    assert detail is not None
    assert len(detail) == LONGEST_MESSAGE
    assert detail.startswith("refused x")
    assert detail.endswith("x…")


def test_no_more_than_so_much_is_kept_of_why_replication_has_stopped() -> None:
    detail = evaluate(Observation(0.001, "replica", stalled="y" * 10_000), HealthPolicy()).detail
    assert detail is not None
    assert len(detail) == LONGEST_MESSAGE
