"""What can be asked of a topology: parts of it, and whether a connection is still the same."""

from collections.abc import Callable

import pytest

from omnidb_cli.errors import UnknownConnectionError
from omnidb_cli.topology import Topology, fingerprint

Accepted = Callable[..., Topology]

CHAIN = (
    "connections:\n"
    + "".join(f"  {name}: {{url: redis://{name}}}\n" for name in "edcba")
    + "failover: {a: [b, c], c: d}\n"
)


PARTS = [("", ""), ("e", "e"), ("d", "d"), ("c", "dc"), ("a", "dcba"), ("be", "eb")]


@pytest.mark.parametrize(("names", "kept"), PARTS)
def test_a_part_has_all_backups_in_the_order_of_the_file(accepted: Accepted, names: str, kept: str) -> None:
    topology = accepted(CHAIN)
    assert topology.closure(names) == tuple(kept)
    part = topology.restricted(names)
    assert tuple(part.connections) == tuple(kept)
    assert set(part.failover) == set(kept) & {"a", "c"}
    assert (part.name, part.health_check) == (topology.name, topology.health_check)


def test_an_unknown_name_comes_with_the_nearest(accepted: Accepted) -> None:
    topology = accepted("connections: {primary: {url: redis://h}}")
    with pytest.raises(UnknownConnectionError) as caught:
        topology.restricted(["primry"])
    assert caught.value.hint == 'did you mean "primary"?'


def test_a_topology_is_frozen(accepted: Accepted, one: str) -> None:
    topology = accepted(one)
    with pytest.raises(TypeError):
        topology.connections["a"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        topology.name = "x"  # type: ignore[misc]


def of(accepted: Accepted, connection: str, more: str = "") -> str:
    topology = accepted(f"connections:\n  a: {{{connection}}}\n{more}")
    return fingerprint(topology.connections["a"], topology)


def test_the_fingerprint_stays_the_same_from_release_to_release(accepted: Accepted) -> None:
    assert of(accepted, "url: 'postgresql://app@db1.internal:5432/app', role: primary") == "81c64c5e"


def test_a_password_tags_name_and_interval_are_no_part_of_the_fingerprint(accepted: Accepted) -> None:
    plain = of(accepted, "url: 'redis://u@h'")
    assert of(accepted, "url: 'redis://u:pw@h'") == plain
    assert of(accepted, "url: 'redis://u@h', password: pw, tags: [x]", "name: other\n") == plain
    assert of(accepted, "url: 'redis://u@h', health_check: {interval: 7s}") == plain


@pytest.mark.parametrize(
    ("connection", "more"),
    [
        ("url: redis://h2", ""),
        ("url: redis://h:6380", ""),
        ("url: rediss://h", ""),
        ("url: redis://u@h", ""),
        ("url: redis://h/1", ""),
        ("url: 'redis://h?timeout=1'", ""),
        ("url: redis://h, role: replica", ""),
        ("url: redis://h, max_lag: 1s", ""),
        ("url: redis://h, slow: 1s", ""),
        ("url: redis://h, health_check: {timeout: 1s}", ""),
        ("url: redis://h", "health_check: {fall: 2}\n"),
        ("url: redis://h", "circuit_breaker: {threshold: 2}\n"),
        ("url: redis://h", "circuit_breaker: false\n"),
    ],
)
def test_everything_that_matters_changes_the_fingerprint(accepted: Accepted, connection: str, more: str) -> None:
    assert of(accepted, connection, more) != of(accepted, "url: redis://h")
