"""How much is measured: all of it, or just enough to see that everything runs."""

from typing import NamedTuple


class Scale(NamedTuple):
    """Sizes and repetitions. `few` and `many` are numbers of connections."""

    rounds: int
    calls: int
    few: int
    many: int
    checks: int
    starts: int
    fleet: int
    fleet_runs: int
    loads: int
    held: int
    held_checks: int
    kills: int


FULL = Scale(
    rounds=201, calls=1000, few=1000, many=10_000, checks=41, starts=21, fleet=1000, fleet_runs=5, loads=5,
    held=1000, held_checks=15, kills=5,
)  # fmt: skip
QUICK = Scale(
    rounds=3, calls=20, few=10, many=40, checks=2, starts=1, fleet=10, fleet_runs=1, loads=1,
    held=3, held_checks=1, kills=1,
)  # fmt: skip
