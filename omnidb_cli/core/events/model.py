"""What happened: frozen events, the handlers that hear of them, and streams to read them from."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class EventType(StrEnum):
    """The closed list of events."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    HEALTH_CHANGED = "health:changed"
    CIRCUIT_OPEN = "circuit:open"
    CIRCUIT_HALF_OPEN = "circuit:half-open"
    CIRCUIT_CLOSE = "circuit:close"
    HOLD_CHANGED = "hold:changed"
    FAILOVER = "failover"
    RECOVERY = "recovery"
    NO_ROUTE = "no-route"
    SPLIT_BRAIN = "split-brain"
    ERROR = "error"
    SHUTDOWN = "shutdown"


class Event(Struct, frozen=True):
    """One thing that happened, at `at` (aware, UTC). What does not belong to its type is None.

    `reason` is a word or a sentence; for a hold by hand it is `manual`, and the person's own words are in
    `note`. `previous` and `current` are health or circuit words; `primary` and `backup` name the two ends of a
    failover, a recovery or a missing route. `name` is None for what concerns no single connection.
    """

    type: EventType
    name: str | None
    at: datetime
    reason: str | None = None
    actor: str | None = None
    note: str | None = None
    previous: str | None = None
    current: str | None = None
    primary: str | None = None
    backup: str | None = None
    error: BaseException | str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Its type, what became of what, and why."""
        moves = ((self.previous, self.current), (self.primary, self.backup))
        words = [f"{one} → {other}" for one, other in moves if one is not None and other is not None]
        return ": ".join([self.type, *words, *filter(None, (self.reason, self.note))])

    def __hash__(self) -> int:
        """Without `detail`, which has none."""
        return hash((self.type, self.name, self.at, self.reason))


def utc(wall: float) -> datetime:
    """Unix time as an aware datetime in UTC."""
    return datetime.fromtimestamp(wall, UTC)
