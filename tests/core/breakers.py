"""What the tests of a single breaker share."""

import pytest

from omnidb_cli import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def fine() -> str:
    return "rows"


async def fail() -> str:
    raise OSError("gone")


async def attempt(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(OSError, match="gone"):
            await breaker.execute(fail)


def wait_over(clock: Clock) -> None:
    clock.now_s += 33.1  # 30 s and a tenth of jitter
