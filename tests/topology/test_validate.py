"""Every fault has its place and says what is allowed; what is left out has its default."""

from collections.abc import Callable

import pytest

from omnidb_cli.errors import Problem
from omnidb_cli.topology import Topology
from omnidb_cli.topology.model import CircuitBreakerSettings, FailoverRule, HealthCheckSettings

Refusals = Callable[..., tuple[Problem, ...]]
Accepted = Callable[..., Topology]

DEFAULT_CHECK = HealthCheckSettings(30.0, 5.0, 0, 0.1, 1, 1, None)

FAULTS = [
    ("- a\n", 1, 1, "", "must be a mapping with name, connections"),
    ("just words\n", 1, 1, "", 'not "just words"'),
    ("connections: {a: {url: 'redis://u:p@h', password: x}}\n", 1, 51, "connections.a.password", "in the url too"),
    ("name: x\n", 1, 1, "", "has no connections"),
    ("connections: {}\n", 1, 14, "connections", "at least one connection is needed"),
    ("connections: [a]\n", 1, 14, "connections", "must be a mapping of names, not a list"),
    ("connections:\n", 1, 13, "connections", "must be a mapping of names, not nothing"),
    ("connections:\n  a:\n", 2, 5, "connections.a", "not nothing"),
    ("connections:\n  a: {}\n", 2, 3, "connections.a", "has no url: where it is"),
    ("connections:\n  a: {url: null}\n", 2, 3, "connections.a", "has no url: where it is"),
    ("connections:\n  a: {url: [x]}\n", 2, 12, "connections.a.url", "must be a URL, not a list"),
    ("connections:\n  a b: {url: redis://h}\n", 2, 3, "connections.a b", "a connection's name is made of letters"),
    ("connections:\n  -a: {url: redis://h}\n", 2, 3, "connections.-a", "a connection's name is made of letters"),
    ("connections:\n  no: {url: redis://h}\n", 2, 3, "", "YAML reads the key no as false: put it in quotes"),
    ("connections:\n  012: {url: redis://h}\n", 2, 3, "", "YAML reads the key 012 as 10: put it in quotes"),
]

OF_A_CONNECTION = [
    ("role: boss", 29, "role", 'must be primary or replica, not "boss"'),
    ("rol: x", 23, "rol", 'there is no key "rol" (did you mean "role"?)'),
    ("xyzzy: x", 23, "xyzzy", "the keys are url, password, role"),
    ("tags: eu", 29, "tags", 'must be a list of words, not "eu"'),
    ("tags: [eu, no]", 34, "tags[1]", "not no, which YAML reads as false"),
    ("tags: [[x]]", 30, "tags[0]", "must be a word, not a list"),
    ("tags: [x, '${env:T}']", 33, "tags[1]", "the environment variable T is not set"),
    ("max_lag: 91d", 32, "max_lag", "at most 90d"),
    ("slow: 25h", 29, "slow", "at most 24h"),
    ("health_check: {retry: {delay: 61s}}", 53, "health_check.retry.delay", "at most 1m"),
    ("health_check: {retry: {retries: 11}}", 55, "health_check.retry.retries", "from 0 to 10, not the number 11"),
    ("slow: 0", 29, "slow", "above zero"),
    ("password: 123", 33, "password", "must be text, not what YAML reads as a number"),
    ("password: [x]", 33, "password", "must be text, not a list"),
    ("password: '${env:PW}'", 33, "password", "the environment variable PW is not set"),
    ("health_check: 5s", 37, "health_check", "must be a mapping with interval"),
    ("health_check: {retry: {dely: 1}}", 46, "health_check.retry.dely", 'did you mean "delay"?'),
]

