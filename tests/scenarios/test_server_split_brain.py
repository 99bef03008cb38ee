"""A primary and its replica that both take writes, on real servers (semantics, Failover 8)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.scenarios.server_fleet import Fleet

POSITIONS: Mapping[str, tuple[str, str]] = {
    "postgresql": ("timeline 1, LSN ", "timeline 2, LSN "),
    "mysql": ("GTID ", "GTID "),
    "redis": ("replication id ", "replication id "),
}
"""How the positions of the primary and of its promoted replica begin."""

ALLOWED = "{primary: {to: replica, writes: allow}}"


def status(fleet: Fleet) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """The exit code, the counts, and the connections by name."""
    ended = fleet.run("status", "-o", "json")
    assert ended.stdout, ended.stderr
    found = json.loads(ended.stdout)
    return ended.returncode, found["summary"], {one["name"]: one for one in found["connections"]}


def assert_split(fleet: Fleet, serving: str) -> None:
    code, summary, connections = status(fleet)
    primary, replica = connections["primary"], connections["replica"]
    assert (code, summary["split_brains"]) == (13, 1)
    assert (replica["health"], replica["error"]["kind"]) == ("degraded", "split-brain")
    message = replica["error"]["message"]
    for name, position in zip(("primary", "replica"), POSITIONS[fleet.pair.engine], strict=True):
        assert f'"{name}"' in message
        assert f"{name} at {position}" in message
    assert primary["route"]["serving"] == serving


@pytest.fixture
def survivor(fleet: Fleet) -> Fleet:
    """The primary was killed, its replica promoted in its place, and then the old primary came back."""
    pair = fleet.pair
    assert fleet.exec(pair.write).code == 0  # so that both have a history to tell of
    pair.catch_up()
    pair.primary.kill()
    assert fleet.look()["primary"]["route"]["serving"] == "replica"
    pair.promote()
    assert fleet.look().code == 10
    pair.start(pair.primary)
    return fleet


def test_a_replica_promoted_while_its_primary_lives(fleet: Fleet) -> None:
    pair = fleet.pair
    assert fleet.exec(pair.write).code == 0
    pair.catch_up()
    assert fleet.look().code == 0
    pair.promote()
    for _ in range(3):
        assert_split(fleet, serving="primary")
        assert fleet.exec(pair.read).served_by == "primary"
    assert fleet.events("--type", "split-brain") == ["split-brain primary"]
    assert fleet.events("--type", "failover") == []


def test_the_old_primary_that_comes_back_stays_out_and_nothing_is_written_through_the_failover(survivor: Fleet) -> None:
    pair = survivor.pair
    written, old = pair.written(pair.replica), pair.written(pair.primary)
    for _ in range(3):  # more than enough good checks for an automatic failback
        assert_split(survivor, serving="replica")
    assert survivor.events("--type", "recovery") == []
    assert survivor.events("--type", "split-brain") == ["split-brain primary"]
    assert survivor.exec(pair.read).served_by == "replica"
    survivor.write(failover=ALLOWED)
    for _ in range(2):
        write = survivor.exec(pair.write)
        assert (write.code, write.connection) == (24, "replica")
    assert pair.written(pair.replica) == written
    write = survivor.exec(pair.write, "--allow-write-on-backup")
    assert (write.code, write.served_by) == (0, "replica")
    assert (pair.written(pair.replica), pair.written(pair.primary)) == (written + 1, old)


def test_holding_one_of_them_ends_it(survivor: Fleet) -> None:
    pair = survivor.pair
    survivor.write(failover=ALLOWED)
    for _ in range(2):  # two passing checks close its circuit: only the split brain keeps it out now
        assert_split(survivor, serving="replica")
    refused = survivor.run("failback", "primary")
    assert refused.returncode == 32, refused.stderr
    assert "split brain" in refused.stderr
    assert survivor.code("circuit", "open", "primary") == 0
    code, summary, connections = status(survivor)
    assert (code, summary["split_brains"]) == (10, 0)
    assert (connections["replica"]["health"], connections["replica"]["error"]["kind"]) == ("degraded", "role")
    write = survivor.exec(pair.write)
    assert (write.code, write.served_by) == (0, "replica")  # by the topology's own word again
    held = survivor.run("failback", "primary", "--accept-split-brain")
    assert held.returncode == 32, held.stderr  # a person's hold is not what that option accepts
