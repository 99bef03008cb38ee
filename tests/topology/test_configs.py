"""The topologies that come with omnidb are valid without any environment, and `full.yaml` has everything."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from omnidb_cli import drivers
from omnidb_cli.state import store
from omnidb_cli.topology import load
from omnidb_cli.topology.keys import TABLES, Kind, paths

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_it_is_valid(path: Path) -> None:
    topology = load(path, env={}, engines=drivers, stores=store)
    assert topology.name == path.stem
    assert topology.connections


def test_the_five_are_there() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {"minimal", "demo", "failover", "full", "fleet"}


def test_minimal_is_the_six_lines_that_one_needs() -> None:
    assert len((CONFIGS / "minimal.yaml").read_text().splitlines()) <= 7


def test_demo_chains_three_files_and_keeps_its_state_where_the_user_wants() -> None:
    topology = load(CONFIGS / "demo.yaml", env={}, engines=drivers, stores=store)
    assert {name: rule.to for name, rule in topology.failover.items()} == {
        "primary": ("replica",),
        "replica": ("archive",),
    }
    assert topology.connections["primary"].url.path == str(CONFIGS.parent / "demo-data/primary.db")
    assert topology.state is None


@pytest.mark.parametrize(("path", "key"), list(paths()), ids=lambda value: value if isinstance(value, str) else "")
def test_full_has_every_key_at_its_default_with_a_comment(path: str, key: Any) -> None:
    text = (CONFIGS / "full.yaml").read_text()
    place: Any = yaml.safe_load(text)
    for step in path.split("."):
        place = place["primary"] if step == "NAME" else place[step]
    if key.default is not None:
        assert place == key.default
    elif key.kind in {Kind.CHOICE, Kind.DURATION, Kind.TEXT, Kind.STATE_URL}:
        assert place is None
    elif key.kind is Kind.WORDS:
        assert place == []
    lines = [line for line in text.splitlines() if line.lstrip().startswith(f"{key.name}:")]
    assert any(" # " in line for line in lines) or key.kind is Kind.NAMED


def test_fleet_pairs_the_engines_whose_servers_the_tests_start() -> None:
    env = {"FLEET_PG_PRIMARY": "[2001:db8::1]:6543"}
    topology = load(CONFIGS / "fleet.yaml", env=env, engines=drivers, stores=store)
    connections = topology.connections.values()
    assert [one.engine for one in connections] == [name for name in ("postgresql", "mysql", "redis") for _ in range(2)]
    assert [one.role for one in connections] == ["primary", "replica"] * 3
    assert {name: rule.to for name, rule in topology.failover.items()} == {
        f"{engine}-primary": (f"{engine}-replica",) for engine in ("pg", "mysql", "redis")
    }
    assert topology.connections["pg-primary"].url.address == "[2001:db8::1]:6543/postgres"


def test_the_tables_know_no_key_that_full_lacks() -> None:
    assert set(TABLES) == {"topology", "connection", "health_check", "retry", "circuit_breaker", "failover"}
