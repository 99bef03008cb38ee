"""SIGINT, SIGTERM and SIGHUP end every command, with 130, 143 and 129, wherever it waits."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import pytest

from tests.scenarios.shop import Shop, lines, until

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
ENDS = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))


@pytest.fixture(params=ENDS, ids=["SIGINT", "SIGTERM", "SIGHUP"])
def end(request: pytest.FixtureRequest) -> tuple[signal.Signals, int]:
    asked: tuple[signal.Signals, int] = request.param
    return asked


def ends_quietly(process: "subprocess.Popen[str]", end: tuple[signal.Signals, int], *may_say: str) -> None:
    process.send_signal(end[0])
    _, said = process.communicate(timeout=30)
    assert process.returncode == end[1]
    assert said in ("", *may_say)


def has_open(process: "subprocess.Popen[str]", file: Path) -> bool:
    """Whether the process has the file open: the next thing that it does is wait for it, or work in it."""
    for number in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            if str(number.readlink()).startswith(str(file)):
                return True
    return False


def waiting_in(pipe: "int | IO[str]") -> int:
    """How many bytes wait in the pipe to be read."""
    answer = fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)


@pytest.fixture
def locked_state(shop: Shop) -> Iterator[Path]:
    shop.run("circuit", "close", "primary")
    with closing(sqlite3.connect(shop.state, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        yield shop.state


def test_while_an_event_is_waited_for(shop: Shop, end: tuple[signal.Signals, int]) -> None:
    shop.run("circuit", "open", "primary")
    process = shop.start("events", "--follow", "-o", "json")
    assert next(lines(process))["type"] == "circuit:open"
    ends_quietly(process, end)


def test_while_the_store_is_locked(shop: Shop, locked_state: Path, end: tuple[signal.Signals, int]) -> None:
    process = shop.start("circuit", "open", "primary")
    until(lambda: has_open(process, locked_state), "it comes to the lock")
    ends_quietly(process, end)


def test_while_a_statement_runs(shop: Shop, end: tuple[signal.Signals, int]) -> None:
    process = shop.start("exec", "primary", FOREVER)
    until(lambda: has_open(process, shop.database("primary")), "the statement runs, or is about to")
    said = "warning: interrupted while the statement ran; it was told to stop, and its outcome is unknown\n"
    ends_quietly(process, end, said)


def test_while_a_statement_is_waited_for(shop: Shop, end: tuple[signal.Signals, int]) -> None:
    reading, writing = os.pipe()
    process = shop.start("exec", "primary", "-", stdin=reading)
    os.write(writing, b"SELECT ")
    until(lambda: waiting_in(reading) == 0, "it reads")
    ends_quietly(process, end)
    os.close(reading)
    os.close(writing)


def test_while_it_watches(shop: Shop, end: tuple[signal.Signals, int]) -> None:
    process = shop.start("watch", "--interval", "1h")
    next(lines(process))
    ends_quietly(process, end)
    assert sorted(shop.events()) == [f"health:changed {name}" for name in ("archive", "primary", "replica")]


def test_while_nobody_reads_what_it_writes(shop: Shop, end: tuple[signal.Signals, int]) -> None:
    """A full pipe holds up the main thread inside a system call."""
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    process = shop.start("exec", "primary", many, "-o", "jsonl")
    assert process.stdout is not None
    pipe = process.stdout
    until(lambda: _is_full(pipe), "the pipe is full")
    process.send_signal(end[0])
    assert process.wait(timeout=30) == end[1]


def _is_full(pipe: IO[str]) -> bool:
    """Whether a writer that never ends writes no more: how much a pipe takes depends on the sizes of the writes."""
    before = waiting_in(pipe)
    time.sleep(0.3)
    return 0 < before == waiting_in(pipe)


HANGING = """
import os, sys, time
real = os.lstat
def lstat(path, **more):
    if str(path).endswith("primary.db"):
        open("hangs", "w").close()
        time.sleep(3600)
    return real(path, **more)
os.lstat = lstat
from omnidb_cli.__main__ import main
main()
"""
"""omnidb, and a file system that never answers for one file: the real thing cannot be had without a mount."""


@pytest.mark.parametrize("command", [("status",), ("watch",), ("exec", "primary", "SELECT 1")], ids=lambda c: c[0])
def test_while_a_thread_hangs_in_a_dead_file_system(
    shop: Shop, end: tuple[signal.Signals, int], command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write(text=shop.config.read_text().replace("timeout: 20s", "timeout: 1h"))
    monkeypatch.setattr(shop, "command", lambda *arguments: [sys.executable, "-c", HANGING, *arguments])
    process = shop.start(*command)
    until((shop.folder / "hangs").exists, "a thread hangs")
    ends_quietly(process, end)


STARTING = """
import importlib.abc, os, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), NUMBER)
sys.meta_path.insert(0, Finder())
from omnidb_cli.__main__ import main
main()
"""
"""omnidb, and a signal in the middle of its imports."""


def test_while_it_starts(shop: Shop, end: tuple[signal.Signals, int], monkeypatch: pytest.MonkeyPatch) -> None:
    code = STARTING.replace("NUMBER", str(int(end[0])))
    monkeypatch.setattr(shop, "command", lambda *arguments: [sys.executable, "-c", code, *arguments])
    ended = shop.run("status")
    assert (ended.returncode, ended.stdout, ended.stderr) == (end[1], "", "")


def test_a_hangup_that_is_ignored_from_the_start_stays_ignored(shop: Shop) -> None:
    process = shop.start("watch", "--interval", "1h", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    next(lines(process))
    process.send_signal(signal.SIGHUP)
    shop.run("circuit", "open", "archive", "--force")
    assert any(line["summary"]["held"] for line in lines(process)), "it goes on watching"
    ends_quietly(process, ENDS[1])
