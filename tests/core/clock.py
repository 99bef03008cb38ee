"""An event loop whose clock jumps: where a real loop would sleep, this one moves its clock and goes on.

A test that waits an hour takes no time, and one that would wait for ever fails at once. Nothing but timers may
be waited for: no threads, no sockets. A room uses it by importing `pytest_asyncio_loop_factories` in its conftest.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

START_S = 1000.0
START_WALL = 1_700_000_000.0
MOST_ROUNDS = 100_000


class StandstillError(AssertionError):
    """On a real loop this would hang, or spin for ever."""


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    loop: "JumpingLoop"
    rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self.rounds += 1
        if ready or timeout == 0:
            if self.rounds > MOST_ROUNDS:
                raise StandstillError(f"{MOST_ROUNDS} rounds of the loop, and no time passed: something spins")
            return ready
        if timeout is None:
            raise StandstillError("every task waits, and no timer is set")
        self.rounds = 0
        self.loop.now_s += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """`now_s` is its clock, in seconds; `time()` reads it."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self.now_s = START_S
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s


def now() -> float:
    """The running loop's clock."""
    return asyncio.get_running_loop().time()


async def advance(seconds: float) -> None:
    """Lets `seconds` of the clock pass, and everything that falls due in them happen."""
    await asyncio.sleep(seconds)
    await settle()


async def settle() -> None:
    """Lets everything happen that needs no time."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, run on a loop of its own."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The hook: every async test of the room runs on a loop whose clock jumps."""
    return {"jumping-clock": JumpingLoop}
