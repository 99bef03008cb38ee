"""Times taken in turns, so that whatever slows the machine for a while slows every side of a comparison.

What runs inside this process is measured in its own CPU time, which leaves out what other processes take meanwhile;
what runs in processes of its own, by the clock on the wall.
"""

from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from time import process_time

Seconds = dict[str, list[float]]


async def alternate_async(runs: Mapping[str, Callable[[], Awaitable[object]]], rounds: int) -> Seconds:
    """The CPU seconds of each run, one a round, after one round that does not count."""
    seconds: Seconds = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = process_time()
            await run()
            if number:
                seconds[name].append(process_time() - began)
    return seconds


def alternate(
    runs: Mapping[str, Callable[[], object]], rounds: int, *, clock: Callable[[], float] = process_time
) -> Seconds:
    """The same for plain functions, by any clock."""
    seconds: Seconds = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = clock()
            run()
            if number:
                seconds[name].append(clock() - began)
    return seconds


def ratio(seconds: Seconds, name: str, base: str) -> float:
    """How many times as long `name` took as `base`: the median over the rounds."""
    return median(one / other for one, other in zip(seconds[name], seconds[base], strict=True))
