"""One connection to check, and those who wait for its check."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable

from omnidb_cli.core.settings import HealthCheck
from omnidb_cli.errors import NotConnectedError


class MonitoredConnection:
    """A connection as the monitor knows it.

    It is `busy` from the moment a check is wanted until its check has ended, `hangs` while a check that ran out of
    time ignores its cancellation, and is `late` when its last check ran out of time. `checked_s` is the loop time of
    its last answer, `due_s` that of its next periodic check; None while there is none.
    """

    __slots__ = ("busy", "check", "checked_s", "due_s", "hangs", "late", "name", "settings", "waiting")

    due_s: float | None

    def __init__(self, name: str, check: Callable[[], object], settings: HealthCheck) -> None:
        self.name = name
        self.check = check
        self.settings = settings
        self.busy = self.hangs = self.late = False
        self.checked_s = 0.0
        self.due_s = None
        self.waiting: tuple[CheckBatch, ...] = ()

    def give_up(self) -> None:
        """Tells those who wait that there will be no answer."""
        waiting, self.waiting = self.waiting, ()
        for sweep in waiting:
            sweep.give_up()


class CheckBatch:
    """One caller who waits for the checks of `left` connections."""

    __slots__ = ("_left", "done")

    def __init__(self, left: int, done: Future[None]) -> None:
        self._left = left
        self.done = done

    def one_less(self) -> None:
        """One more connection has answered."""
        self._left -= 1
        if self._left == 0 and not self.done.done():
            self.done.set_result(None)

    def give_up(self) -> None:
        """No more connections will answer."""
        if not self.done.done():
            self.done.set_exception(NotConnectedError("disconnected while a check was under way"))
