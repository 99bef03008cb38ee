"""Malformed topologies of every sort: exit 3, every problem on a line of its own, and no traceback."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import Runner


@pytest.fixture
def shop(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
ONE = 'connections: {a: {url: "sqlite:///a.db"}}\n'
BROKEN = {
    "empty": b"",
    "only a comment": b"# nothing\n",
    "a word": b"shop",
    "a list": b"- a\n- b\n",
    "no connections": b"connections: {}\n",
    "syntax": b"connections: {a: {url: \n",
    "tabs": b"connections:\n\ta: 1\n",
    "binary": bytes(range(256)) * 40,
    "NUL": ONE.encode() + b"\0",
    "not UTF-8": ONE.encode() + b"# caf\xe9\n",
    "two documents": (ONE + "---\n" + ONE).encode(),
    "a bomb": BOMB.encode(),
    "deep": b"connections: " + b"[" * 5000 + b"]" * 5000,
    "deeper": b"{a: " * 100_000,
    "a tag": b"connections: !!python/object/apply:os.system ['true']\n",
    "huge": b"# " + b"x" * (10 * 1024 * 1024) + b"\n",
    "duplicate": b'connections:\n  a: {url: "sqlite:///a.db"}\n  a: {url: "sqlite:///b.db"}\n',
    "unknown key": (ONE + "conections: {}\n").encode(),
    "wrong types": b"connections: {a: {url: 5, tags: {}, role: [], slow: yes}}\n",
    "no as a name": b'connections: {no: {url: "sqlite:///a.db"}}\n',
    "1:30": (ONE + "health_check: {interval: 1:30}\n").encode(),
    "012": (ONE + "circuit_breaker: {threshold: 012}\n").encode(),
    "a bad duration": (ONE + "health_check: {timeout: 5 parsecs}\n").encode(),
    "itself": (ONE + "failover: {a: a}\n").encode(),
    "a secret from nowhere": b'connections: {a: {url: "redis://h", password: "${env:NOWHERE_AT_ALL}"}}\n',
    "a secret in no file": b'connections: {a: {url: "redis://h", password: "${file:/nowhere/at/all}"}}\n',
    "an unknown engine": b'connections: {a: {url: "oracle://h"}}\n',
    "bytes in a name": b'connections: {"a\\u202eb": {url: "sqlite:///a.db"}}\n',
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_refused_in_plain_words(shop: Runner, what: str) -> None:
    shop.config.write_bytes(BROKEN[what])
    ended = shop.run("config", "validate")
    assert (ended.exit_code, ended.stdout) == (3, "")
    first, *rest = ended.stderr.splitlines()
    assert first.startswith(f"error: the topology {shop.config} ")
    assert all(line.startswith((f"{shop.config}:", "  hint: ")) for line in rest)
    assert "Traceback" not in ended.stderr
    assert "defect" not in ended.stderr
    assert not any(ord(char) < 32 and char != "\n" for char in ended.stderr)
    (line,) = shop.run("config", "validate", "-o", "json").stderr.splitlines()
    assert json.loads(line)["error"]["code"] == 3


def test_all_problems_at_once_each_on_its_line(shop: Runner) -> None:
    shop.config.write_text(
        "connections:\n"
        '  primary: {url: "sqlite:///a.db", rol: primary}\n'
        '  replica: {url: "postgresq://h/db"}\n'
        '  third: {url: "sqlite:///c.db", slow: 1:30}\n'
        "failover: {primary: replicaa}\n"
    )
    told = shop.run("config", "validate").stderr.splitlines()
    assert told[0] == f"error: the topology {shop.config} has 4 problems"
    starts = ("2:36: connections.primary.rol: ", "3:18: connections.replica.url: ", "4:40: connections.third.slow: ")
    assert all(line.startswith(f"{shop.config}:{start}") for line, start in zip(told[1:], starts, strict=False))
    assert told[4].startswith(f"{shop.config}:5:21: failover.primary: ")
    assert 'did you mean "replica"?' in told[4]


def test_a_cycle_is_shown_as_it_goes_round(shop: Runner) -> None:
    shop.write(failover="{primary: replica, replica: archive, archive: primary}")
    assert "primary → replica → archive → primary" in shop.run("config", "validate").stderr


@pytest.mark.parametrize("path", ["", "nowhere.yaml", "/dev/null", "/proc/self/mem", "a\nb.yaml"])
def test_what_is_no_file(shop: Runner, path: str) -> None:
    ended = shop.run("-c", path or str(shop.folder), "status")
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr.startswith("error: the topology ")


@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_a_valid_one_is_said_to_be_valid_and_is_shown(shop: Runner, form: str) -> None:
    valid = shop.run("config", "validate", "-o", form)
    assert valid.exit_code == 0
    assert str(shop.config) in valid.stdout
    assert "valid" in valid.stdout
    shown = shop.run("config", "show", "-o", form)
    assert shown.exit_code == 0
    for word in ("primary", "half_open_successes", "failback_after", "sqlite:///primary.db"):
        assert word in shown.stdout


def test_what_is_shown_can_be_loaded_again(shop: Runner) -> None:
    shown = shop.run("config", "show").stdout
    shop.config.write_text(shown)
    assert shop.run("config", "show").stdout == shown
