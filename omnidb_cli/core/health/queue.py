"""Whose check is next."""

from __future__ import annotations

from collections import deque

from omnidb_cli.core.health.subject import MonitoredConnection

_KEPT = 4
"""One place in so many is kept free of those that ran out of time, and as many are theirs before anybody else's."""


class CheckQueue:
    """Subjects that wait for a check, and how many of `places` the late ones may take.

    Where many endpoints hang, each check of them fills its place for as long as its timeout. Those whose last check
    ran out of time wait in a queue of their own and never take the last places, so the others' checks go on.
    """

    __slots__ = ("_kept", "_late", "_most_late", "_prompt", "late_under_way")

    def __init__(self, places: int) -> None:
        self._prompt: deque[MonitoredConnection] = deque()
        self._late: deque[MonitoredConnection] = deque()
        self.late_under_way: set[MonitoredConnection] = set()
        """Late ones that have been taken and are not done."""
        self._kept = places // _KEPT
        self._most_late = max(places - self._kept, 1)

    def put(self, subject: MonitoredConnection) -> None:
        """Adds a subject at the end."""
        (self._late if subject.late else self._prompt).append(subject)

    @property
    def waiting(self) -> int:
        """How many could be taken one after the other."""
        return len(self._prompt) + min(len(self._late), self._most_late - len(self.late_under_way))

    def take(self) -> MonitoredConnection | None:
        """The next one; None when nobody waits, or only late ones that have taken all that they may."""
        if self._late:
            under_way = len(self.late_under_way)
            if under_way < (self._kept if self._prompt else self._most_late):
                subject = self._late.popleft()
                self.late_under_way.add(subject)
                return subject
        return self._prompt.popleft() if self._prompt else None

    def done(self, subject: MonitoredConnection) -> None:
        """A subject's check is over: its place is free."""
        self.late_under_way.discard(subject)