MORE_KEYS = [
    ("name: no\n", 3, 7, "name", "not no, which YAML reads as false (put it in quotes"),
    ("name: 2024-01-01\n", 3, 7, "name", "not 2024-01-01, which YAML reads as a date"),
    ("name: a b\n", 3, 7, "name", "must be a name of letters, digits"),
    ("naem: x\n", 3, 1, "naem", 'there is no key "naem" (did you mean "name"?)'),
    ("state: mongodb://h\n", 3, 8, "state", 'state cannot be kept in "mongodb://"'),
    ("health_check: {interval: 1:30}\n", 3, 26, "health_check.interval", "not 1:30, which YAML reads as 90"),
    ("health_check: {interval: 012}\n", 3, 26, "health_check.interval", "not 012, which YAML reads as 10"),
    ("health_check: {interval: 1_000}\n", 3, 26, "health_check.interval", "not 1_000, which YAML reads as 1000"),
    ("health_check: {interval: 0x1F}\n", 3, 26, "health_check.interval", "not 0x1F, which YAML reads as 31"),
    ("health_check: {interval: .nan}\n", 3, 26, "health_check.interval", "not .nan, which YAML reads as not a number"),
    ("health_check: {interval: ~}\n", 3, 26, "health_check.interval", "not ~, which YAML reads as nothing"),
    ("health_check: {interval: true}\n", 3, 26, "health_check.interval", "not true, which YAML reads as a truth value"),
    ("health_check: {interval: 5 days}\n", 3, 26, "health_check.interval", "1h30m, 3d, 2w or a number"),
    ("health_check: {interval: -1}\n", 3, 26, "health_check.interval", "above zero"),
    ("health_check: {rise: 0}\n", 3, 22, "health_check.rise", "a whole number of at least 1, not the number 0"),
    ("health_check: {fall: 1.5}\n", 3, 22, "health_check.fall", "not the number 1.5"),
    ("health_check: {fall: '2'}\n", 3, 22, "health_check.fall", 'not "2"'),
    ("health_check: {retry: {retries: -1}}\n", 3, 33, "health_check.retry.retries", "from 0 to 10"),
    ("health_check: {statement: ''}\n", 3, 27, "health_check.statement", "must be text"),
    ("circuit_breaker: {threshold: yes}\n", 3, 30, "circuit_breaker.threshold", "which YAML reads as true"),
    ("circuit_breaker: 5\n", 3, 18, "circuit_breaker", "must be false or a mapping with threshold"),
    ("circuit_breaker: {max_reset_timeout: 1s}\n", 3, 38, "circuit_breaker.max_reset_timeout", "not be shorter"),
    ("failover: a\n", 3, 11, "failover", 'must be a mapping of names, not "a"'),
    ("failover: {b: a}\n", 3, 12, "failover.b", "no connection has this name"),
    ("failover: {a: 5}\n", 3, 15, "failover.a", "a list of names, or a mapping with to, not the number 5"),
    ("failover: {a: {writes: deny}}\n", 3, 12, "failover.a", "has no to: the backup"),
    ("failover: {a: []}\n", 3, 15, "failover.a", "the list is empty"),
    ("failover: {a: a}\n", 3, 15, "failover.a", "cannot stand in for itself"),
    ("failover: {a: {to: [a]}}\n", 3, 21, "failover.a.to[0]", "cannot stand in for itself"),
    ("failover: {a: [no]}\n", 3, 16, "failover.a[0]", "the name of a connection, not no, which YAML reads as false"),
    ("failover: {a: [1:30]}\n", 3, 16, "failover.a[0]", "not 1:30, which YAML reads as 90 (put it in quotes"),
    ("failover: {a: [5]}\n", 3, 16, "failover.a[0]", "not the number 5 (put it in quotes if it is a word)"),
    ("name: 5\n", 3, 7, "name", "not the number 5 (put it in quotes if it is a word)"),
    ("failover: {a: bb}\n", 3, 15, "failover.a", 'there is no connection "bb"'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "path", "part"), FAULTS)
def test_a_fault_is_told_with_its_place(
    refusals: Refusals, text: str, line: int, column: int, path: str, part: str
) -> None:
    problem = refusals(text)[0]
    assert (problem.file, problem.line, problem.column, problem.path) == ("t.yaml", line, column, path)
    assert part in problem.message


@pytest.mark.parametrize(("written", "column", "path", "part"), OF_A_CONNECTION)
def test_a_fault_of_a_connection(refusals: Refusals, written: str, column: int, path: str, part: str) -> None:
    (problem,) = refusals(f"connections:\n  a: {{url: redis://h, {written}}}\n")
    assert (problem.line, problem.column, problem.path) == (2, column, f"connections.a.{path}")
    assert part in problem.message


@pytest.mark.parametrize(("text", "line", "column", "path", "part"), MORE_KEYS)
def test_a_fault_beside_good_connections_is_the_only_one(
    refusals: Refusals, one: str, text: str, line: int, column: int, path: str, part: str
) -> None:
    (problem,) = refusals(one + text)
    assert (problem.line, problem.column, problem.path) == (line, column, path)
    assert part in problem.message


def test_all_faults_are_told_at_once_in_the_order_of_the_text(refusals: Refusals, three: str) -> None:
    found = refusals(
        three + "failover: {a: x, b: [c, c], c: {to: a, write: deny}}\ncircuit_breaker: {threshold: 0}\nnaem: 1\n"
    )
    assert [(problem.line, problem.path) for problem in found] == [
        (5, "failover.a"),
        (5, "failover.b[1]"),
        (5, "failover.c.write"),
        (6, "circuit_breaker.threshold"),
        (7, "naem"),
    ]


