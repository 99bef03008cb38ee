"""The resolved topology as plain data: complete, without secrets, and readable again."""

import json
from collections.abc import Callable

from omnidb_cli import drivers
from omnidb_cli.duration import parse_duration
from omnidb_cli.state import store
from omnidb_cli.topology import Topology, described, parse
from omnidb_cli.topology.keys import Kind, paths

Accepted = Callable[..., Topology]

TEXT = """
connections:
  a: {url: 'postgresql://app:hunter2@h/x?sslpassword=hunter2&sslmode=require', max_lag: 1500ms, tags: [eu]}
  b: {url: sqlite:///b.db, role: replica, slow: 90}
failover: {a: b}
health_check: {interval: 1h}
state: redis://:hunter2@state/0
"""


def test_every_key_is_there_with_its_resolved_value(accepted: Accepted) -> None:
    plain = described(accepted(TEXT))
    for path, key in paths():
        place = plain
        for step in path.split("."):
            place = next(iter(place.values())) if step == "NAME" else place[step]
        if key.kind is Kind.DURATION and place is not None:
            assert parse_duration(place, zero=True, longest_s=key.longest_s) >= 0
    assert plain["connections"]["a"]["url"] == "postgresql://app@h/x?sslpassword=***&sslmode=require"
    assert plain["connections"]["a"]["password"] == "***"
    assert plain["connections"]["a"]["max_lag"] == "1500ms"
    assert plain["connections"]["b"]["slow"] == "90s"
    assert plain["connections"]["b"]["health_check"]["interval"] == "1h"
    assert plain["failover"]["a"] == {"to": ["b"], "writes": "deny", "failback": "auto", "failback_after": "0s"}
    assert plain["circuit_breaker"]["max_reset_timeout"] == "5m"
    assert plain["state"] == "redis://state/0"


def test_no_secret_is_in_it(accepted: Accepted) -> None:
    assert "hunter2" not in json.dumps(described(accepted(TEXT)))


def test_it_loads_again_as_the_same_topology(accepted: Accepted) -> None:
    text = TEXT.replace(":hunter2@h/x?sslpassword=hunter2&", "@h/x?").replace(":hunter2@", "")
    topology = accepted(text + "name: t\ncircuit_breaker: false\n")
    again = parse(json.dumps(described(topology)), env={}, base_dir="/etc/omnidb", engines=drivers, stores=store)
    assert again == topology
