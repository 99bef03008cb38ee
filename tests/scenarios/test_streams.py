"""What becomes of a command whose output nobody takes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.shop import Shop

COMMANDS = ("--version", "--help", "status", "status -h", "config show", "exec primary SELECT/**/1", "circuit list")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_is_gone_ends_it_quietly(shop: Shop, command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = shop.run(*command.split(), stdout=writing)
    os.close(writing)
    assert (ended.returncode, "rror" in ended.stderr) == (0, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_ends_it_quietly(shop: Shop, command: str) -> None:
    ended = shop.run(*command.split(), preexec_fn=lambda: os.close(1), stdout=None)
    assert (ended.returncode, "rror" in ended.stderr) == (0, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_under_stdout_is_no_success_and_no_defect(shop: Shop, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = shop.run(*command.split(), stdout=full)
    assert ended.returncode == 1
    assert "error: the output cannot be written: no space left on device\n" in ended.stderr
    assert "defect" not in ended.stderr


def test_a_closed_stdin_and_stderr_do_no_harm(shop: Shop) -> None:
    ended = shop.run("exec", "primary", "-", preexec_fn=lambda: (os.close(0), os.close(2)), stderr=None)
    assert ended.returncode == 2  # there is no statement to read
    shop.run("circuit", "open", "primary", preexec_fn=lambda: [os.close(number) for number in (0, 1, 2)])
    assert shop.circuit("primary")["manual"]


def test_head_takes_one_line_of_a_watch(shop: Shop) -> None:
    pipe = shop.start("watch", "--interval", "50ms")
    assert pipe.stdout is not None
    assert json.loads(pipe.stdout.readline())["schema"] == "omnidb.status/v1"
    pipe.stdout.close()
    assert pipe.wait(timeout=30) == 0
    assert pipe.stderr is not None
    assert pipe.stderr.read() == ""


def test_a_long_result_that_nobody_reads_to_its_end(shop: Shop) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    pipe = shop.start("exec", "primary", many, "-o", "jsonl", stderr=subprocess.DEVNULL)
    assert pipe.stdout is not None
    assert [pipe.stdout.readline() for _ in range(2)] == ['{"i": 1}\n', '{"i": 2}\n']
    pipe.stdout.close()
    assert pipe.wait(timeout=30) == 0
    assert shop.circuit("primary")["failures"] == 0
