"""What time alone does: a wait or a hold that is over, a primary that has been well for long enough."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable

from omnidb_cli.core.connection import Connection


class Timers:
    """At most one timer for each connection's circuit, and one for each primary that waits to serve again.

    Before `start` and after `stop` there are none.
    """

    __slots__ = ("_failbacks", "_is_well", "_loop", "_time_is_up", "_waiting")

    def __init__(self, time_is_up: Callable[[str], object], is_well: Callable[[str], None]) -> None:
        self._time_is_up = time_is_up
        self._is_well = is_well
        self._loop: AbstractEventLoop | None = None
        self._waiting: set[Connection] = set()
        self._failbacks: dict[str, TimerHandle] = {}

    @property
    def running(self) -> bool:
        """Whether time acts."""
        return self._loop is not None

    def start(self, loop: AbstractEventLoop) -> None:
        """From now on time acts."""
        self._loop = loop

    def stop(self) -> None:
        """Ends `start`: no timer is left."""
        self._loop = None
        for connection in tuple(self._waiting):
            self.watch(connection)
        for timer in self._failbacks.values():
            timer.cancel()
        self._failbacks.clear()

    def watch(self, connection: Connection) -> None:
        """Sets the timer of its circuit to where that stands now."""
        if connection.timer is not None:
            connection.timer.cancel()
            connection.timer = None
            self._waiting.discard(connection)
        deadline = connection.breaker.circuit.reopens_at
        if self._loop is not None and deadline is not None:
            connection.timer = self._loop.call_at(deadline, self._ring, connection)
            self._waiting.add(connection)

    def fail_back_at(self, head: str, clock: float | None) -> None:
        """Has `head` checked again at `clock`; None: not any more."""
        if (timer := self._failbacks.pop(head, None)) is not None:
            timer.cancel()
        if self._loop is not None and clock is not None:
            self._failbacks[head] = self._loop.call_at(clock, self._is_well, head)

    def _ring(self, connection: Connection) -> None:
        self._time_is_up(connection.name)
        self.watch(connection)  # a loop may call a moment early
