"""What several watchers of one store saw, each told once: by this process itself, or by the history that all share."""

from collections import deque
from collections.abc import Hashable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from omnidb_cli.core.events.model import Event

NEAR_S: Final = 10.0
"""Two watchers note the same change at different times, and a locked store tells of it later."""

_WAITING: Final = 50


class _Told(Struct, frozen=True):
    is_own: bool
    at: "datetime"
    told_at: float


class SharedEvents:
    """Drops the second of two tellings of one event.

    This process hears of its own events at once, and again from the history, where another one may have been the
    first to write it down. An event that one side tells waits for the other side's telling of it, and no longer
    than that: what happens twice is told twice.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[_Told]] = {}

    def own(self, events: "Iterable[Event]") -> "list[Event]":
        """Of what this process noticed, what the history has not told."""
        return [event for event in events if self._is_new(event, is_own=True)]

    def saved(self, events: "Iterable[Event]") -> "list[Event]":
        """Of what was added to the history, what this process has not told."""
        return [event for event in events if self._is_new(event, is_own=False)]

    def _is_new(self, event: "Event", *, is_own: bool) -> bool:
        told = _Told(is_own, event.at, monotonic())
        waiting = self._waiting.setdefault(
            (event.type, event.name, event.current, event.backup), deque(maxlen=_WAITING)
        )
        for other in waiting:
            if other.is_own is not is_own and _is_near(other, told):
                waiting.remove(other)
                return False
        waiting.append(told)
        return True


def _is_near(one: _Told, other: _Told) -> bool:
    return min(abs((one.at - other.at).total_seconds()), abs(one.told_at - other.told_at)) <= NEAR_S
