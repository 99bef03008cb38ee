"""The faces of `watch`: a live screen, lines for a terminal that has none, and JSON lines for programs."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct

from omnidb_cli.cli.signals import off_terminal
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.snapshot import Snapshot

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.output.views.finding import Finding

_EVENTS_SHOWN = 50
_NAMES_ROOM = 200
"""So many characters a line of those who share their trouble may have."""

_NOT_SAID = frozenset({EventType.CONNECTED, EventType.DISCONNECTED})


class Shown(Struct, frozen=True):
    """How everything stands, and what happened since the last time.

    `rounds` counts the check rounds that are over, `stale` says what is wrong with the state store.
    """

    snapshot: Snapshot
    events: "list[Event]"
    finding: "Finding"
    rounds: int
    next_check_in_s: float | None
    stale: str | None


class Display(Protocol):
    """What `watch` shows itself through.

    `is_alive`: it shows how everything stands each second, before the first checks are over too.
    """

    is_alive: bool

    def show(self, now: Shown) -> None:
        """Shows how everything stands, and what happened since the last time."""
        ...

    def tell_of_state(self, stale: str | None) -> None:
        """Says what is wrong with the saved state (None: nothing), where that is not told yet."""
        ...

    def ended(self, how: str) -> None:
        """Says how it ended: nothing is shown after that."""
        ...


class JsonLinesDisplay:
    """One JSON object a line: the same as `status -o json` prints."""

    is_alive = False

    def __init__(self, streams: "Streams") -> None:
        self._streams = streams
        self._stale: str | None = None

    def show(self, now: Shown) -> None:
        """Writes one line."""
        from omnidb_cli.output.views.status import status_document

        self.tell_of_state(now.stale)
        self._streams.show_line(status_document(now.snapshot))

    def ended(self, how: str) -> None:
        """Says nothing: programs have the exit code."""

    def tell_of_state(self, stale: str | None) -> None:
        """Writes a warning when the trouble begins, changes or ends."""
        if stale != self._stale:
            self._streams.warning(stale or "state available again")
        self._stale = stale


class LiveDisplay:
    """A live screen: the table, the last events, the countdown to the next check. Its last frame stays."""

    is_alive = True

    def __init__(self, streams: "Streams") -> None:
        from omnidb_cli.output.terminal.live import LiveScreen

        self._screen = LiveScreen(streams)
        self._meanwhile = ExitStack()
        self._events: deque[dict[str, object]] = deque(maxlen=_EVENTS_SHOWN)

    def __enter__(self) -> Self:
        self._meanwhile.enter_context(off_terminal(self._screen.leave, self._screen.come_back))
        self._screen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._meanwhile:
            self._screen.__exit__(kind, error, trace)

    def show(self, now: Shown) -> None:
        """Draws the screen."""
        from omnidb_cli.core.events.mapping import event_object

        self._events.extend(event_object(event) for event in now.events)
        wait = now.next_check_in_s
        at = None if wait is None else datetime.now(UTC) + timedelta(seconds=wait)
        self._screen.show(now.snapshot, tuple(self._events), at, now.stale, now.finding)

    def tell_of_state(self, stale: str | None) -> None:
        """Does nothing: the screen is drawn each second, and says it."""

    def ended(self, how: str) -> None:
        """Has the last frame say it."""
        self._screen.ended(how)


class TextDisplay:
    """Readable lines, for a terminal that cannot be drawn anew: one a change, and one a round in which any came."""

    is_alive = False

    def __init__(self, streams: "Streams") -> None:
        self._streams = streams
        self._alarms: tuple[str, ...] = ()
        self._stale: str | None = None
        self._snapshot: Snapshot | None = None
        self._summed_up = 0
        self._has_news = True

    def show(self, now: Shown) -> None:
        """Writes what changed, if anything did."""
        self._snapshot = now.snapshot
        for line in self._news(now):
            self._has_news = True
            self._streams.line(line)
        self.tell_of_state(now.stale)
        if now.rounds > self._summed_up:
            self._sum_up()
            if not self._summed_up:
                self._say_what_is_not_well(now.snapshot)
            self._summed_up = now.rounds

    def tell_of_state(self, stale: str | None) -> None:
        """Writes a line when the trouble begins, changes or ends."""
        if stale != self._stale:
            self._streams.line(f"✗ {stale}" if stale else "✓ state available again")
        self._stale = stale

    def ended(self, how: str) -> None:
        """Writes it as the last line."""
        self._sum_up()
        self._streams.line(how)

    def _sum_up(self) -> None:
        """A line of counts, where anything has changed since the last one."""
        from omnidb_cli.output.views.status import status_title

        if self._has_news and self._snapshot is not None:
            *counts, at = (cell.text for cell in status_title(self._snapshot))
            self._streams.line(f"{at}: {' · '.join(counts)}")
            self._has_news = False

    def _say_what_is_not_well(self, snapshot: Snapshot) -> None:
        """What was so when it began, and so comes as no change."""
        from omnidb_cli.output.terminal.layout import with_names
        from omnidb_cli.output.views.problems import problems

        for note in problems(snapshot, snapshot.taken_at):
            self._streams.line(f"{note.mark.text} {with_names(note.text, note.names, _NAMES_ROOM)}")

    def _news(self, now: Shown) -> Iterator[str]:
        from omnidb_cli.core.events.mapping import event_object
        from omnidb_cli.output.views.events import event_line

        finding = now.finding
        alarms = (finding.reason,) if finding.headline else ()
        yield from (f"✗ {alarm}" for alarm in alarms if alarm not in self._alarms)
        self._alarms = alarms
        for event in now.events:
            if event.type not in _NOT_SAID:
                yield "  ".join(cell.text for cell in event_line(event_object(event)))
