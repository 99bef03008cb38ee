"""When each connection is checked next: its own interval after its last check, give or take a twentieth."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import count

from omnidb_cli.core.health.subject import MonitoredConnection

_EARLIEST, _LATEST = 0.95, 1.05


class Schedule:
    """Calls `release(subject)` for each that is due; nothing is before `start` and after `stop`.

    A subject has one entry at most. Checks in between only put it off when its turn has come, so that checking often
    costs nothing here.
    """

    __slots__ = ("_entries", "_loop", "_release", "_tickets", "_timer", "_uniform", "running")

    def __init__(self, loop: AbstractEventLoop, release: Callable[[list[MonitoredConnection]], None]) -> None:
        self._loop = loop
        self._release = release
        self._entries: list[tuple[float, int, MonitoredConnection]] = []
        self._tickets = count()
        self._timer: TimerHandle | None = None
        self.running = False

    def start(self, subjects: Iterable[MonitoredConnection]) -> None:
        """Gives every subject its turn, an interval from now."""
        from random import uniform

        self._uniform = uniform
        self.running = True
        now = self._loop.time()
        self._entries = [self._entry(subject, now) for subject in subjects]
        heapify(self._entries)
        self._set_timer()

    def stop(self) -> None:
        """Ends `start`: no timer is left."""
        self.running = False
        self._entries.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def put(self, subject: MonitoredConnection) -> None:
        """Gives a subject that has none its next turn."""
        heappush(self._entries, self._entry(subject, subject.checked_s))
        self._set_timer()

    def _entry(self, subject: MonitoredConnection, since_s: float) -> tuple[float, int, MonitoredConnection]:
        subject.due_s = since_s + subject.settings.interval_s * self._uniform(_EARLIEST, _LATEST)
        return (subject.due_s, next(self._tickets), subject)

    def _set_timer(self) -> None:
        if not self._entries:
            return
        due_s = self._entries[0][0]
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        due = []
        while self._entries and self._entries[0][0] <= now:
            _, _, subject = heappop(self._entries)
            if now < subject.checked_s + subject.settings.interval_s * _EARLIEST:
                heappush(self._entries, self._entry(subject, subject.checked_s))
            else:
                subject.due_s = None
                due.append(subject)
        self._release(due)
        self._set_timer()