def test_a_cycle_is_drawn(refusals: Refusals, three: str) -> None:
    (problem,) = refusals(three + "failover:\n  a: b\n  b: [c]\n  c: {to: a}\n")
    assert problem.message == "failover cycle: a → b → c → a"
    assert (problem.line, problem.column) == (8, 6)


def test_a_long_cycle_is_cut_in_the_middle(refusals: Refusals) -> None:
    names = [f"n{index}" for index in range(100)]
    text = "connections:\n" + "".join(f"  {name}: {{url: redis://h}}\n" for name in names) + "failover:\n"
    text += "".join(f"  {name}: n{(index + 1) % 100}\n" for index, name in enumerate(names))
    (problem,) = refusals(text)
    assert "n9 → (81 more) → n91" in problem.message


@pytest.mark.parametrize("name", ["1:30", "012", "no", "~", "2024-01-01", ".inf"])
def test_a_name_that_yaml_reads_otherwise_is_quoted_as_it_was_typed(refusals: Refusals, name: str) -> None:
    found = refusals(f"connections:\n  {name}: {{url: redis://h, role: x}}\n")
    assert (found[0].line, found[0].column, found[-1].path) == (2, 3, f"connections.{name}.role")
    assert f'put it in quotes, "{name}"' in found[0].message


def test_a_duplicate_key_says_where_the_first_is(refusals: Refusals) -> None:
    (problem,) = refusals("connections:\n  a: {url: redis://h}\n  a: {url: redis://h2}\n")
    assert (problem.line, problem.column) == (3, 3)
    assert problem.message == 'the key "a" is already written on line 2'


def test_a_url_where_a_mapping_belongs_does_not_show_its_password(refusals: Refusals) -> None:
    (problem,) = refusals("connections:\n  a: postgresql://app:hunter2-and-a-very-long-tail-that-is-cut-off@db/app\n")
    assert "hunter2" not in str(problem)
    assert "postgresql://app:***@db/app" in problem.message


def test_a_missing_space_does_not_make_a_password_a_key_that_is_shown(refusals: Refusals) -> None:
    (problem,) = refusals("connections:\n  a: {url: redis://h, password:hunter2}\n")
    assert str(problem) == (
        't.yaml:2:23: connections.a.password:…: there is no key "password:…": a colon needs a space after it'
    )


def test_what_is_left_out_has_its_default(accepted: Accepted, one: str) -> None:
    topology = accepted(one)
    connection = topology.connections["a"]
    assert (topology.name, topology.named, topology.path, topology.state) == ("topology", False, None, None)
    assert topology.health_check == DEFAULT_CHECK
    assert topology.circuit_breaker == CircuitBreakerSettings(5, 30.0, 2, 300.0)
    assert not topology.failover
    assert (connection.engine, connection.role, connection.tags, connection.password) == ("redis", None, (), None)
    assert (connection.max_lag_s, connection.slow_s) == (None, None)
    assert connection.health_check is topology.health_check


def test_null_is_the_same_as_leaving_a_key_out(accepted: Accepted, one: str) -> None:
    extra = "name: null\nfailover: {a: null}\nhealth_check: {interval: null, retry: null}\ncircuit_breaker: null\n"
    assert accepted(one + extra + "state: null\n") == accepted(one)


def test_a_connections_health_check_overrides_key_by_key(accepted: Accepted) -> None:
    topology = accepted(
        "connections:\n"
        "  a: {url: redis://h, health_check: {timeout: 2s, statement: PING, retry: {retries: 3}}}\n"
        "health_check: {interval: 1m, timeout: 9, retry: {delay: 1s}, statement: SELECT 1, rise: 2}\n"
    )
    assert topology.health_check == HealthCheckSettings(60.0, 9.0, 0, 1.0, 2, 1, "SELECT 1")
    assert topology.connections["a"].health_check == HealthCheckSettings(60.0, 2.0, 3, 1.0, 2, 1, "PING")


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("false", None),
        ("true", CircuitBreakerSettings(5, 30.0, 2, 300.0)),
        ("{}", CircuitBreakerSettings(5, 30.0, 2, 300.0)),
        ("{reset_timeout: 10m}", CircuitBreakerSettings(5, 600.0, 2, 600.0)),
        ("{threshold: 1, max_reset_timeout: 30s}", CircuitBreakerSettings(1, 30.0, 2, 30.0)),
    ],
)
def test_the_circuit_breaker_as_written(
    accepted: Accepted, one: str, written: str, settings: CircuitBreakerSettings | None
) -> None:
    assert accepted(f"{one}circuit_breaker: {written}\n").circuit_breaker == settings


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("b", FailoverRule(("b",), "deny", "auto", 0.0)),
        ("[b, c]", FailoverRule(("b", "c"), "deny", "auto", 0.0)),
        ("{to: c, writes: allow}", FailoverRule(("c",), "allow", "auto", 0.0)),
        ("{to: [c, b], failback: manual, failback_after: 0}", FailoverRule(("c", "b"), "deny", "manual", 0.0)),
        ("{to: b, failback_after: 1m}", FailoverRule(("b",), "deny", "auto", 60.0)),
    ],
)
def test_a_failover_rule_as_written(accepted: Accepted, three: str, written: str, rule: FailoverRule) -> None:
    assert accepted(f"{three}failover: {{a: {written}}}\n").failover == {"a": rule}


