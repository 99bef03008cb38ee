"""Servers that say anything: each is an error of that server, in time, and in little memory."""

import subprocess
import sys

import pytest

from tests.fuzz.trial import ENGINES

SERVERS = 1000
PATIENCE_S = 120


@pytest.mark.parametrize("engine", ENGINES)
def test_no_server_outlives_a_check_takes_memory_or_gives_a_traceback(engine: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz", engine, "--servers", str(SERVERS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == [str(number) for number in range(SERVERS)]


def test_what_is_late_or_large_is_a_fault() -> None:
    strict = "import runpy, tests.fuzz.trial as t; t.MOST_BYTES = -1; t.LATE_S = -9; runpy.run_module('tests.fuzz')"
    command = [sys.executable, "-c", strict, "redis", "--servers", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "it took" in done.stderr
    assert "memory has grown" in done.stderr
