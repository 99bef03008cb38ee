"""Asks servers that say anything, many at a time, and says what came of it."""

import asyncio
import faulthandler
import gc
import resource
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from omnidb_cli.cli.running import is_given_up
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Driver, Target
from omnidb_cli.errors import OmnidbError
from tests.drivers.hostile import serving
from tests.fuzz.dice import Dice

LIMIT_S = 0.3
LATE_S = 2.0
MOST_BYTES = 200_000_000
AT_ONCE = 12
ENGINES = ("postgresql", "mysql", "redis", "mongodb")
_STUCK_S = 10.0
_FILES = {"postgresql": "postgres"}


class Trial:
    """Faults found, each a line for people that begins with the number of its server."""

    def __init__(self, engine: str, seed: int) -> None:
        self._engine = engine
        self._seed = seed
        self._server: Any = import_module(f"tests.fuzz.{_FILES.get(engine, engine)}")
        self._largest = 0
        self.faults: list[str] = []

    async def run(self, numbers: Iterator[int]) -> None:
        """One server for each of the numbers."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._strange(context))
        sys.unraisablehook = lambda raised: self.faults.append(f"unraisable: {raised.exc_value!r} in {raised.object!r}")
        self._largest = _memory()
        beating = asyncio.create_task(_beat())
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._some(numbers))
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        gc.collect()

    def _strange(self, context: dict[str, Any]) -> None:
        if is_given_up(context):
            return
        error = context.get("exception")
        told = "".join(traceback.format_exception(error)) if error else ""
        self.faults.append(f"in the event loop: {context['message']}\n{told}")

    async def _some(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            print(number, flush=True)
            await self._one(number)

    async def _one(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        dice, asking = Dice(f"{self._seed} {number}"), Dice(f"asks {self._seed} {number}")
        async with serving(lambda reader, writer: self._server.conversation(dice, reader, writer)) as place:
            began = loop.time()
            try:
                await self._asked(place, asking)
            except (OmnidbError, TimeoutError) as error:
                str(error)
            except Exception:  # noqa: BLE001 - what should not have come
                self._fault(number, traceback.format_exc())
            took_s = loop.time() - began
        if took_s > 2 * LIMIT_S + LATE_S:
            self._fault(number, f"it took {took_s:.1f}s")
        grown = _memory() - self._largest
        if grown > MOST_BYTES:
            self._fault(number, f"memory has grown by {grown // 1_000_000} MB")
            self._largest += grown

    def _fault(self, number: int, what: str) -> None:
        again = f"python -m tests.fuzz {self._engine} --seed {self._seed} --only {number}"
        self.faults.append(f"{number}: {what}\n    {again}")

    async def _asked(self, place: tuple[str, int], dice: Dice) -> None:
        statement = dice.choice((None, None, self._server.STATEMENT))
        params = {"sslmode": "disable"} if self._engine == "postgresql" and dice.random() < 0.8 else {}
        target = Target(
            "shop", self._engine, self._engine, (place,), *dice.choice((("app", "secret"), (None, None))),
            database=None if self._engine == "redis" else "app", params=params, statement=statement, timeout_s=LIMIT_S,
        )  # fmt: skip
        driver = open_driver(target)
        try:
            if dice.random() < 0.5:
                await _checked(driver)
            else:
                await _executed(driver, self._server.STATEMENT, read_only=dice.random() < 0.5)
        finally:
            await driver.aclose()


async def _checked(driver: Driver) -> None:
    """Checks twice, the second time on the connection that is held."""
    for _ in range(2):
        async with asyncio.timeout(LIMIT_S):
            await driver.check()


async def _executed(driver: Driver, statement: str, *, read_only: bool) -> None:
    async with asyncio.timeout(LIMIT_S):
        session = await driver.connect(read_only=read_only, timeout_s=LIMIT_S)
    try:
        async with asyncio.timeout(LIMIT_S):
            reply = await session.run(statement, ())
            async for _ in reply.batches:
                pass
            repr((reply.row_count(), reply.command(), reply.notices()))
    finally:
        await session.aclose()


async def _beat() -> None:
    """While this runs nothing is stuck; else the process ends, and says where it was."""
    while True:
        faulthandler.dump_traceback_later(_STUCK_S, exit=True)
        await asyncio.sleep(0.1)


def _memory() -> int:
    """The most that this process has had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
