"""Runs a command's coroutine; SIGINT and SIGTERM cancel it, so that it ends in an orderly way."""

import asyncio
from collections.abc import Coroutine, Mapping
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

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Says nothing of a connection that nobody waits for any more."""
        if not is_given_up(context):
            super().call_exception_handler(context)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Leaves the threads to `close()`, which does not wait for them. A Runner gives a timeout from 3.12 on."""


def is_given_up(context: Mapping[str, Any]) -> bool:
    """Whether it tells of a connection that failed after its time limit: asyncpg leaves a future behind then."""
    future = context.get("future")
    return isinstance(context.get("exception"), OSError) and not isinstance(future, asyncio.Task | None)


async def _ended(task: "asyncio.Task[T]") -> T:
    return await task
