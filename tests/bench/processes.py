"""Whole commands, from the start of the process to its end, against an interpreter that does nothing."""

import os
import sys
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, CompletedProcess, run
from time import perf_counter

from tests.bench.row import Row, at_most, failed
from tests.bench.scale import Scale
from tests.bench.timing import alternate, ratio
from tests.bench.topologies import sqlite_fleet

_BARE = "python -c pass"


def rows(scale: Scale, folder: Path) -> list[Row]:
    """The rows of this section; a command that fails is named in its row."""
    topology = str(sqlite_fleet(folder / "two", 2))
    goals = {
        "omnidb --version": (7, ["--version"]),
        "omnidb --help": (8, ["--help"]),
        "omnidb status, two SQLite files": (12, ["-c", topology, "status"]),
        "omnidb exec, two SQLite files": (12, ["-c", topology, "exec", "db-0", "SELECT 1"]),
        "omnidb circuit list, two SQLite files": (9, ["-c", topology, "circuit", "list"]),
    }
    commands = {_BARE: [sys.executable, "-c", "pass"]} | {what: [*omnidb(), *rest] for what, (_, rest) in goals.items()}
    faults = {what: fault for what, command in commands.items() if (fault := fault_of(start(command, folder)))}
    sound = {what: command for what, command in commands.items() if what not in faults}
    runs = {what: partial(start, command, folder) for what, command in sound.items()}
    seconds = alternate(runs, scale.starts, clock=perf_counter)
    bare_ms = median(seconds[_BARE]) * 1000
    note = f" `{_BARE}` ({bare_ms:.0f} ms)"
    return [
        failed(what, f"≤ {limit} ×", faults[what])
        if what in faults
        else at_most(what, ratio(seconds, what, _BARE), limit, unit=" ×", note=note)
        for what, (limit, _) in goals.items()
    ]


def omnidb() -> list[str]:
    """How the command is started: the script of this environment, or the module where there is no script."""
    script = Path(sys.executable).with_name("omnidb")
    return [str(script)] if script.exists() else [sys.executable, "-m", "omnidb_cli"]


def surroundings(folder: Path) -> dict[str, str]:
    """An environment in which nothing of the user's is read or changed."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def start(command: list[str], folder: Path) -> CompletedProcess[bytes]:
    """Runs the command to its end."""
    return run(command, stdin=DEVNULL, capture_output=True, cwd=folder, env=surroundings(folder), check=False)


def fault_of(done: CompletedProcess[bytes]) -> str | None:
    """What went wrong, in one line; None for a command that did its work."""
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return f"exit {done.returncode}" + (f": {said[-1]}" if said else "")
