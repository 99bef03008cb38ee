"""The core's tests own their time."""

from collections.abc import Iterator

import pytest

from omnidb_cli import CircuitBreaker
from omnidb_cli.core import clock as process_clock
from omnidb_cli.core.health import monitor
from tests.core.breakers import Clock
from tests.core.clock import START_S, START_WALL, pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]


@pytest.fixture(autouse=True, scope="module")
def wall_time_goes_with_the_clock() -> Iterator[None]:
    """Unix time moves as the loop's clock does, so that the words for times do not depend on how quick a test is."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (process_clock, monitor):
            patch.setattr(module, "time", lambda: START_WALL + process_clock.clock() - START_S)
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(3, "30s", 2, clock=clock)
