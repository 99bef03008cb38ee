"""Closes clients of every kind, all of them, in bounded time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any


async def close_all(clients: Mapping[str, Any], *, within_s: float) -> AsyncIterator[tuple[str, BaseException | None]]:
    """Closes every client that has `aclose` or `close`, side by side; yields each name with what went wrong, or None.

    A client of several names is closed once. One that is not done after `within_s` seconds is cancelled and comes with
    a TimeoutError.
    """
    loop = asyncio.get_running_loop()
    of_client: dict[int, asyncio.Task[None]] = {}
    tasks: dict[str, asyncio.Task[None]] = {}
    for name, client in clients.items():
        if id(client) not in of_client:
            of_client[id(client)] = loop.create_task(_close(client))
        tasks[name] = of_client[id(client)]
    _, late = await asyncio.wait(of_client.values(), timeout=within_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=0.1)
    for name, task in tasks.items():
        task.add_done_callback(_outcome)  # read, so that one who fails after all is not reported as forgotten
        yield name, TimeoutError(f"closing took longer than {within_s:g}s") if task in late else _outcome(task)


def _outcome(task: "asyncio.Task[None]") -> BaseException | None:
    return asyncio.CancelledError("closing was cancelled") if task.cancelled() else task.exception()


async def _close(client: Any) -> None:
    close = getattr(client, "aclose", None) or getattr(client, "close", None)
    if not callable(close):
        return
    answer = close()
    if hasattr(answer, "__await__"):
        await answer
