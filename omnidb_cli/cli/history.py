"""The history as commands ask for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING, Any

from omnidb_cli.core.announce import event_object
from omnidb_cli.core.events import EventType
from omnidb_cli.tuples import NamedTuple

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.state.store import Store
    from omnidb_cli.topology import Topology

_POLL_S = 0.25


class Question(NamedTuple):
    """Which events: since when, of which connections, of which types; nothing named means all."""

    since: datetime | None
    names: tuple[str, ...]
    types: tuple[str, ...]


def question(since_s: float | None, names: Sequence[str], types: Sequence[str]) -> Question:
    """The question of a command line. Raises a usage error for a type that there is not."""
    from omnidb_cli.cli.options import one_of

    for word in types:
        one_of("--type", word, tuple(EventType))
    since = None if since_s is None else datetime.now(UTC) - timedelta(seconds=since_s)
    return Question(since, tuple(names), tuple(types))


def known_names(topology: "Topology", asked: Question) -> None:
    """Raises UnknownConnectionError for a name that the topology does not have."""
    topology.closure(asked.names)


def saved_events(store: "Store", asked: Question, *, after_id: int = 0) -> list[Mapping[str, Any]]:
    """The events that are saved, oldest first. Raises StateStoreError."""
    stored = store.events(after_id=after_id, since=asked.since, names=asked.names, types=asked.types)
    return [event_object(one.event, one.id) for one in stored]


def show_as_they_come(streams: "Streams", store: "Store", asked: Question) -> None:
    """Shows what is saved, then what is added, until interrupted."""
    from omnidb_cli.output.views.events import event_document

    last_id = 0
    while True:
        seen = store.revision()
        for event in saved_events(store, asked, after_id=last_id):
            last_id = event["id"]
            streams.show_line(event_document(event)) if streams.machine else streams.show(event_document(event))
        while store.revision() == seen:
            sleep(_POLL_S)
