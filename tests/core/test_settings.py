"""What a caller may set, and everything that is refused at construction."""

import math

import pytest

from omnidb_cli import (
    CircuitBreaker,
    CircuitBreakerConfig,
    ConfigurationError,
    Failback,
    Failover,
    HealthCheck,
    OmnidbError,
    Orchestrator,
)
from omnidb_cli.core.settings import _uniform_tenth

NOT_A_DURATION = [
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    None,
    -1,
    -0.5,
    "0s",
    "-1s",
    "5 parsecs",
    "5d",
    "1us",
    "",
    "s",
    "1e3",
    "nan",
    "30m1h",
    "25h",
    86_401,
    [5],
    b"5s",
    "٥s",
]
NOT_A_COUNT = [0, -1, True, False, 1.0, 2.5, math.nan, math.inf, "5", None, [1]]


def refused(build: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        build()  # type: ignore[operator]
    return caught.value


def test_a_configuration_error_is_a_value_error_of_our_tree() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(ConfigurationError, OmnidbError)


def test_defaults_are_the_documented_ones() -> None:
    checks, breaker = HealthCheck(), CircuitBreakerConfig().rules()
    assert (checks.interval_s, checks.timeout_s, checks.retries, checks.retry_delay_s) == (30.0, 5.0, 0, 0.1)
    assert (checks.rise, checks.fall) == (1, 1)
    assert (breaker.threshold, breaker.reset_timeout_s, breaker.half_open_successes) == (5, 30.0, 2)
    assert breaker.max_reset_timeout_s == 300.0
    assert breaker.enabled


@pytest.mark.parametrize("bad", [*NOT_A_DURATION, 0], ids=repr)
@pytest.mark.parametrize("setting", ["interval", "timeout", "retry_delay"])
def test_a_check_refuses_what_is_no_duration_and_names_the_setting(setting: str, bad: object) -> None:
    assert setting in str(refused(lambda: HealthCheck(**{setting: bad})))


@pytest.mark.parametrize("bad", [*NOT_A_DURATION, 0], ids=repr)
@pytest.mark.parametrize("setting", ["reset_timeout", "max_reset_timeout"])
def test_a_circuit_refuses_what_is_no_duration(setting: str, bad: object) -> None:
    if setting == "max_reset_timeout" and bad is None:
        return  # None is its default
    assert setting in str(refused(lambda: CircuitBreakerConfig(**{setting: bad})))
    assert setting in str(refused(lambda: CircuitBreaker(**{setting: bad})))


@pytest.mark.parametrize("bad", NOT_A_COUNT, ids=repr)
@pytest.mark.parametrize("setting", ["threshold", "half_open_successes"])
def test_a_circuit_refuses_what_is_no_count(setting: str, bad: object) -> None:
    assert setting in str(refused(lambda: CircuitBreakerConfig(**{setting: bad})))
    assert setting in str(refused(lambda: CircuitBreaker(**{setting: bad})))


@pytest.mark.parametrize("bad", NOT_A_COUNT, ids=repr)
@pytest.mark.parametrize("setting", ["rise", "fall"])
def test_a_check_refuses_what_is_no_count(setting: str, bad: object) -> None:
    assert setting in str(refused(lambda: HealthCheck(**{setting: bad})))


@pytest.mark.parametrize("bad", [-1, True, False, 1.0, "1", None, math.nan], ids=repr)
def test_retries_are_whole_and_not_negative(bad: object) -> None:
    assert "retries" in str(refused(lambda: HealthCheck(retries=bad)))
    assert HealthCheck(retries=0).retries == 0


@pytest.mark.parametrize("bad", [one for one in NOT_A_DURATION if one != "0s"], ids=repr)
def test_failback_after_refuses_what_is_no_duration(bad: object) -> None:
    assert "failback_after" in str(refused(lambda: Failover("b", failback_after=bad)))


@pytest.mark.parametrize("zero", [0, 0.0, "0s", "0"])
def test_failback_after_alone_may_be_nothing(zero: object) -> None:
    assert Failover("b", failback_after=zero).failback_after_s == 0.0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "seconds"), [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), (7, 7.0), ("24h", 86400.0)]
)
def test_durations_are_read_as_people_write_them(written: str | float, seconds: float) -> None:
    assert HealthCheck(interval=written).interval_s == seconds


