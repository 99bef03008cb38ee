"""What a hint says to type, typed as it stands: it does what it says, to the very file that it is about."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.shop import PATIENCE_S, Shop

GARBAGE = b"this is no database, and never was one"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Its programs include an `omnidb`; its default state holds something that nobody may lose."""
    programs = shop.folder / "bin"
    programs.mkdir()
    script = programs / "omnidb"
    script.write_text(f'#!/bin/sh\nexec {" ".join(shop.command())} "$@"\n')
    script.chmod(0o755)
    shop.env["PATH"] = f"{programs}:{shop.env['PATH']}"
    assert shop.code("circuit", "open", "archive") == 0
    return shop


def type_in(shop: Shop, command: str) -> "subprocess.CompletedProcess[str]":
    """The command in a shell, as a person would paste it."""
    return subprocess.run(
        ["sh", "-c", command], cwd=shop.folder, env=shop.env, text=True, capture_output=True, timeout=PATIENCE_S
    )


def hinted(stderr: str) -> str:
    """The command that the hint of an error or a warning names."""
    (hint,) = re.findall(r"^  hint: (.*)$", stderr, re.MULTILINE)
    (command,) = re.findall(r"`([^`]+)`", hint)
    return str(command)


def damage(file: Path) -> None:
    """Behind its header, which says whose file it is: what is not known to be omnidb's stays where it is."""
    header = file.read_bytes()[:100]
    file.write_bytes(header + GARBAGE * 200)


def garble(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("UPDATE connections SET record = 'nonsense'")
    db.close()


DAMAGED = (
    (("exec", "primary", "SELECT 1", "--state", "STATE"), 31),
    (("--state", "STATE", "circuit", "open", "primary"), 31),
    (("circuit", "-c", "CONFIG", "close", "primary", "--state", "STATE"), 31),
    (("-c", "CONFIG", "state", "show", "--state", "STATE"), 31),
    (("events", "--state", "STATE"), 31),
    (("status", "--state", "STATE"), 0),
    (("watch", "--state", "STATE", "--count", "1"), 0),
)
GARBLED = (
    (("exec", "primary", "SELECT 1", "--state", "STATE", "-c", "CONFIG"), 31),
    (("circuit", "list", "--state", "STATE"), 0),
)


@pytest.mark.parametrize(
    ("harm", "given", "code"),
    [*((damage, *one) for one in DAMAGED), *((garble, *one) for one in GARBLED)],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_the_state_that_is_in_trouble_is_put_aside_and_no_other(
    shop: Shop, harm: Callable[[Path], None], given: tuple[str, ...], code: int
) -> None:
    folder = shop.folder / "it's here"
    folder.mkdir()
    file = folder / "a state.db"
    url = f"sqlite:///{file}"
    config = shop.folder / "the topology.yaml"
    config.write_bytes(shop.config.read_bytes())
    assert shop.code("status", "--state", url) == 0
    harm(file)
    words = [{"STATE": url, "CONFIG": str(config)}.get(word, word) for word in given]
    told = shop.run(*words)
    assert told.returncode == code, told.stderr
    followed = type_in(shop, hinted(told.stderr))
    assert followed.returncode == 0, followed.stderr
    assert list(folder.glob("a state-2*.db"))
    assert "hint" not in shop.run("circuit", "list", "--state", url).stderr
    assert shop.circuit("archive")["manual"], "the default state is as it was"


def test_the_default_state_and_that_of_the_environment_need_no_options(shop: Shop) -> None:
    for env in ({}, {"OMNIDB_STATE": f"sqlite:///{shop.folder}/other.db"}):
        shop.env.update(env)
        file = shop.folder / "other.db" if env else shop.state
        assert shop.code("circuit", "open", "archive", "--replace") == 0
        damage(file)
        told = shop.run("state", "show")
        assert hinted(told.stderr) == "omnidb state reset"
        assert type_in(shop, hinted(told.stderr)).returncode == 0
        assert shop.code("state", "show") == 0


def test_a_program_reads_the_same_command(shop: Shop) -> None:
    assert shop.code("status", "--state", f"sqlite:///{shop.folder}/bad.db") == 0
    damage(shop.folder / "bad.db")
    told = shop.run("exec", "primary", "SELECT 1", "-o", "json", "--state", f"sqlite:///{shop.folder}/bad.db")
    hint = json.loads(told.stderr)["error"]["hint"]
    assert f"`omnidb --state sqlite:///{shop.folder}/bad.db state reset`" in hint


def test_the_next_commands_under_a_table_can_be_typed(shop: Shop) -> None:
    shop.take_away("primary")
    told = shop.run("status", "--state", f"sqlite:///{shop.folder}/a b.db", "-c", str(shop.config))
    commands = re.findall(r"^next: (.*?)  +# ", told.stdout, re.MULTILINE)
    assert commands
    for command in commands:
        assert f"-c {shop.config} --state 'sqlite:///{shop.folder}/a b.db'" in command
        assert type_in(shop, command).returncode in {0, 11}


def test_a_password_in_a_state_url_is_not_repeated(shop: Shop) -> None:
    told = shop.run("circuit", "open", "primary", "--state", "redis://u:hunter2@h/0")
    assert told.returncode == 31
    assert "hunter2" not in told.stderr + told.stdout
