"""omnidb as a process over a topology in a folder of its own; and such a topology of real SQLite files."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

PATIENCE_S = 30.0
"""How long something that must happen is waited for; it bounds a failing test and times nothing."""

NAMES = ("primary", "replica", "archive")

TOPOLOGY = """\
name: shop
connections:
  primary: {url: "sqlite:///primary.db"}
  replica: {url: "sqlite:///replica.db"}
  archive: {url: "sqlite:///archive.db"}
failover: FAILOVER
health_check: {interval: 30s, timeout: 20s}
circuit_breaker: BREAKER
"""


def until(happened: Callable[[], Any], what: str) -> Any:
    """What `happened` returns once it is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := happened()):
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.01)
    return answer


class CommandLine:
    """omnidb as a process, with a topology, a saved state and a home of its own below `folder`."""

    limit_s = 2 * PATIENCE_S
    """How long a command that is run may take: one that hangs fails, and so does one that leaves a process behind."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.config = folder / f"{name}.yaml"
        self.state = folder / "state" / "omnidb" / f"{name}.db"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "OMNIDB_CONFIG": str(self.config),
            "PYTHONWARNINGS": "error",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
        }
        self._running: list[subprocess.Popen[str]] = []

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "omnidb_cli", *arguments]

    def start(self, *arguments: str, env: Mapping[str, str] = {}, **streams: Any) -> "subprocess.Popen[str]":
        """The command as a running process; it is killed at the end if it has not ended."""
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env={**self.env, **env}, text=True, **{**pipes, **streams}
        )
        self._running.append(process)
        return process

    def run(
        self, *arguments: str, env: Mapping[str, str] = {}, stdin: str | None = None, **streams: Any
    ) -> "subprocess.CompletedProcess[str]":
        """The command, ended."""
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.env, **env},
            text=True,
            timeout=self.limit_s,
            **{**pipes, **given, **streams},
        )

    def code(self, *arguments: str) -> int:
        """How the command ends."""
        return self.run(*arguments).returncode

    def object(self, *arguments: str) -> dict[str, Any]:
        """What the command prints as JSON."""
        ended = self.run(*arguments, "-o", "json")
        assert ended.stdout, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def circuit(self, name: str) -> dict[str, Any]:
        """The circuit of a connection, as it is saved."""
        circuits = {one["name"]: one["circuit"] for one in self.object("circuit", "list")["circuits"]}
        found: dict[str, Any] = circuits[name]
        return found

    def connection(self, name: str, *look: str) -> dict[str, Any]:
        """A connection of the status; `look` may be `--last`."""
        found = {one["name"]: one for one in self.object("status", *look)["connections"]}
        one: dict[str, Any] = found[name]
        return one

    def events(self, *which: str) -> list[str]:
        """The history as `type name`, oldest first."""
        return [f"{one['type']} {one['name']}" for one in self.object("events", *which)["events"]]

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            for stream in (process.stdout, process.stderr, process.stdin):
                if stream is not None:
                    stream.close()
            process.wait()


class Shop(CommandLine):
    """A folder with a topology, its databases and its saved state."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "shop")
        self.write()
        for name in NAMES:
            self.create(name)

    def write(
        self,
        *,
        failover: str = "{primary: [replica, archive]}",
        breaker: str = "{threshold: 3, reset_timeout: 30s}",
        text: str = TOPOLOGY,
    ) -> None:
        """Writes the topology."""
        self.config.write_text(text.replace("FAILOVER", failover).replace("BREAKER", breaker))

    def database(self, name: str) -> Path:
        return self.folder / f"{name}.db"

    def create(self, name: str) -> None:
        with sqlite3.connect(self.database(name)) as db:
            db.execute("CREATE TABLE who (name TEXT)")
            db.execute("INSERT INTO who VALUES (?)", (name,))
        db.close()

    def take_away(self, *names: str) -> None:
        for name in names or NAMES:
            self.database(name).rename(self.folder / f"{name}.away")

    def bring_back(self, *names: str) -> None:
        for name in names or NAMES:
            (self.folder / f"{name}.away").rename(self.database(name))


def lines(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """The JSON objects that a process writes, a line each, as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)