def test_the_longest_wait_is_five_minutes_or_the_first_wait_if_that_is_longer() -> None:
    assert CircuitBreakerConfig(reset_timeout="10m").rules().max_reset_timeout_s == 600.0
    assert CircuitBreakerConfig(max_reset_timeout="1m").rules().max_reset_timeout_s == 60.0
    refused(lambda: CircuitBreakerConfig(reset_timeout="2m", max_reset_timeout="1m"))


def test_what_is_called_must_be_callable() -> None:
    assert "counts_as_failure" in str(refused(lambda: CircuitBreakerConfig(counts_as_failure=5)))  # type: ignore[arg-type]
    assert '"a"' in str(refused(lambda: HealthCheck(checks={"a": "SELECT 1"})))  # type: ignore[dict-item]


def test_unknown_settings_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="thresold"):
        CircuitBreakerConfig(thresold=3)  # type: ignore[call-arg]


def test_jitter_stays_within_a_tenth_either_way() -> None:
    draws = [_uniform_tenth() for _ in range(1000)]
    assert -0.1 <= min(draws) < 0 < max(draws) <= 0.1


@pytest.mark.parametrize("bad", [[], (), ["b", "b"]], ids=repr)
def test_a_failover_needs_backups_each_once(bad: list[str]) -> None:
    refused(lambda: Failover(bad))


def test_failback_is_auto_or_manual() -> None:
    assert [one.value for one in Failback] == ["auto", "manual"]
    assert Failover("b").failback == "auto"
    assert "failback" in str(refused(lambda: Failover("b", failback="sometimes")))


def test_settings_are_frozen() -> None:
    for frozen, setting in ((HealthCheck(), "interval"), (CircuitBreakerConfig(), "threshold"), (Failover("b"), "to")):
        with pytest.raises(AttributeError):
            setattr(frozen, setting, 1)


CLIENT = object()


def _check(client: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"connections": {}}, "connections"),
        ({"connections": {"": CLIENT}}, "blank"),
        ({"connections": {" \t": CLIENT}}, "blank"),
        ({"connections": {"a": None}}, '"a"'),
        ({"connections": {None: CLIENT}}, "name"),
        ({"connections": {5: CLIENT}}, "name"),
        ({"failover": {"a": "ghost"}}, '"ghost"'),
        ({"failover": {"ghost": "a"}}, '"ghost"'),
        ({"failover": {"a": ["b", "ghost"]}}, '"ghost"'),
        ({"failover": {"a": ""}}, "not a connection"),
        ({"failover": {"a": []}}, "at least one"),
        ({"failover": {"a": "a"}}, "a → a"),
        ({"failover": {"a": "b", "b": "a"}}, "a → b → a"),
        ({"health_check": HealthCheck(checks={"ghost": _check})}, '"ghost"'),
        ({"health_check": HealthCheck(overrides={"ghost": HealthCheck()})}, '"ghost"'),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_an_orchestrator_refuses_what_cannot_work_at_construction(settings: dict[str, object], word: str) -> None:
    given = {"connections": {"a": CLIENT, "b": CLIENT}, **settings}
    assert word in str(refused(lambda: Orchestrator(**given)))  # type: ignore[arg-type]


def test_retries_and_their_delay_have_limits_of_their_own() -> None:
    assert HealthCheck(retries=10, retry_delay="1m").retry_delay_s == 60.0
    assert "retries must be at most 10" in str(refused(lambda: HealthCheck(retries=11)))
    assert "longer than 1m" in str(refused(lambda: HealthCheck(retry_delay="61s")))