def test_connections_stay_in_the_order_of_the_file(accepted: Accepted) -> None:
    text = "connections:\n" + "".join(f"  {name}: {{url: redis://h}}\n" for name in ("z", "m", "a", "k"))
    assert list(accepted(text).connections) == ["z", "m", "a", "k"]


@pytest.mark.parametrize("name", ["a", "_a", "9", "a.b-c_d", "größe", "数据库", "база", "नमस्ते", "a" * 63])
def test_names_of_any_script(accepted: Accepted, name: str) -> None:
    assert list(accepted(f'connections: {{"{name}": {{url: redis://h}}}}').connections) == [name]


@pytest.mark.parametrize(
    "name", ["", " ", ".a", "-a", "a/b", "a b", "a" * 64, "ü" * 64, "a\u200b", "\u0301a", "é!", "→"]
)
def test_what_no_name_may_be(refusals: Refusals, name: str) -> None:
    (problem,) = refusals(f'connections: {{"{name}": {{url: redis://h}}}}')
    assert "a connection's name is made of letters" in problem.message


def test_passwords_are_kept_from_either_place(accepted: Accepted) -> None:
    topology = accepted(
        "connections:\n  a: {url: 'redis://:fr%40m-url@h'}\n  b: {url: redis://h, password: '${env:PW}'}\n",
        PW="from-env",
    )
    revealed = [connection.password and connection.password.reveal() for connection in topology.connections.values()]
    assert revealed == ["fr@m-url", "from-env"]


def test_a_number_may_come_from_the_environment(accepted: Accepted, refusals: Refusals, one: str) -> None:
    text = one + "circuit_breaker: {threshold: '${env:N:-7}', reset_timeout: '${env:T:-1m}'}\n"
    settings = accepted(text).circuit_breaker
    assert settings is not None
    assert (settings.threshold, settings.reset_timeout_s) == (7, 60.0)
    (problem,) = refusals(text, N="seven")
    assert 'a whole number of at least 1, which "${env:N:-7}" does not give' in problem.message


def test_anchors_and_merge_keys_work(accepted: Accepted) -> None:
    topology = accepted(
        "connections:\n"
        "  a: &base {url: redis://h1, tags: [eu], slow: 1s}\n"
        "  b: {<<: *base, url: redis://h2}\n"
        "  c: {<<: [{role: replica}, *base]}\n"
    )
    assert topology.connections["b"].url.hosts == (("h2", None),)
    assert topology.connections["b"].tags == ("eu",)
    assert (topology.connections["c"].role, topology.connections["c"].slow_s) == ("replica", 1.0)


def test_a_fault_in_what_is_merged_in_has_the_place_where_it_is_written(refusals: Refusals) -> None:
    found = refusals("connections:\n  a: &base {url: redis://h1, slow: x}\n  b: {<<: *base, url: redis://h2}\n")
    assert [(problem.line, problem.column, problem.path) for problem in found] == [
        (2, 36, "connections.a.slow"),
        (2, 36, "connections.b.slow"),
    ]


@pytest.mark.parametrize("item", ["1", "2.5", "true", "null", "[eu]", "{a: b}", "2026-11-28"])
def test_what_is_no_word_is_a_fault_where_words_are_listed(refusals, item: str) -> None:
    for key in (f"tags: [{item}]", f"tags: [eu, {item}]"):
        [problem] = refusals(f"connections:\n  a: {{url: redis://h, {key}}}\n")
        assert "must be a word" in problem.message


@pytest.mark.parametrize("backup", ["1", "true", "[[b]]", "[1]", "[b, 2.5]"])
def test_what_is_no_name_is_a_fault_where_a_backup_is_named(refusals, backup: str) -> None:
    text = f"connections:\n  a: {{url: redis://h1}}\n  b: {{url: redis://h2}}\nfailover: {{a: {backup}}}\n"
    assert any("must be" in problem.message for problem in refusals(text))
