"""Rounds of checks: one is over when everybody has been checked, but for those whose check outlasts the interval."""

import asyncio
from collections.abc import Callable, Iterable


class Rounds:
    """Counts the rounds over `names`, each `interval_s` long; calls `over()` at the end of each.

    `done` counts those that are over. A connection that hangs holds up no round longer than an interval.
    """

    def __init__(self, names: Iterable[str], interval_s: float, over: Callable[[], None]) -> None:
        self._names = frozenset(names)
        self._interval_s = interval_s
        self._over = over
        self._missing = set(self._names)
        self._restless = asyncio.Event()
        self._began_at: float | None = None
        self.done = 0

    def checked(self, name: str) -> None:
        """Notes that `name` was checked."""
        self._missing.discard(name)
        if not self._missing:
            self._finish()

    def next_in_s(self) -> float | None:
        """Seconds until the next check; None before the first."""
        if self._began_at is None:
            return None
        return max(self._began_at + self._interval_s - asyncio.get_running_loop().time(), 0.0)

    async def run(self) -> None:
        """Ends rounds whose time is up, as long as it runs."""
        loop = asyncio.get_running_loop()
        since, began = loop.time(), self._began_at
        while True:
            await asyncio.sleep(max(since + 2 * self._interval_s - loop.time(), 0.0))
            if self._began_at == began and len(self._missing) < len(self._names):
                self._finish()
            is_new = self._began_at != began
            began = self._began_at
            since = began if is_new and began is not None else loop.time()

    def _finish(self) -> None:
        self._missing = set(self._names)
        self._began_at = asyncio.get_running_loop().time()
        self.done += 1
        self._over()
