"""Many backups: what is done grows with the pairs of a connection and who may serve it, and hardly faster."""

import math
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

import pytest

from omnidb_cli.core.routing.router import FailoverRouter
from tests.core.fakes import Fleet

SIZES = (60, 120)
Shape = Callable[[int], dict[str, list[str]]]


def chain(size: int) -> dict[str, list[str]]:
    return {f"c{n}": [f"c{n + 1}"] for n in range(size - 1)}


def all_to_all(size: int) -> dict[str, list[str]]:
    """As far as it goes without a cycle: each has all those after it."""
    return {f"c{n}": [f"c{later}" for later in range(n + 1, size)] for n in range(size - 1)}


class Lines:
    """Counts the lines that are run while it is entered: no clock and no other process changes that."""

    def __init__(self) -> None:
        self.number = 0
        self._before: Any = None

    def __enter__(self) -> "Lines":
        self._before = sys.gettrace()
        sys.settrace(self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(self._before)

    def _count(self, _frame: FrameType, event: str, _argument: object) -> Any:
        self.number += event == "line"
        return self._count


def lines_of_working_out(failover: dict[str, list[str]], size: int) -> int:
    """Those run while the order of everybody's backups is found."""
    with Lines() as lines:
        FailoverRouter(failover, [f"c{n}" for n in range(size)])
    return lines.number


async def lines_of_an_outage(failover: dict[str, list[str]], size: int) -> int:
    """Those run while the routes are worked out, all go down from the last to the first, and a snapshot is taken."""
    names = [f"c{n}" for n in range(size)]
    with Lines() as lines:
        fleet = Fleet(*names, failover=failover)
        async with fleet:
            for name in reversed(names):
                await fleet.turn(name, up=False)
            fleet.db.snapshot()
    assert len(fleet.said("no-route")) == len(failover)
    return lines.number


def is_in_proportion(few: int, many: int) -> bool:
    """Whether `many` lines for twice the size are no more than n·log n of the pairs."""
    pairs = [size * (size + 1) / 2 for size in SIZES]
    steps = [number * math.log(number) for number in pairs]
    return many / few <= steps[1] / steps[0]


@pytest.mark.parametrize("shape", [chain, all_to_all])
def test_finding_the_order_of_twice_as_many_costs_no_more_than_their_pairs(shape: Shape) -> None:
    assert is_in_proportion(*(lines_of_working_out(shape(size), size) for size in SIZES))


@pytest.mark.parametrize("shape", [chain, all_to_all])
async def test_an_outage_of_twice_as_many_costs_no_more_than_their_pairs(shape: Shape) -> None:
    assert is_in_proportion(*[await lines_of_an_outage(shape(size), size) for size in SIZES])
