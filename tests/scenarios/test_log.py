"""The log of a command: each step on stderr, a line each, for people and for programs; nothing where nobody asks."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.scenarios.shop import Shop
from tests.scenarios.terminal import Terminal

KEYS = ["time", "level", "logger", "message", "connection"]


def test_each_step_is_logged_in_its_order(shop: Shop) -> None:
    shop.take_away("primary")
    lines = [json.loads(line) for line in shop.run("status", env={"OMNIDB_LOG": "json"}).stderr.splitlines()]
    assert all(list(line) == KEYS and line["level"] == "debug" for line in lines)
    assert all(datetime.now(UTC) - datetime.fromisoformat(line["time"]) < timedelta(hours=1) for line in lines)
    rooms = list(dict.fromkeys(line["logger"] for line in lines))
    assert rooms == [f"omnidb.{room}" for room in ("topology", "state", "cli", "drivers.sqlite", "core.events")]
    of_primary = [line["message"] for line in lines if line["connection"] == "primary"]
    assert of_primary[0] == "check begins"
    assert of_primary[1].startswith("opening ")
    assert of_primary[2].startswith("check ends: unhealthy, not-found, ")
    assert "circuit:open: closed → open: health-check-failed" in of_primary
    assert any(message.startswith("failover: primary → replica: ") for message in of_primary)
    assert lines[-1]["message"].startswith("wrote the state of ")


def test_the_log_of_a_statement_names_who_was_asked(shop: Shop) -> None:
    told = shop.run("--debug", "exec", "primary", "SELECT 1").stderr
    steps = [line.partition(" ")[2] for line in told.splitlines()]
    asked = next(
        at for at, step in enumerate(steps) if step.startswith("omnidb.cli [primary] primary is routed here: ")
    )
    opened = next(at for at, step in enumerate(steps) if step.startswith("omnidb.drivers.sqlite [primary] opening "))
    sent = steps.index("omnidb.cli [primary] the statement is sent")
    assert asked < opened < sent < steps.index("omnidb.cli [primary] the statement is answered")
    assert "SELECT" not in told


@pytest.mark.parametrize("how", [("--debug", {}), ("--no-color", {"OMNIDB_LOG": "json"})])
def test_beside_json_a_line_has_one_key(shop: Shop, how: tuple[str, dict[str, str]]) -> None:
    option, env = how
    ended = shop.run("status", "-o", "json", option, env=env)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert lines
    assert all(list(line) == ["log"] and list(line["log"]) == KEYS for line in lines)
    assert json.loads(ended.stdout)["summary"]["total"] == 3


def test_nothing_is_logged_where_nobody_asks(shop: Shop) -> None:
    for env in ({}, {"OMNIDB_LOG": ""}):
        assert shop.run("status", env=env).stderr == ""


def test_another_form_is_a_usage_error(shop: Shop) -> None:
    ended = shop.run("status", env={"OMNIDB_LOG": "jsn"})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "OMNIDB_LOG" in ended.stderr
    assert "debug, json" in ended.stderr


def test_hostile_text_stays_on_its_line(shop: Shop) -> None:
    hostile = shop.folder / "a\n\x1b[2Jb\u202e.yaml"
    hostile.write_text(shop.config.read_text())
    for form in ("debug", "json"):
        told = shop.run("status", "-c", str(hostile), env={"OMNIDB_LOG": form}).stderr
        assert "reading the topology" in told.splitlines()[0]
        assert not {"\x1b", "\u202e"} & set(told)
        assert all("omnidb." in line for line in told.splitlines())


def test_a_full_disk_under_the_log_fails_no_check(shop: Shop) -> None:
    with Path("/dev/full").open("w") as full:
        ended = shop.run("status", "-o", "json", "--debug", stderr=full)
    assert json.loads(ended.stdout)["summary"]["healthy"] == 3


def test_the_log_does_not_tear_the_live_screen(shop: Shop) -> None:
    terminal = Terminal(shop, "watch", "--debug", "--interval", "50ms", "--count", "3")
    with closing(terminal):
        assert terminal.ended() == 0
    before, _, rest = terminal.sent.partition("\x1b[?1049h")
    screen = rest.partition("\x1b[?1049l")[0]
    assert "omnidb.topology" in before
    assert "primary" in screen
    assert "omnidb.cli" not in screen
