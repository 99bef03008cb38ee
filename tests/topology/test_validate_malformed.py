"""Malformed topologies, at random and one by one: never anything but problems, each with its place."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from omnidb_cli import drivers
from omnidb_cli.errors import Problem, TopologyError
from omnidb_cli.state import store
from omnidb_cli.topology import parse
from omnidb_cli.topology.keys import paths

NAMES = ["a", "b", "primary", "no", "1:30", "012", "~", "null", "x y", "é", "", "a" * 64, "1e3", ".inf", "2024-01-01"]
TEXTS = [
    "", " ", "x", "no", "yes", "1:30", "012", "~", "null", "1e3", ".inf", ".nan", "2024-01-01", "30s", "1h30m", "91d",
    "-1", "0", "5", "1.5", "1_000", "0x1F", "${env:X}", "${env:NONE}", "${vault:x}", "${", "$${x}", "${file:none}",
    "primary", "replica", "auto", "deny", "memory:", "sqlite:///s.db", "sqlite:///s.db?mode=ro",
    "\ud800", "\x00", "\x85",
    "postgresql://h/app?sslmode=bogus", "postgresql://u:p@h", "redis://h?foo=1", "mongodb://h/?tls=x&TLS=y", "mysql://",
    "unix://", "redis://[::1", "rediss://h?ssl_ca_certs=/nowhere", "postgresql://h/a?sslrootcert=${env:X}", "9" * 400,
]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.sampled_from(TEXTS), st.text(max_size=8)
)
KEYS = st.one_of(
    st.sampled_from(sorted({key.name for _, key in paths()})), st.sampled_from(NAMES), st.text(max_size=4), SCALARS
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)
BASE: dict[str, Any] = {
    "connections": {
        "a": {"url": "postgresql://h/app?sslmode=require", "health_check": {"retry": {"retries": 1}}, "tags": ["x"]},
        "b": {"url": "redis://h"},
    },
    "failover": {"a": {"to": ["b"]}},
    "circuit_breaker": {"threshold": 5},
    "health_check": {"interval": "30s", "retry": {"delay": "1s"}},
}


def _found(text: str) -> tuple[Problem, ...]:
    try:
        parse(text, file="t.yaml", env={"X": "bad value", "EMPTY": ""}, engines=drivers, stores=store)
    except TopologyError as error:
        return error.problems or (Problem("no problem at all", 0, 0, "", ""),)
    return ()


def _placed(text: str, problems: tuple[Problem, ...]) -> None:
    last = len(text.splitlines()) + 1
    for problem in problems:
        assert problem.file == "t.yaml"
        assert 1 <= problem.line <= last, problem
        assert problem.column >= 1, problem
        assert problem.message
        assert "\n" not in problem.message


@settings(deadline=None, max_examples=150)
@given(DATA, st.booleans())
def test_any_data_is_a_topology_or_problems_with_their_places(data: object, flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    _placed(text, _found(text))


PLACES = [tuple(path.replace("NAME", "a").split(".")) for path, _ in paths()]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PLACES), DATA), min_size=1, max_size=3))
def test_any_value_at_any_key_is_good_or_a_problem_with_its_place(
    changes: list[tuple[tuple[str, ...], object]],
) -> None:
    data = yaml.safe_load(yaml.safe_dump(BASE))
    for path, value in changes:
        place: Any = data
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else {}
            place = {} if place is None else place
        if isinstance(place, dict):
            place[path[-1]] = value
    text = yaml.safe_dump(data, allow_unicode=True)
    _placed(text, _found(text))


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["postgresql", "mysql", "mariadb", "redis", "rediss", "unix", "mongodb", "mongodb+srv", "sqlite"]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4),
)
def test_any_url_is_good_or_a_problem_with_its_place(scheme: str, rest: str, params: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in params)
    text = yaml.safe_dump({"connections": {"a": {"url": f"{scheme}://{rest}?{query}"}}}, allow_unicode=True)
    _placed(text, _found(text))


NOWHERE_RIGHT = ["[1, [2]]", "!x y", "*z", "{x: {y: {z: [0]}}}"]


@pytest.mark.parametrize("written", ["x", "5", "1:30", "[]", "{}", "'${env:NONE}'", *NOWHERE_RIGHT])
@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_what_does_not_belong_there(path: tuple[str, ...], written: str) -> None:
    above = "" if path[0] == "connections" else "connections: {a: {url: redis://h}}\n"
    text = above + "\n".join(f"{'  ' * depth}{step}:" for depth, step in enumerate(path)) + f" {written}\n"
    problems = _found(text)
    _placed(text, problems)
    assert problems or written not in NOWHERE_RIGHT
