"""Cycles are found, each as the chain that shows it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnidb_cli.topology.failover import cycles


@pytest.mark.parametrize(
    ("backups", "chains"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["b", "c"], "b": ["c"]}, []),
        ({"a": ["b"], "b": ["a"]}, [("a", "b", "a")]),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, [("a", "b", "a")]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, [("b", "c", "b")]),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]}, [("a", "b", "a"), ("c", "d", "c")]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, [("a", "b", "a"), ("a", "c", "a")]),
        ({"a": ["a"]}, []),
    ],
)
def test_cycles(backups: dict[str, list[str]], chains: list[tuple[str, ...]]) -> None:
    assert list(cycles(backups)) == chains


def test_a_chain_of_any_length_is_walked() -> None:
    backups = {f"n{index}": [f"n{index + 1}"] for index in range(50_000)}
    assert not list(cycles(backups))
    backups["n50000"] = ["n0"]
    assert len(next(iter(cycles(backups)))) == 50_002


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=3, unique=True)))
def test_cycles_are_found_exactly_where_there_are_some(graph: dict[int, list[int]]) -> None:
    backups = {str(name): [str(to) for to in ends if to != name] for name, ends in graph.items()}
    found = list(cycles(backups))
    for chain in found:
        assert chain[0] == chain[-1]
        assert all(after in backups[before] for before, after in pairwise(chain))

    def reaches(start: str, end: str, seen: frozenset[str]) -> bool:
        ends = [name for name in backups.get(start, ()) if name not in seen]
        return end in ends or any(reaches(name, end, seen | {name}) for name in ends)

    assert bool(found) == any(reaches(name, name, frozenset()) for name in backups)


def test_every_edge_is_walked_once() -> None:
    rungs = {f"a{index}": [f"b{index}", f"c{index}"] for index in range(60)}
    rungs |= {f"{side}{index}": [f"a{index + 1}"] for index in range(60) for side in "bc"}
    assert not list(cycles(rungs))
