"""The table of keys holds together: its defaults fit it, and every section is reached."""

import pytest

from omnidb_cli.topology.converters import READERS, defaults
from omnidb_cli.topology.keys import TABLES, Key, Kind, allowed, paths
from omnidb_cli.topology.model import CircuitBreakerSettings, Connection, FailoverRule, HealthCheckSettings, Topology

EVERY_KEY = [pytest.param(key, id=f"{section}.{key.name}") for section, keys in TABLES.items() for key in keys.values()]


@pytest.mark.parametrize("key", EVERY_KEY)
def test_a_key_says_what_it_is_and_what_may_stand_there(key: Key) -> None:
    assert key.about
    assert allowed(key)
    assert key.choices if key.kind is Kind.CHOICE else not key.choices
    assert (key.section in TABLES) is (key.kind in {Kind.SECTION, Kind.SWITCHABLE, Kind.NAMED})
    if key.default is not None:
        READERS[key.kind](key, key.default)


def test_the_defaults_are_those_of_the_contract() -> None:
    retry = {"retries": 0, "delay": 0.1}
    assert defaults("health_check") == {"interval": 30.0, "timeout": 5.0, "retry": retry, "rise": 1, "fall": 1}
    assert defaults("retry") == {"retries": 0, "delay": 0.1}
    assert defaults("circuit_breaker") == {
        "threshold": 5,
        "reset_timeout": 30.0,
        "half_open_successes": 2,
        "max_reset_timeout": 300.0,
    }
    assert defaults("failover") == {"writes": "deny", "failback": "auto", "failback_after": 0.0}


PARTS = {
    "topology": Topology,
    "connection": Connection,
    "health_check": HealthCheckSettings,
    "retry": HealthCheckSettings,
    "circuit_breaker": CircuitBreakerSettings,
    "failover": FailoverRule,
}


def test_every_key_has_a_place_in_the_model_and_every_setting_a_key() -> None:
    for section, keys in TABLES.items():
        part = PARTS[section]
        assert {key.field for key in keys.values()} - {""} <= {*part.__struct_fields__, *dir(part)}, section
    for part in (HealthCheckSettings, CircuitBreakerSettings, FailoverRule):
        sections = [section for section, one in PARTS.items() if one is part]
        held = {key.field for section in sections for key in TABLES[section].values()} - {""}
        assert held == set(part.__struct_fields__)


def test_paths_reach_every_key() -> None:
    found = [path for path, _ in paths()]
    assert len(found) == len(set(found))
    assert "connections.NAME.health_check.retry.delay" in found
    assert "failover.NAME.failback_after" in found
    assert {key for _, key in paths()} == {key for keys in TABLES.values() for key in keys.values()}
