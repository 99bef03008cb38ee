"""That the benchmark runs from end to end and prints every row. What it measures is for people to read."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import mariadb, postgres, redis

ROOT = Path(__file__).parents[2]

ROWS = [
    "await db.execute(name, fn)",
    "await db.execute(name, fn), refused",
    "await breaker.execute(fn)",
    "await breaker.execute(fn), refused",
    "faster than pybreaker: db.execute, and refused",
    "faster than circuitbreaker: db.execute, and refused",
    "faster than aiobreaker: db.execute, and refused",
    "faster than purgatory: db.execute, and refused",
    "faster than hyx: db.execute, and refused",
    "await db.check(), a check, on top of the check itself",
    "the same, ten times as many connections",
    "the first check in connect(), a connection",
    "memory a connection in the core, checked periodically",
    "omnidb --version",
    "omnidb --help",
    "omnidb status, two SQLite files",
    "omnidb exec, two SQLite files",
    "omnidb circuit list, two SQLite files",
    "omnidb status, a thousand SQLite files: wall clock",
    "the same: peak memory",
    "loading a topology, against the bare YAML parse",
    "the same, growth with its length",
    "checks 1,000 held PostgreSQL connections, CPU",
    "checks 1,000 held Redis connections, CPU",
    "omnidb status over six servers",
    'omnidb exec on PostgreSQL, "SELECT 1"',
    "SIGKILL of a PostgreSQL primary to the failover, as watch prints it",
    "SIGKILL of a MariaDB primary to the failover, as watch prints it",
    "SIGKILL of a Redis primary to the failover, as watch prints it",
]


@pytest.fixture(scope="module")
def printed() -> str:
    for find in (postgres.postgres_binary, mariadb.server_binary, redis.server_binary):
        find()
    command = [sys.executable, "-W", "error", "-m", "tests.bench", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_row_is_printed_with_what_was_measured(printed: str) -> None:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in printed.splitlines() if line.startswith("| ")]
    assert rows[0] == ["| what", "measured", "goal", "reached |"]
    assert [row[0].removeprefix("| ") for row in rows[1:]] == ROWS
    assert all(len(row) == 4 and row[1] for row in rows)


def test_no_command_fails(printed: str) -> None:
    failed = [line for line in printed.splitlines() if "failed:" in line and "not installed" not in line]
    assert failed == []


def test_the_documented_table_has_these_rows() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    documented = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")]
    assert documented == ["what", *ROWS]
