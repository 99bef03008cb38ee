"""`watch` on a terminal: one screen, drawn anew each time it is shown. Nothing runs here between two calls."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType

from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.frame import Scene, frame
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal import rendered
from omnidb_cli.output.views.events import EventObject

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LiveScreen:
    """The alternate screen while inside `with`; the terminal is as before afterwards, whatever happened.

    `show` takes what is to be seen, `tick` draws it again: for the countdown, the ages, and after a resize.
    """

    def __init__(self, streams: Streams, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._streams = streams
        self._clock = clock
        self._scene = Scene()

    def __enter__(self) -> "LiveScreen":
        self._streams.draw(_ENTER)
        self.tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, BrokenPipeError):
            self._streams.draw(_LEAVE)
            self._streams.flush()

    def show(
        self,
        snapshot: Snapshot | None,
        events: Sequence[EventObject] = (),
        next_look_at: datetime | None = None,
        stale: str | None = None,
    ) -> None:
        """Draws the snapshot and the last events (oldest first), and counts down to `next_look_at`.

        `stale` says why there is nothing newer: with it, or without a snapshot, the last good one stays, with its age.
        """
        kept = snapshot if snapshot is not None else self._scene.snapshot
        self._scene = Scene(kept, tuple(events), next_look_at, stale)
        self.tick()

    def tick(self) -> None:
        """Draws the same again, at the size that the screen has now."""
        width, height = self._streams.size
        picture = frame(self._scene, now=self._clock(), size=(width, height), clean=self._clean)
        lines = rendered(picture, width=width, color=self._streams.color).splitlines()[:height]
        self._streams.draw(_HOME + f"{_END_OF_LINE}\n".join(lines) + _END_OF_LINE + _REST_OF_SCREEN)
        self._streams.flush()

    def _clean(self, text: str) -> str:
        return self._streams.cell(self._streams.redact(self._streams.typed(text)))
