"""The two faces of `watch`: a screen that is drawn anew, and lines for whoever reads along."""

from collections import deque
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from omnidb_cli.core.events import Event
from omnidb_cli.core.snapshot import Snapshot

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams

_EVENTS_SHOWN = 50


class Face(Protocol):
    """What `watch` shows itself through.

    `is_alive`: it shows how everything stands each second, before the first looks are over too.
    """

    is_alive: bool

    def show(self, snapshot: Snapshot, events: "list[Event]", next_look_in_s: float | None, stale: str | None) -> None:
        """Shows how everything stands, and what happened since the last time."""
        ...

    def tell_of_state(self, stale: str | None) -> None:
        """Says what is wrong with the saved state (None: nothing), where that is not told yet."""
        ...


class LineFace:
    """One JSON object a line: the same as `status -o json` prints."""

    is_alive = False

    def __init__(self, streams: "Streams") -> None:
        self._streams = streams
        self._stale: str | None = None

    def show(self, snapshot: Snapshot, events: "list[Event]", next_look_in_s: float | None, stale: str | None) -> None:  # noqa: ARG002 - a line tells of states
        """Writes one line."""
        from omnidb_cli.output.views.status import status_document

        self.tell_of_state(stale)
        self._streams.show_line(status_document(snapshot))

    def tell_of_state(self, stale: str | None) -> None:
        """Writes a warning when the trouble begins, changes or ends."""
        if stale != self._stale:
            self._streams.warning(stale or "state available again")
        self._stale = stale


class ScreenFace:
    """A live screen: the table, the last events, the countdown to the next look."""

    is_alive = True

    def __init__(self, streams: "Streams") -> None:
        from omnidb_cli.output.live import LiveScreen

        self._screen = LiveScreen(streams)
        self._events: deque[dict[str, object]] = deque(maxlen=_EVENTS_SHOWN)

    def __enter__(self) -> Self:
        self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.__exit__(kind, error, trace)

    def show(self, snapshot: Snapshot, events: "list[Event]", next_look_in_s: float | None, stale: str | None) -> None:
        """Draws the screen."""
        from omnidb_cli.core.announce import event_object

        self._events.extend(event_object(event) for event in events)
        at = None if next_look_in_s is None else datetime.now(UTC) + timedelta(seconds=next_look_in_s)
        self._screen.show(snapshot, tuple(self._events), at, stale)

    def tell_of_state(self, stale: str | None) -> None:
        """Does nothing: the screen is drawn each second, and says it."""
