"""The history as commands ask for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from omnidb_cli.cli.errors import UsageError
from omnidb_cli.core.events.mapping import event_object
from omnidb_cli.core.events.model import EventType

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.state.store import Store, StoredEvent
    from omnidb_cli.topology import Topology

_POLL_S = 0.25


class EventQuery(Struct, frozen=True):
    """Which events: between when, how many of the newest, of which connections and types; None and () mean all."""

    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def question(
    since: datetime | None, until: datetime | None, limit: int | None, names: Sequence[str], types: Sequence[str]
) -> EventQuery:
    """The question of a command line. Raises a usage error for a type that there is not, and for an empty span."""
    from omnidb_cli.cli.options import require_choice

    for word in types:
        require_choice("--type", word, tuple(EventType))
    if since is not None and until is not None and until < since:
        raise UsageError("--until lies before --since")
    return EventQuery(since, None if until is None else _as_printed(until), limit, tuple(names), tuple(types))


def _as_printed(until: datetime) -> datetime:
    """The end of the millisecond: to the table an event is no later than that, and so to whoever copies its time."""
    return until if until.microsecond % 1000 else until + timedelta(microseconds=999)


def known_names(topology: "Topology", asked: EventQuery) -> None:
    """Raises UnknownConnectionError for names that the topology does not have."""
    topology.closure(asked.names)


def saved_events(store: "Store", asked: EventQuery) -> list[Mapping[str, Any]]:
    """The events that are saved, oldest first. Raises StateStoreError."""
    return _objects(_newest(_found(store, asked), asked.limit))


def show_as_they_come(streams: "Streams", store: "Store", asked: EventQuery) -> None:
    """Shows what is saved, then what is added, until interrupted."""
    from omnidb_cli.cli.collector import settle
    from omnidb_cli.output.views.events import event_document

    settle()
    followed = Followed(store, asked)
    while True:
        seen = store.revision()
        for event in _objects(followed.news()):
            streams.show_line(event_document(event)) if streams.machine else streams.show(event_document(event))
        while store.revision() == seen:
            sleep(_POLL_S)


class Followed:
    """A history that is followed, also over a reset and to another file in its place, which numbers anew."""

    def __init__(self, store: "Store", asked: EventQuery) -> None:
        self._store = store
        self._asked = asked
        self._is_begun = False
        self._last: StoredEvent | None = None

    def news(self) -> "list[StoredEvent]":
        """What was not there the last time, oldest first; the first time what was asked for. Raises StateStoreError."""
        news = self._after(self._last)
        self._last = news[-1] if news else self._last
        news = news if self._is_begun else _newest(news, self._asked.limit)
        self._is_begun = True
        return news

    def _after(self, last: "StoredEvent | None") -> "list[StoredEvent]":
        if last is None:
            return _found(self._store, self._asked)
        found = _found(self._store, self._asked, after_id=last.id - 1)
        if found and (found[0].id, found[0].event.at) == (last.id, last.event.at):
            return found[1:]
        return [
            one for one in _found(self._store, self._asked) if one.id > last.id or one.event.at > last.event.at
        ]  # the last one shown is gone: the history was reset, or is another one


def _found(store: "Store", asked: EventQuery, *, after_id: int = 0) -> "list[StoredEvent]":
    stored = store.events(after_id=after_id, since=asked.since, names=asked.names, types=asked.types)
    return [one for one in stored if asked.until is None or one.event.at <= asked.until]


def _newest(found: "list[StoredEvent]", limit: int | None) -> "list[StoredEvent]":
    return found if limit is None else found[-limit:]


def _objects(stored: "Sequence[StoredEvent]") -> list[Mapping[str, Any]]:
    return [event_object(one.event, one.id) for one in stored]
