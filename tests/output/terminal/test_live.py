"""The live screen: entered, drawn, left."""

import re
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal.live import LiveScreen
from tests.output.scenes import NOW, Screen, events, shop, streams

ENTER, SHOW_CURSOR, LEAVE = "\x1b[?1049h", "\x1b[?25h", "\x1b[?1049l"


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def lines(to: Streams) -> list[str]:
    """The lines of what was drawn last, without escape sequences."""
    last = to.out.getvalue().rpartition("\x1b[H")[2].partition(SHOW_CURSOR)[0]
    return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in last.split("\n")]


def test_the_terminal_is_as_before_afterwards() -> None:
    terminal = streams(terminal=True, width=80, no_color=True)
    with pytest.raises(RuntimeError), LiveScreen(terminal, clock=Clock()):
        raise RuntimeError
    drawn = terminal.out.getvalue()
    assert drawn.startswith(ENTER)
    left = drawn.rpartition(SHOW_CURSOR + LEAVE)[2]
    assert left == "07:30:00 UTC · ended\n"


def test_the_countdown_and_the_ages_go_on_by_ticks() -> None:
    terminal, clock = streams(terminal=True, width=120), Clock()
    with LiveScreen(terminal, clock=clock) as screen:
        assert "checking every connection" in lines(terminal)[0]
        screen.show(shop(), events(), NOW + timedelta(seconds=5))
        assert "next check in 5s" in lines(terminal)[-1]
        clock.now = NOW + timedelta(seconds=3)
        screen.tick()
        assert "next check in 2s" in lines(terminal)[-1]
        assert any("3.2s ago" in line for line in lines(terminal))
        clock.now = NOW + timedelta(seconds=5)
        screen.tick()
        assert "checking now" in lines(terminal)[-1]


def test_the_last_good_frame_stays_when_something_fails() -> None:
    terminal, clock = streams(terminal=True, width=120), Clock()
    with LiveScreen(terminal, clock=clock) as screen:
        screen.show(shop(), events(), NOW)
        clock.now = NOW + timedelta(seconds=12)
        screen.show(None, events(), None, stale="the check failed")
        assert "✗ stale, updated 12s ago: the check failed" in lines(terminal)[0]
        assert any(line.startswith("primary") for line in lines(terminal))


def test_a_resized_terminal_is_drawn_at_its_new_size(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = streams(terminal=True)
    sizes = iter([(80, 24), (60, 10), (60, 10)])
    with LiveScreen(terminal, clock=Clock()) as screen:
        monkeypatch.setattr(Streams, "_terminal_size", lambda _: next(sizes))
        screen.show(shop(), events())
        wide = lines(terminal)
        screen.tick()
        narrow = lines(terminal)
    assert max(map(len, wide)) > 60 >= max(map(len, narrow))
    assert len(narrow) <= 10 < len(wide)


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (20, 5)])
def test_a_screen_of_next_to_nothing_is_no_failure(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "_terminal_size", lambda _: size)
    terminal = streams(terminal=True)
    with LiveScreen(terminal, clock=Clock()) as screen:
        screen.show(shop(), events(), stale="x")
    assert len(lines(terminal)) <= size[1]


@pytest.mark.parametrize("end", [None, KeyboardInterrupt])
def test_the_last_frame_stays_with_how_it_ended(end: type[BaseException] | None) -> None:
    terminal = streams(terminal=True, width=100, no_color=True)
    screen = LiveScreen(terminal, clock=Clock())
    with suppress(KeyboardInterrupt), screen:
        screen.show(shop(), events(), NOW + timedelta(seconds=5))
        if end is not None:
            raise end
        screen.ended("until primary=unhealthy: met after 12s")
    left = terminal.out.getvalue().rpartition(LEAVE)[2].splitlines()
    assert left[0].startswith("shop · 7 connections")
    assert any(line.startswith("primary  ") for line in left)
    assert left[-1] == f"07:30:00 UTC · {'ended' if end else 'until primary=unhealthy: met after 12s'}"


def test_secrets_and_escapes_stay_off_the_screen() -> None:
    terminal = streams(terminal=True, width=120, no_color=True, redact=lambda text: text.replace("refused", "***"))
    with LiveScreen(terminal, clock=Clock()) as screen:
        screen.show(shop(), events(), stale="\x1b]0;owned\x07")
    assert "refused" not in terminal.out.getvalue()
    assert "\x1b]" not in terminal.out.getvalue()
    assert "\\x1b]0;owned\\x07" in terminal.out.getvalue()


class ClosedScreen(Screen):
    closed_now = False

    def write(self, text: str) -> int:
        if self.closed_now:
            raise BrokenPipeError
        return super().write(text)


def test_a_terminal_that_went_away_raises_once() -> None:
    out = ClosedScreen()
    screen = LiveScreen(Streams(out, Screen(), env={}), clock=Clock())
    screen.__enter__()
    out.closed_now = True
    with pytest.raises(BrokenPipeError) as gone:
        screen.tick()
    screen.__exit__(BrokenPipeError, gone.value, None)
