"""A topology over real servers, and omnidb as a process over it. How servers break: server_pairs.py."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.scenarios.server_pairs import MARK, ServerPair
from tests.scenarios.shop import CommandLine

TOPOLOGY = """\
name: fleet
connections:
CONNECTIONS
failover: FAILOVER
health_check: {interval: 30s, timeout: TIMEOUT}
circuit_breaker: BREAKER
"""


class Fleet(CommandLine):
    """`primary` and its backup `replica` of one pair; of several, `postgresql-primary` and so on.

    No command may show a password: what one prints is searched as it ends, the saved state when the test ends.
    """

    limit_s = 20.0
    """With checks of a second: whatever takes longer hangs."""

    def __init__(self, folder: Path, *pairs: ServerPair) -> None:
        super().__init__(folder, "fleet")
        self.pair = pairs[0]
        self.pairs = pairs
        self.write()

    def write(
        self,
        *,
        urls: Mapping[str, str] = {},
        keys: Mapping[str, str] = {},
        more: Mapping[str, str] = {},
        failover: str | None = None,
        breaker: str = "{threshold: 3, reset_timeout: 30s}",
        timeout: str = "1s",
    ) -> None:
        """Writes the topology.

        `urls` instead of the servers' own; the `keys` of a connection in place of its role (`role: replica, max_lag:
        1s`); URLs of `more` connections, each with `replica` as its backup and without a role.
        """
        own = {name: url for pair in self.pairs for name, url in self._urls(pair)}
        keys = {name: f"role: {name.rpartition('-')[2]}" for name in own} | dict(keys)
        backups = {name: name.replace("primary", "replica") for name in own if "primary" in name}
        rules = ", ".join(f"{name}: {backup}" for name, backup in {**backups, **dict.fromkeys(more, "replica")}.items())
        connections = "\n".join(
            f'  {name}: {{url: "{url}"{_also(keys.get(name))}}}' for name, url in {**own, **more, **urls}.items()
        )
        text = TOPOLOGY.replace("TIMEOUT", timeout).replace("BREAKER", breaker)
        self.config.write_text(text.replace("CONNECTIONS", connections).replace("FAILOVER", failover or f"{{{rules}}}"))

    def _urls(self, pair: ServerPair) -> list[tuple[str, str]]:
        before = f"{pair.engine}-" if len(self.pairs) > 1 else ""
        return [(f"{before}primary", pair.url(pair.primary)), (f"{before}replica", pair.url(pair.replica))]

    def run(
        self, *arguments: str, env: Mapping[str, str] = {}, stdin: str | None = None, **streams: Any
    ) -> "subprocess.CompletedProcess[str]":
        """The command, ended, in time, and without a secret said."""
        return searched(super().run(*arguments, env=env, stdin=stdin, **streams))

    def check(self, *names: str) -> "Check":
        """What `status` finds."""
        return Check(self.run("status", *names, "-o", "json"))

    def forget(self) -> None:
        """Nothing is saved, as before the first command."""
        for path in self.state.parent.glob(f"{self.state.name}*"):
            path.unlink()

    def exec(self, statement: str, *options: str, name: str = "primary") -> "Answer":
        """What became of a statement."""
        return Answer(self.run("exec", name, statement, *options, "-o", "json"))

    def ended(self, process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
        """A command that was started, when it has ended; what `run` promises holds for it too."""
        said = process.communicate(timeout=self.limit_s)
        return searched(subprocess.CompletedProcess(process.args, process.returncode, *said))

    def close(self) -> None:
        super().close()
        for path in (self.folder / "state").rglob("*"):
            assert path.is_dir() or MARK.encode() not in path.read_bytes(), f"a secret is in {path}"


class Check:
    """What `status -o json` came to: its code, and its connections by name."""

    def __init__(self, ended: "subprocess.CompletedProcess[str]") -> None:
        assert ended.stdout, ended.stderr
        self.code = ended.returncode
        self.connections: dict[str, dict[str, Any]] = {
            one["name"]: one for one in json.loads(ended.stdout)["connections"]
        }

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.connections[name]


class Answer:
    """What `exec -o json` came to: a result on stdout and 0, or one error on stderr and its code; never both."""

    def __init__(self, ended: "subprocess.CompletedProcess[str]") -> None:
        self.code = ended.returncode
        said = [json.loads(line) for line in ended.stderr.splitlines()]
        self.receipt: dict[str, Any] = next((one["receipt"] for one in said if "receipt" in one), {})
        self.result: dict[str, Any] = json.loads(ended.stdout) if ended.stdout else {}
        errors = [one["error"] for one in said if "error" in one]
        self.error: dict[str, Any] = errors[0] if errors else {}
        assert [one["code"] for one in errors] == ([self.code] if self.code else []), ended.stderr
        assert bool(self.result) is bool(self.receipt) is (self.code == 0), f"{ended.stdout}{ended.stderr}"

    @property
    def served_by(self) -> str | None:
        return self.result.get("served_by")

    @property
    def rows(self) -> list[list[object]]:
        found: list[list[object]] = self.result.get("rows", [])
        return found

    @property
    def kind(self) -> str | None:
        return self.error.get("kind")

    @property
    def connection(self) -> str | None:
        """Whom the error is about."""
        return self.error.get("connection")

    @property
    def message(self) -> str:
        return str(self.error.get("message", ""))


def searched(ended: "subprocess.CompletedProcess[str]") -> "subprocess.CompletedProcess[str]":
    """The same, if it has told no secret."""
    assert MARK not in f"{ended.stdout}{ended.stderr}", f"{ended.args} tells a secret: {ended.stdout}{ended.stderr}"
    return ended


def _also(keys: str | None) -> str:
    return f", {keys}" if keys else ""
