"""One way to load a text that is known to be faulty, and one to load a text that is known to be good."""

from collections.abc import Callable

import pytest

from omnidb_cli import drivers
from omnidb_cli.errors import Problem, TopologyError
from omnidb_cli.state import store
from omnidb_cli.topology import Topology, parse

ONE = "connections:\n  a: {url: redis://h}\n"
THREE = "connections:\n  a: {url: redis://h1}\n  b: {url: redis://h2}\n  c: {url: redis://h3}\n"


@pytest.fixture
def refusals() -> Callable[..., tuple[Problem, ...]]:
    def refused(text: str, **env: str) -> tuple[Problem, ...]:
        with pytest.raises(TopologyError) as caught:
            parse(text, file="t.yaml", env=env, engines=drivers, stores=store)
        return caught.value.problems

    return refused


@pytest.fixture
def accepted() -> Callable[..., Topology]:
    def accept(text: str, **env: str) -> Topology:
        return parse(text, file="t.yaml", env=env, base_dir="/etc/omnidb", engines=drivers, stores=store)

    return accept


@pytest.fixture
def one() -> str:
    """A topology of one connection, `a`, to which keys can be added."""
    return ONE


@pytest.fixture
def three() -> str:
    """A topology of the connections `a`, `b` and `c`; its last line is the fourth."""
    return THREE
