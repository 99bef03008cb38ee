"""Many real processes on one state file at once, and some that are killed in the middle."""

import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.events.model import EventType
from omnidb_cli.state.sqlite.access import FileAccess
from omnidb_cli.state.sqlite.store import open_store

WORKER = Path(__file__).with_name("worker.py")


def start(deed: str, path: Path, **pipes: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), deed, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **pipes,
    )


def finish(process: subprocess.Popen[str], *, ended_by: int = 0) -> str:
    out, err = process.communicate(timeout=300)
    assert (err, process.returncode) == ("", -ended_by)
    return out


def failures(path: Path) -> int:
    rows = open_store(f"sqlite:///{path}", "shop").load()
    return rows["primary"].memory.circuit.failures if rows else 0


def assert_sound(path: Path) -> None:
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_forty_processes_lose_nothing(path: Path) -> None:
    for process in [start("mix", path) for _ in range(40)]:
        assert finish(process) == "done\n"
    store = open_store(f"sqlite:///{path}", "shop")
    assert failures(path) == 40 * 20
    assert len({one.event.note for one in store.events(types=["error"])}) == 40 * 20
    told = [one.event for one in store.events(names=["replica"])]
    turns = [event for event in told if event.type is not EventType.HOLD_CHANGED]
    assert len(told) > 40
    assert turns[0].previous == "closed"
    for earlier, later in pairwise(turns):
        assert later.previous == earlier.current != later.current  # each saw what the one before had made of it
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert_sound(path)


def test_concurrent_failing_calls_trip_once_with_one_event(path: Path) -> None:
    callers = [start("fail_once", path, stdin=subprocess.PIPE) for _ in range(8)]
    for caller in callers:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "ready\n"
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("now\n")
        caller.stdin.flush()
    for caller in callers:
        finish(caller)
    store = open_store(f"sqlite:///{path}", "shop")
    circuit = store.load()["primary"].memory.circuit
    assert (circuit.state, circuit.failures, circuit.generation) == (CircuitState.OPEN, 5, 1)
    assert [one.event.type.value for one in store.events()] == ["circuit:open"]


def test_what_was_saved_survives_kill_9(path: Path) -> None:
    saved = 0
    for _ in range(4):
        victims = [start("until_killed", path) for _ in range(4)]
        for victim in victims:
            assert victim.stdout is not None
            for _ in range(25):
                victim.stdout.readline()
        for victim in victims:
            victim.send_signal(signal.SIGKILL)
        for victim in victims:
            assert victim.stdout is not None
            saved += 25 + len(victim.stdout.read().split())
            assert finish(victim, ended_by=signal.SIGKILL) == ""
        assert saved <= failures(path) <= saved + 16  # each may have saved one more than it could say
        saved = failures(path)
    assert_sound(path)


def test_writers_follow_a_file_that_is_moved_aside_under_them(path: Path) -> None:
    writers = [start("two_hundred", path) for _ in range(4)]
    asides: list[Path] = []
    while any(writer.poll() is None for writer in writers):
        if path.exists() and len(asides) < 40:
            asides.append(Path(FileAccess(str(path)).move_aside("then")))
    for writer in writers:
        assert finish(writer) == "done\n"
    assert len(asides) > 1
    assert sum(failures(one) for one in [path, *asides]) == 4 * 200
    for one in [path, *asides]:
        assert_sound(one)


def test_resets_and_writers_at_once_lose_nothing(path: Path) -> None:
    writers = [start("two_hundred", path) for _ in range(4)]
    store = open_store(f"sqlite:///{path}", "shop")
    asides: list[Path] = []
    while any(writer.poll() is None for writer in writers):
        if len(asides) < 40 and (aside := store.reset()) is not None:
            asides.append(Path(aside))
    for writer in writers:
        assert finish(writer) == "done\n"
    assert len(asides) > 1
    assert sum(failures(one) for one in [path, *asides]) == 4 * 200
    store.close()
    assert_sound(path)
