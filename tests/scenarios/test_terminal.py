"""On a real terminal: colours, widths, the live screen, and the terminal as it was afterwards."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.shop import Shop, until
from tests.scenarios.terminal import Terminal

ENTER, LEAVE, SHOW_CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


@pytest.fixture
def on_terminal(shop: Shop) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*command: str, **settings: Any) -> Terminal:
        opened.append(Terminal(shop, *command, **settings))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_table_fits_and_keeps_what_matters(on_terminal: Callable[..., Terminal], shop: Shop, columns: int) -> None:
    shop.take_away("primary")
    shop.run("circuit", "open", "archive", "--reason", "a long reason for taking it out, longer than the line is wide")
    terminal = on_terminal("status", columns=columns)
    assert terminal.ended() == 10
    told = terminal.plain()
    assert all(len(line) <= columns for line in told.splitlines())
    for word in ("primary", "✗ unhealthy", "○ open", "→ replica", "■ open, held", "does not exist", "next: omnidb"):
        assert word in " ".join(told.split())
    assert "\x1b[" in terminal.sent


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(on_terminal: Callable[..., Terminal], env: dict[str, str]) -> None:
    for command in (("status",), ("exec", "primary", "SELEC"), ("route", "primary"), ("config", "validate")):
        terminal = on_terminal(*command, env=env)
        terminal.ended()
        assert "\x1b" not in terminal.sent


def test_colour_where_it_is_forced(shop: Shop) -> None:
    ended = shop.run("status", env={"FORCE_COLOR": "1"})
    assert "\x1b[" in ended.stdout
    assert "\x1b[" not in shop.run("--no-color", "status", env={"FORCE_COLOR": "1"}).stdout


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_screen_is_left_as_it_was(on_terminal: Callable[..., Terminal], end: signal.Signals, code: int) -> None:
    terminal = on_terminal("watch", "--interval", "1h")
    terminal.until("all healthy")
    terminal.process.send_signal(end)
    assert terminal.ended() == code
    assert terminal.sent.startswith(ENTER)
    assert terminal.sent.count(SHOW_CURSOR + LEAVE) == 1
    left = last_frame(terminal)
    assert left[0].startswith("shop · 3 connections, all healthy")
    assert [line.split()[0] for line in left[4:7]] == ["primary", "replica", "archive"]
    assert left[-1].endswith(" UTC · ended")


def last_frame(terminal: Terminal) -> list[str]:
    """What stays on the terminal after the screen was left."""
    return terminal.plain(terminal.sent.rindex(LEAVE)).splitlines()


@pytest.mark.parametrize(
    ("options", "code", "how"),
    [
        (("--until", "primary=unhealthy", "--timeout", "30s"), 0, r"until primary=unhealthy: met after \S+"),
        (("--until", "healthy", "--timeout", "200ms"), 124, "timeout: condition not met within 200ms: healthy"),
        (("--until", "healthy", "--count", "2"), 124, "timeout: condition not met within 2 check rounds: healthy"),
        (("--count", "1"), 10, '1 check round done: exit code 10: failed over: "primary"'),
    ],
)
def test_the_last_frame_says_what_ended_it(
    on_terminal: Callable[..., Terminal], shop: Shop, options: tuple[str, ...], code: int, how: str
) -> None:
    shop.take_away("primary")
    terminal = on_terminal("watch", "--interval", "50ms", *options, columns=120)
    assert terminal.ended() == code
    left = last_frame(terminal)
    assert re.fullmatch(rf"\d\d:\d\d:\d\d UTC · {how}", left[-1])
    assert any(line.startswith("primary  ✗ unhealthy") for line in left)


def test_a_terminal_without_a_cursor_gets_a_line_a_change(on_terminal: Callable[..., Terminal], shop: Shop) -> None:
    terminal = on_terminal("watch", "--interval", "50ms", "--until", "failover", env={"TERM": "dumb"}, columns=120)
    terminal.until("3 connections, all healthy")
    shop.take_away("primary")
    assert terminal.ended() == 0
    told = terminal.plain()
    assert "\x1b" not in terminal.sent
    assert "{" not in told
    assert told.count("3 connections, all healthy") == 1  # however many rounds found nothing new
    changes = [line.split("  ") for line in told.splitlines() if line.startswith("20") and "  " in line]
    assert [change[1:3] for change in changes][-3:] == [
        ["primary", "health:changed"],
        ["primary", "circuit:open"],
        ["primary", "failover"],
    ]
    summary, how = told.splitlines()[-2:]
    assert re.fullmatch(r"20.* UTC: shop · 3 connections · 1 unhealthy · 1 failed over · 2 healthy", summary)
    assert how.startswith("until failover: met after ")


def test_the_screen_follows_another_process(on_terminal: Callable[..., Terminal], shop: Shop) -> None:
    terminal = on_terminal("watch", "--interval", "1h", columns=100)
    terminal.until("all healthy")
    seen = terminal.until("next check in")
    shop.run("circuit", "open", "primary", "--reason", "new disk")
    terminal.until("new disk", after=seen)
    terminal.until("■ open, held", after=seen)


def test_a_resized_terminal_is_drawn_anew(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal("watch", "--interval", "1h", columns=120)
    seen = terminal.until("next check in")
    terminal.resize(60, 10)
    terminal.process.send_signal(signal.SIGWINCH)
    home = terminal.until("\x1b[H", after=seen)
    terminal.until("\x1b[J", after=home)
    latest = terminal.plain(terminal.sent.rindex("\x1b[H"))
    assert "next check in" in latest
    assert "sqlite" not in latest
    assert all(len(line) <= 60 for line in latest.splitlines())


JOB = "import subprocess, sys; sys.exit(-subprocess.run(sys.argv[1:], process_group=0).returncode)"
"""A shell's part: what is alone in its session cannot be stopped."""


