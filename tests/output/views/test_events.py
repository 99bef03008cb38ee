"""Events in words."""

from collections.abc import Mapping

import pytest

from omnidb_cli.core.events.mapping import event_object
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.output.views.events import event_document, event_words
from tests.output.scenes import NOW, streams


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            Event(
                EventType.HEALTH_CHANGED, "a", NOW, reason="refused", previous="healthy", current="unhealthy",
                error=OSError("connection refused"),
            ),
            "healthy → unhealthy: connection refused",
        ),
        (
            Event(EventType.HEALTH_CHANGED, "a", NOW, previous="unhealthy", current="healthy"),
            "unhealthy → healthy",
        ),
        (
            Event(
                EventType.CIRCUIT_OPEN, "a", NOW, reason="manual", note="upgrade", actor="anna",
                previous="closed", current="open",
            ),
            "closed → open: upgrade",
        ),
        (
            Event(EventType.FAILOVER, "a", NOW, reason="a unhealthy", primary="a", backup="b"),
            "b serves instead: a unhealthy",
        ),
        (Event(EventType.RECOVERY, "a", NOW, primary="a", backup="b"), "primary serving again"),
        (Event(EventType.NO_ROUTE, "a", NOW, reason="all are down"), "no eligible endpoint: all are down"),
        (Event(EventType.SHUTDOWN, None, NOW), ""),
        (Event(EventType.ERROR, "a", NOW, error="lost 3 events"), "lost 3 events"),
    ],
)  # fmt: skip
def test_words(event: Event, words: str) -> None:
    assert event_words(event_object(event)) == words


def test_one_followed_event_is_one_line() -> None:
    event: Mapping[str, object] = event_object(Event(EventType.CIRCUIT_OPEN, "a", NOW, reason="x\ty", actor="anna"), 3)
    for form in ("table", "jsonl", "csv", "tsv"):
        to = streams(form)
        to.show(event_document(event))
        assert to.out.getvalue().count("\n") == 1
