"""Runs a command's coroutine; SIGINT and SIGTERM cancel it, so that it ends in an orderly way."""

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from typing import Any, TypeVar

from omnidb_cli.cli.signals import as_exception, handling
from omnidb_cli.drivers.resolver import ResolvingLoop

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns. After it has cleaned up: KeyboardInterrupt for SIGINT, Terminated for SIGTERM."""
    received: list[int] = []
    tasks: list[asyncio.Task[T]] = []

    def stop(number: int) -> None:
        if not received and tasks and not tasks[0].done():
            tasks[0].get_loop().call_soon_threadsafe(tasks[0].cancel)
        received.append(number)

    with handling(stop), closing(main), asyncio.Runner(loop_factory=_Loop) as runner:
        tasks.append(runner.get_loop().create_task(main))
        if received:
            tasks[0].cancel()
        try:
            return runner.run(_ended(tasks[0]))
        except asyncio.CancelledError:
            if not received:
                raise
    raise as_exception(received[0])


class _Loop(ResolvingLoop):
    """Does not wait for its threads at the end: one may look up a name at a name server that is dead."""

    def __del__(self) -> None:
        """Says nothing of one that was never made whole, for want of descriptors: whoever makes it is told."""
        if hasattr(self, "_ssock"):
            super().__del__()

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Leaves the threads to `close()`, which does not wait for them. A Runner gives a timeout from 3.12 on."""


async def _ended(task: "asyncio.Task[T]") -> T:
    return await task
