"""A host that has no descriptor left for its databases: that says nothing about them (semantics, Health 9)."""

import json
import subprocess
import sys
from typing import Any

from tests.scenarios import without_descriptors
from tests.scenarios.server_fleet import Answer, Fleet, searched
from tests.scenarios.shop import NAMES, CommandLine, Shop


def run(line: CommandLine, *arguments: str, files: str = "", form: str = "json") -> "subprocess.CompletedProcess[str]":
    """The command on a host without descriptors, ended."""
    return searched(
        subprocess.run(
            [sys.executable, without_descriptors.__file__, *arguments, "-o", form],
            cwd=line.folder,
            env={**line.env, "WITHOUT_DESCRIPTORS": files},
            capture_output=True,
            text=True,
            timeout=line.limit_s,
        )
    )


def status(line: CommandLine, *, files: str = "") -> tuple[int, dict[str, Any]]:
    """The exit code, and the connections by name."""
    ended = run(line, "status", files=files)
    assert ended.stdout, ended.stderr
    return ended.returncode, {one["name"]: one for one in json.loads(ended.stdout)["connections"]}


def assert_not_checked(found: dict[str, Any], health: str) -> None:
    for one in found.values():
        assert (one["health"], one["error"]["kind"], one["circuit"]["state"]) == (health, "local", "closed"), one
        assert "ulimit -n" in one["error"]["message"]


def assert_not_connected(answer: Answer) -> None:
    assert (answer.code, answer.kind, answer.connection) == (21, "local", "primary")
    assert '"primary"' in answer.message
    assert "ulimit -n" in answer.message
    assert "replica" not in answer.message  # no other candidate would do better


def test_servers_stay_what_they_were(fleet: Fleet) -> None:
    code, found = status(fleet)
    assert code == 12
    assert_not_checked(found, "unknown")
    checked_at = {name: one["checked_at"] for name, one in fleet.check().connections.items()}
    code, found = status(fleet)
    assert code == 12
    assert_not_checked(found, "healthy")
    assert {name: one["checked_at"] for name, one in found.items()} == checked_at
    for _ in range(4):  # more often than the circuit's threshold
        assert_not_connected(Answer(run(fleet, "exec", "primary", fleet.pair.read)))
    assert fleet.circuit("primary")["failures"] == 0
    assert {event.split()[0] for event in fleet.events()} == {"health:changed"}
    answer = fleet.exec(fleet.pair.read)
    assert (answer.code, answer.served_by, fleet.check().code) == (0, "primary", 0)


def test_files_stay_what_they_were(shop: Shop) -> None:
    file = ",".join(f"{name}.db" for name in NAMES)  # all of them: one that may be opened would raise the limit again
    shop.run("status")
    code, found = status(shop, files=file)
    assert code == 12
    assert_not_checked(found, "healthy")
    for _ in range(4):
        assert_not_connected(Answer(run(shop, "exec", "primary", "SELECT name FROM who", files=file)))
    assert (shop.circuit("primary")["failures"], shop.circuit("primary")["state"]) == (0, "closed")
    assert {event.split()[0] for event in shop.events()} == {"health:changed"}
    assert shop.code("status") == 0


def test_words_say_why_it_was_not_checked_and_a_route_is_not_vouched_for(shop: Shop) -> None:
    shop.run("status")
    said = run(shop, "status", "archive", files="archive.db", form="table").stdout
    assert "archive could not be checked from this host: " in said
    ended = run(shop, "route", "archive", files="archive.db", form="table")
    assert ended.returncode == 12
    assert "ulimit -n" in ended.stderr
