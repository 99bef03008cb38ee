"""One timer for the deadlines of all attempts, so that a check of ten thousand connections needs no timer for each."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable

from omnidb_cli.core.health.subject import MonitoredConnection

GRACE_S = 0.25
"""How long a cancelled attempt may take to stop before its verdict is given without it."""


class Worker:
    """One task that checks. `deadline_s` is the loop time at which its attempt runs out, None between attempts."""

    __slots__ = ("abandoned", "deadline_s", "expired", "subject", "task")

    subject: MonitoredConnection
    task: Task[None]

    def __init__(self) -> None:
        self.deadline_s: float | None = None
        self.expired = False
        self.abandoned = False

    def take_back_expiry(self) -> bool:
        """Undoes the cancellation by the deadline; whether somebody else wants the task to end as well."""
        self.expired = False
        return self.task.uncancel() > 0


class Deadlines:
    """Cancels the attempts of `workers` whose time is up, and calls `abandon` for one that does not stop."""

    __slots__ = ("_abandon", "_loop", "_timer", "_workers", "next_s")

    def __init__(self, loop: AbstractEventLoop, workers: set[Worker], abandon: Callable[[Worker], None]) -> None:
        self._loop = loop
        self._workers = workers
        self._abandon = abandon
        self._timer: TimerHandle | None = None
        self.next_s: float = float("inf")
        """When the timer rings: whoever sets a deadline before that calls `watch`."""

    def watch(self, deadline_s: float) -> None:
        """Has the timer ring at `deadline_s`."""
        self.stop()
        self.next_s = deadline_s
        self._timer = self._loop.call_at(deadline_s, self._ring)

    def stop(self) -> None:
        """Takes the timer away."""
        self.next_s = float("inf")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self.stop()
        now = self._loop.time()
        for worker in tuple(self._workers):
            if worker.deadline_s is not None and worker.deadline_s <= now:
                self._overdue(worker, now)
        upcoming = min((one.deadline_s for one in self._workers if one.deadline_s is not None), default=None)
        if upcoming is not None and upcoming < self.next_s:
            self.watch(upcoming)

    def _overdue(self, worker: Worker, now: float) -> None:
        if not worker.expired:
            worker.expired = True
            worker.deadline_s = now + GRACE_S
            worker.task.cancel()
            return
        worker.deadline_s = None
        worker.abandoned = True
        self._abandon(worker)
