"""The tour of `make demo` runs to its end, without a terminal, and leaves everything as it was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.pages import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the tour needs of a clone, its environment included."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copytree(ROOT / "docs/demo", tmp_path / "docs/demo")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def _tour(clone: Path, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {"PATH": os.defpath, "HOME": str(clone / "home"), "LANG": "C.UTF-8"}
    return subprocess.run(
        ["sh", clone / "docs/demo/tour.sh"], env={**inherited, **env}, text=True, capture_output=True, check=False,
        timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_tour_shows_a_failover_from_beginning_to_end(clone: Path) -> None:
    done = _tour(clone, OMNIDB_OUTPUT="json", OMNIDB_STATE="memory:")
    assert (done.returncode, done.stderr) == (0, "")
    told = [line for line in done.stdout.splitlines() if line]
    shown = iter(told)
    for expected in (
        "3 connections, all healthy",
        "served by primary",
        "replica serves instead",
        "(exit code 10)",
        "served by replica (failover: primary unhealthy",
        "(exit code 24)",
        "half-open",
        "kernel update",
        "served by archive",
        "(exit code 20)",
        "3 connections, all healthy",
        "recovery",
        "Everything is as it was.",
    ):
        assert any(expected in line for line in shown), expected
    assert {path.name for path in (clone / "demo-data").glob("*.db")} == {
        "primary.db", "replica.db", "archive.db", "state.db"
    }  # fmt: skip
    assert not (clone / "home").exists()


def test_the_tour_stops_where_a_command_does_not_end_as_it_should(clone: Path) -> None:
    topology = clone / "configs/demo.yaml"
    topology.write_text(topology.read_text().replace("primary: replica", "primary: {to: replica, writes: allow}"))
    done = _tour(clone)
    assert done.returncode == 1
    assert "The tour stops here: exit code 24 was expected." in done.stderr
    assert (clone / "demo-data/primary.db").exists()
