"""Time limits for checks, one timer for all of them: a timer for each would cost a tenth of the check."""

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary


class Limit:
    """The limit of one check. `is_over` says that it was reached: what the check waited for was ended."""

    __slots__ = ("due_s", "end", "is_over")

    def __init__(self, due_s: float, end: Callable[[], object]) -> None:
        self.due_s = due_s
        self.end = end
        self.is_over = False


class Limits:
    """The limits of one event loop; get it with `limits()`."""

    def __init__(self) -> None:
        self._running: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_s = float("inf")

    def begin(self, left_s: float, end: Callable[[], object]) -> Limit:
        """Calls `end` in `left_s` seconds, unless the limit is lifted before."""
        loop = asyncio.get_running_loop()
        limit = Limit(loop.time() + left_s, end)
        self._running.add(limit)
        if limit.due_s < self._rings_s:
            self._ring_at(limit.due_s, loop)
        return limit

    def lift(self, limit: Limit) -> None:
        """Lets it be; also where it was reached."""
        self._running.discard(limit)

    def _ring_at(self, due_s: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_s = due_s
        self._timer = loop.call_at(due_s, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_s = None, float("inf")
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        over = [limit for limit in self._running if limit.due_s <= now_s]
        self._running.difference_update(over)
        if self._running:
            self._ring_at(min(limit.due_s for limit in self._running), loop)
        for limit in over:
            limit.is_over = True
            limit.end()


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Limits] = WeakKeyDictionary()


def limits() -> Limits:
    """Those of the event loop that runs here."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Limits()
    return found
