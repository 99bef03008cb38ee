"""What scenarios across processes need besides `Shop`: the saved row as it lies in the file, and real time.

Whether something may be checked "before the end" of a hold or a wait depends on how fast this machine is. So the
tests here ask the saved row, which no clock changes, and let ends pass for certain (`outlast`); they never race one.
"""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.scenarios.shop import PATIENCE_S, Shop, lines, until

WHO = "SELECT name FROM who"
TORN = "SELECT * FROM torn"
"""A statement that fails, and counts as a failure, while every check passes (see `Ground.tear`)."""

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
PAIR = "{primary: replica}"
FRESH = {"state": "closed", "successes": 0, "failures": 0, "held": False, "reason": None, "actor": None, "origin": None}
_MARGIN_S = 0.1

Line = dict[str, Any]


class Ground(Shop):
    """A shop whose saved rows can be read, and aged, without a command."""

    def row(self, name: str) -> dict[str, Any]:
        """The saved row of a connection; of its circuit what is usual, too."""
        found = None
        if self.state.exists():
            with closing(sqlite3.connect(self.state, timeout=PATIENCE_S)) as db:
                found = db.execute("SELECT record FROM connections WHERE name = ?", (name,)).fetchone()
        row: dict[str, Any] = {"health": {}, "circuit": {}} if found is None else json.loads(found[0])
        return {**row, "circuit": {**FRESH, **row["circuit"]}}

    def saved(self, name: str) -> dict[str, Any]:
        """The saved circuit of a connection."""
        circuit: dict[str, Any] = self.row(name)["circuit"]
        return circuit

    def rewrite(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Changes the saved row by hand: what took long, or happened elsewhere, stands in it at once."""
        with closing(sqlite3.connect(self.state)) as db, db:
            (text,) = db.execute("SELECT record FROM connections WHERE name = ?", (name,)).fetchone()
            row = json.loads(text)
            change(row)
            db.execute("UPDATE connections SET record = ? WHERE name = ?", (json.dumps(row), name))

    def outlast(self, name: str) -> None:
        """Lets the hold, or the wait, of a connection run out."""
        circuit = self.saved(name)
        if circuit["state"] == "open":
            end = circuit["held_until"] if circuit["held"] else circuit["opened_at"] + circuit["wait_s"]
            time.sleep(max(end - time.time(), 0) + _MARGIN_S)

    def told(self, name: str = "primary") -> list[str]:
        """The history of a connection, in order: `type`, and of a circuit why, of health what it is now."""
        events = self.object("events", "--name", name)["events"]
        return [_told(event) for event in events if "connected" not in event["type"]]

    def circuits(self, name: str = "primary") -> list[str]:
        """What of that history concerns the circuit and the route."""
        return [one for one in self.told(name) if not one.startswith("health:")]

    def tear(self, *names: str) -> None:
        """Gives databases a table that no statement can read: calls to it fail, and checks notice nothing."""
        for name in names:
            with closing(sqlite3.connect(self.database(name))) as db, db:
                db.execute("CREATE TABLE torn (a)")
                db.execute("INSERT INTO torn VALUES (1)")
                ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'torn'").fetchall()
                ((size,),) = db.execute("PRAGMA page_size").fetchall()
            with self.database(name).open("r+b") as file:
                file.seek((page - 1) * size)
                file.write(b"\xff" * size)

    def fails(self, times: int = 1) -> None:
        """Lets calls to the torn table of primary itself fail."""
        assert [self.code("exec", "primary", TORN, "--no-failover") for _ in range(times)] == [21] * times

    def served(self, *options: str) -> str:
        """Who serves `exec primary`; the row says it, and so does the result."""
        answer = self.object("exec", "primary", WHO, *options)
        assert answer["rows"] == [[answer["served_by"]]]
        found: str = answer["served_by"]
        return found

    def statuses(self, times: int, name: str = "primary") -> list[tuple[str, str | None]]:
        """The circuit's state and who serves, by so many `status` one after the other."""
        found = [self.connection(name) for _ in range(times)]
        return [(one["circuit"]["state"], one["route"]["serving"]) for one in found]

    def watching(self, *options: str) -> "Watch":
        """A watch that runs, with its first line read; it ends by itself should a test wait in vain."""
        interval = () if "--interval" in options else ("--interval", "50ms")
        bound = ("--until", "primary=degraded", "--timeout", f"{PATIENCE_S}s")
        return Watch(self, self.start("watch", *interval, *bound, *options))

    def at_once(self, *commands: tuple[str, ...]) -> list[int]:
        """Starts the commands at one time; how each ends."""
        running = [self.start(*command) for command in commands]
        for process in running:
            process.communicate(timeout=2 * PATIENCE_S)
        return [process.returncode for process in running]


class Watch:
    """A watch whose every line is kept."""

    def __init__(self, ground: Ground, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.seen: list[Line] = []
        self._ground = ground
        self._lines = lines(process)
        self.read(1)

    def read(self, count: int) -> None:
        """Reads so many lines more."""
        for _ in range(count):
            self.seen.append(next(self._lines))

    def until(self, holds: Callable[[Line], bool], name: str = "primary") -> Line:
        """Reads on to the first line in which it holds of a connection."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds(one(self.seen[-1], name)):
            line = next(self._lines, None)
            assert line is not None, self.path(name)
            assert time.monotonic() < deadline, self.path(name)
            self.seen.append(line)
        return self.seen[-1]

    def path(self, name: str = "primary") -> list[tuple[str, int, str | None]]:
        """Every standing of a connection in all that was shown: circuit, successes, who serves; repeats dropped."""
        shown = (one(line, name) for line in self.seen)
        standings = ((it["circuit"]["state"], it["circuit"]["successes"], it["route"]["serving"]) for it in shown)
        return [standing for standing, _ in groupby(standings)]

    def end(self) -> None:
        """Ends it; its last line agrees with what is saved."""
        self.process.terminate()
        self.seen += self._lines
        assert self.process.wait(timeout=PATIENCE_S) == 143
        for shown in self.seen[-1]["connections"]:
            row = self._ground.row(shown["name"])
            circuit = row["circuit"]
            assert (shown["circuit"]["state"], shown["circuit"]["successes"]) == (
                circuit["state"],
                circuit["successes"],
            )
            assert shown["circuit"]["failures"] == circuit["failures"]
            assert shown["health"] == row["health"].get("health", "unknown")
            assert not row["serving_known"] or shown["route"]["serving"] == row["serving"]


def one(line: Line, name: str) -> dict[str, Any]:
    """A connection of a status."""
    found: dict[str, Any] = next(one for one in line["connections"] if one["name"] == name)
    return found


def has_open(process: "subprocess.Popen[str]", file: Path) -> bool:
    """Whether the process has the file open: whatever it had to read before that, it has read."""
    for number in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            if str(number.readlink()) == str(file):
                return True
    return False


@contextmanager
def locked(file: Path, how: str = "EXCLUSIVE") -> Iterator[None]:
    """A SQLite file that somebody else has locked."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE_S)) as db:
        db.execute(f"BEGIN {how}")
        yield
        db.execute("ROLLBACK")


def waits_for(process: "subprocess.Popen[str]", file: Path) -> None:
    """Returns once the process has the file open."""
    until(lambda: has_open(process, file), f"it opens {file.name}")


def stopped(process: "subprocess.Popen[str]") -> bool:
    """Whether the process is stopped by a signal."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def in_order(some: Iterable[object], everything: Iterable[object]) -> bool:
    """Whether `some` come in `everything` in the order that they have."""
    rest = iter(everything)
    return all(one in rest for one in some)


def _told(event: dict[str, Any]) -> str:
    match event["type"]:
        case "health:changed":
            return f"health:{event['detail']['current']}"
        case "circuit:open" | "circuit:half-open" | "circuit:close":
            return f"{event['type']} {event['reason']}"
        case kind:
            return str(kind)


HOST = """\
import os, pathlib, time
real = time.time
def shifted():
    return real() + float(pathlib.Path({path!r}).read_text())
time.time = shifted
if "ACROSS_HOST" in os.environ:
    here = os.uname()
    os.uname = lambda: os.uname_result((here[0], os.environ["ACROSS_HOST"], *here[2:]))
"""


class Host:
    """The wall clock, and the name, of the host on which every process of a shop starts from now on."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self._offset = folder / "offset"
        self.jump(0.0)
        (folder / "sitecustomize.py").write_text(HOST.format(path=str(self._offset)))
        ground.env["PYTHONPATH"] = str(folder)

    def jump(self, seconds: float) -> None:
        """Sets the wall clock so far off the true one; monotonic clocks go on as they are."""
        new = self._offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self._offset)

    @staticmethod
    def called(name: str) -> dict[str, str]:
        """The environment of a command on a host of that name: its person is another one."""
        return {"ACROSS_HOST": name}
