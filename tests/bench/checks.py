"""Checks very many connections whose checks answer at once: what omnidb itself costs."""

import gc
import tracemalloc
from statistics import median
from time import process_time

from omnidb_cli import HealthCheck, Orchestrator
from tests.bench.row import Row, at_most
from tests.bench.scale import Scale
from tests.bench.timing import Seconds, alternate_async


async def check(_client: object) -> bool:
    """A check that answers at once."""
    return True


class Fleet:
    """`size` connections, and the settings to check them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.clients = {f"db-{number}": object() for number in range(size)}
        self.settings = HealthCheck(interval="1h", checks=dict.fromkeys(self.clients, check))

    def orchestrator(self) -> Orchestrator:
        """A new one, not connected yet."""
        return Orchestrator(self.clients, health_check=self.settings)

    async def bare(self) -> None:
        """The checks alone."""
        for client in self.clients.values():
            await check(client)


async def rows(scale: Scale) -> list[Row]:
    """The rows of this section."""
    many, few = Fleet(scale.many), Fleet(scale.few)
    async with many.orchestrator() as big, few.orchestrator() as small:
        runs = {"many": big.check, "many bare": many.bare, "few": small.check, "few bare": few.bare}
        seconds = await alternate_async(runs, scale.checks)
    cost_us, small_cost_us = _cost_us(seconds, "many", many.size), _cost_us(seconds, "few", few.size)
    first_us = [await _first_check_us(many) for _ in range(min(scale.checks, 7))]
    sizes = f" at {many.size:,} connections"
    growth = f" ({small_cost_us:.3g} µs at {few.size:,}, {cost_us:.3g} µs at {many.size:,})"
    return [
        at_most("await db.check(), a check, on top of the check itself", cost_us, 4, unit=" µs", note=sizes),
        at_most("the same, ten times as many connections", cost_us / small_cost_us, 1.15, unit=" ×", note=growth),
        Row("the first check in connect(), a connection", f"{median(first_us):.3g} µs{sizes}"),
        at_most("memory a connection in the core, checked periodically", await _bytes(many), 1024, unit=" B"),
    ]


def _cost_us(seconds: Seconds, name: str, size: int) -> float:
    spent = [all_ - bare for all_, bare in zip(seconds[name], seconds[f"{name} bare"], strict=True)]
    return median(spent) / size * 1e6


async def _first_check_us(fleet: Fleet) -> float:
    db = fleet.orchestrator()
    gc.collect()
    began = process_time()
    await db.connect(keep_checking=False)
    took = process_time() - began
    await db.disconnect()
    return took / fleet.size * 1e6


async def _bytes(fleet: Fleet) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        async with fleet.orchestrator():
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / fleet.size
