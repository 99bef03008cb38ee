"""`watch` on a terminal: one screen, drawn anew each time it is shown. Nothing runs here between two calls."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType

from msgspec.structs import replace

from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal.drawing import rendered
from omnidb_cli.output.terminal.screen import ScreenState, frame
from omnidb_cli.output.views.events import EventObject
from omnidb_cli.output.views.finding import NOTHING_FOUND, Finding

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LiveScreen:
    """The alternate screen while inside `with`; afterwards the terminal is as before, and has the last frame on it.

    `show` takes what is to be seen, `tick` draws it again: for the countdown, the ages, and after a resize.
    `ended` says what ends it.
    """

    def __init__(self, streams: Streams, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._streams = streams
        self._clock = clock
        self._scene = ScreenState()

    def __enter__(self) -> "LiveScreen":
        self._streams.is_drawn_over = True
        self._streams.draw(_ENTER)
        self.tick()
        return self

    def leave(self) -> None:
        """Gives the terminal back, from a signal's handler: the process is about to be stopped, or killed."""
        self._streams.interject(_LEAVE)

    def come_back(self) -> None:
        """Takes the terminal again, from a signal's handler; what is on it is drawn by the next `tick`."""
        self._streams.interject(_ENTER)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._streams.is_drawn_over = False
        if not isinstance(error, BrokenPipeError):
            self._streams.draw(_LEAVE + self._last_frame())
            self._streams.flush()

    def show(
        self,
        snapshot: Snapshot | None,
        events: Sequence[EventObject] = (),
        next_check_at: datetime | None = None,
        stale: str | None = None,
        finding: Finding = NOTHING_FOUND,
    ) -> None:
        """Draws the snapshot and the last events (oldest first), and counts down to `next_check_at`.

        `stale` says why there is nothing newer: with it, or without a snapshot, the last good one stays, with its age.
        What `finding` has for a headline goes before everything else.
        """
        kept = snapshot if snapshot is not None else self._scene.snapshot
        self._scene = ScreenState(kept, tuple(events), next_check_at, stale, finding)
        self.tick()

    def ended(self, how: str) -> None:
        """Has the last frame say how it ended."""
        self._scene = replace(self._scene, ended=how)

    def tick(self) -> None:
        """Draws the same again, at the size that the screen has now."""
        self._streams.draw(_HOME + f"{_END_OF_LINE}\n".join(self._lines()) + _END_OF_LINE + _REST_OF_SCREEN)
        self._streams.flush()

    def _lines(self, *, spare: int = 0) -> list[str]:
        """The frame as lines, `spare` fewer than the screen has."""
        width, height = self._streams.size
        height = max(height - spare, 1)
        picture = frame(self._scene, now=self._clock(), size=(width, height), clean=self._clean)
        return rendered(picture, width=width, color=self._streams.color).splitlines()[:height]

    def _last_frame(self) -> str:
        """What stays on the terminal: the screen as it was, and in place of the countdown how it ended."""
        if self._scene.ended is None:
            self._scene = replace(self._scene, ended="ended")
        return "".join(f"{line}\n" for line in self._lines(spare=1))  # the prompt takes one

    def _clean(self, text: str) -> str:
        return self._streams.cell(self._streams.redact(self._streams.typed(text)))
