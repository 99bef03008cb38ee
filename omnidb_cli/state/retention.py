"""How long the history keeps what: by class and age, so that no class ever pushes another one out."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from omnidb_cli.core.events.model import Event


class EventClass(StrEnum):
    """What an event is to whoever reads the history later. The value is what a store writes down."""

    MANUAL = "manual"
    TRANSITION = "transition"
    OTHER = "other"


class Budget(Struct, frozen=True):
    """The newest `events` of a class are kept, but none older than `days`; the newest `AGELESS` whatever their age."""

    events: int
    days: int


BUDGETS: Final[Mapping[EventClass, Budget]] = {
    EventClass.MANUAL: Budget(10_000, 400),
    EventClass.TRANSITION: Budget(50_000, 90),
    EventClass.OTHER: Budget(5_000, 30),
}
AGELESS: Final = 1_000
"""A clock that jumps ahead by a year must not empty the history."""

# By word, one for each EventType.
CLASS_OF_TYPE: Final[Mapping[str, EventClass]] = {
    "connected": EventClass.OTHER,
    "disconnected": EventClass.OTHER,
    "health:changed": EventClass.TRANSITION,
    "circuit:open": EventClass.TRANSITION,
    "circuit:half-open": EventClass.TRANSITION,
    "circuit:close": EventClass.TRANSITION,
    "hold:changed": EventClass.MANUAL,
    "failover": EventClass.TRANSITION,
    "recovery": EventClass.TRANSITION,
    "no-route": EventClass.TRANSITION,
    "split-brain": EventClass.TRANSITION,
    "error": EventClass.OTHER,
    "shutdown": EventClass.OTHER,
}


def class_of(event: Event) -> EventClass:
    """The class of `event`: what a person did is manual, whatever it did to which connection."""
    return EventClass.MANUAL if event.actor is not None else CLASS_OF_TYPE[event.type]
