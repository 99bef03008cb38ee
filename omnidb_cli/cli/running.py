"""Runs a command's coroutine: interrupted by SIGINT, ended by SIGTERM, in an orderly way both times."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from omnidb_cli.cli.boundary import Terminated

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns. After it has cleaned up: KeyboardInterrupt for SIGINT, Terminated for SIGTERM."""
    with asyncio.Runner() as runner:
        return runner.run(_until_terminated(main))


async def _until_terminated(main: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        task.cancel()

    with suppress(NotImplementedError, ValueError, RuntimeError):  # not the main thread: the signal is not ours
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await task
    except asyncio.CancelledError:
        if terminated:
            raise Terminated from None
        task.cancel()
        await asyncio.wait({task})
        raise