@pytest.fixture
def as_job(on_terminal: Callable[..., Terminal], shop: Shop, monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, int]:
    """A live screen as a shell starts it, and its process."""
    plain = shop.command
    monkeypatch.setattr(shop, "command", lambda *words: [sys.executable, "-c", JOB, *plain(*words)])
    terminal = on_terminal("watch", "--interval", "1h", columns=120)
    terminal.until("next check in")
    shell = terminal.process.pid
    return terminal, int(Path(f"/proc/{shell}/task/{shell}/children").read_text())


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_at_once(as_job: tuple[Terminal, int]) -> None:
    terminal, pid = as_job
    seen = len(terminal.sent)
    os.kill(pid, signal.SIGTSTP)
    seen = terminal.until(SHOW_CURSOR + LEAVE, after=seen)
    until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")
    assert terminal.sent[seen:] == ""
    os.kill(pid, signal.SIGCONT)
    seen = terminal.until(ENTER, after=seen)
    terminal.until("3 connections, all healthy", after=seen)
    os.kill(pid, signal.SIGINT)
    terminal.ended()
    assert terminal.sent.count(ENTER) == terminal.sent.count(LEAVE) == 2


def test_ctrl_backslash_gives_the_terminal_back(as_job: tuple[Terminal, int]) -> None:
    terminal, pid = as_job
    os.kill(pid, signal.SIGQUIT)
    assert terminal.ended() == signal.SIGQUIT
    assert terminal.sent.endswith(SHOW_CURSOR + LEAVE)


@pytest.mark.parametrize("size", [(60, 5), (30, 3), (10, 1), (1, 1)])
def test_a_tiny_screen_is_no_reason_to_fail(on_terminal: Callable[..., Terminal], size: tuple[int, int]) -> None:
    terminal = on_terminal("watch", "--interval", "50ms", "--count", "2", columns=size[0], lines=size[1])
    assert terminal.ended() == 0


def test_the_first_checks_are_not_waited_for(on_terminal: Callable[..., Terminal], shop: Shop) -> None:
    db = sqlite3.connect(shop.database("primary"), isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    shop.write(text=shop.config.read_text().replace("timeout: 20s", "timeout: 1h"))
    terminal = on_terminal("watch")
    terminal.until("2 healthy")
    terminal.until("? unknown")
    terminal.until("checking now")
    db.close()
    terminal.until("all healthy")


def test_raw_does_not_go_to_a_terminal(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal("exec", "primary", "SELECT 1", "--raw")
    assert terminal.ended() == 2
    assert "does not write to a terminal" in " ".join(terminal.plain().split())


@pytest.mark.parametrize("columns", [60, 120])
def test_a_text_of_several_lines_keeps_them(on_terminal: Callable[..., Terminal], columns: int) -> None:
    sql = "SELECT 'a' || char(13, 10) || char(27) || '[2Jb' || char(10) || 'c'"
    terminal = on_terminal("exec", "primary", sql, columns=columns)
    assert terminal.ended() == 0
    assert terminal.plain().startswith("a\n\\x1b[2Jb\nc\n")


def test_a_slow_check_says_what_it_waits_for(on_terminal: Callable[..., Terminal], shop: Shop) -> None:
    db = sqlite3.connect(shop.database("primary"), isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    shop.write(text=shop.config.read_text().replace("timeout: 20s", "timeout: 1h"))
    terminal = on_terminal("status", stdout=subprocess.PIPE)
    terminal.until("checking 3 connections: some do not answer yet, at most 1h")
    db.close()
    assert terminal.process.stdout is not None
    assert "all healthy" in terminal.process.stdout.read()
    assert terminal.ended() == 0
    assert terminal.sent.endswith("\r\x1b[K")
