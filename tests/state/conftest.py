"""A state file of its own for each test, a clock that tests own, and settings as a topology would give them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.reducer import ConnectionPolicy
from omnidb_cli.core.settings import CircuitBreakerConfig
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite.store import SqliteStore, open_store

NOON = 1_800_000_000.0


class Clock:
    """Two clocks that go on together when told to, and apart when set."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.wall = NOON

    def __call__(self) -> Instant:
        return Instant(self.clock, self.wall)

    def advance(self, seconds: float) -> Instant:
        self.clock += seconds
        self.wall += seconds
        return self()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "shop.db"


@pytest.fixture
def open_shop(path: Path, clock: Clock) -> Iterator[Callable[..., SqliteStore]]:
    """Opens the file as another process would; everything is closed afterwards."""
    opened: list[SqliteStore] = []

    def open_one(topology: str = "shop") -> SqliteStore:
        opened.append(open_store(f"sqlite:///{path}", topology, now=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_shop: Callable[..., SqliteStore]) -> SqliteStore:
    return open_shop()


def settings(*, threshold: int = 5, enabled: bool = True) -> ConnectionPolicy:
    return ConnectionPolicy(CircuitBreakerConfig(threshold=threshold).rules(enabled=enabled, jitter=lambda: 0.0))


@pytest.fixture
def recorder_on(clock: Clock) -> Callable[..., Recorder]:
    def make(store: object, *, fingerprint: str = "f1", **rules: int) -> Recorder:
        names = ("primary", "replica")
        return Recorder(
            store,
            dict.fromkeys(names, settings(**rules)),
            dict.fromkeys(names, fingerprint),
            now=clock,
            actor="ann@ops",
        )

    return make
