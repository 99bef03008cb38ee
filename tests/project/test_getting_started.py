"""What a newcomer with a PostgreSQL pair is told to type works as typed, with the topology that the page shows."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.pages import ROOT, Block, blocks
from tests.project.session import commands
from tests.servers.postgres import PostgresPair

_GETTING_STARTED = ROOT / "docs/getting-started.md"


@pytest.fixture
def newcomers(postgres: PostgresPair) -> Iterator[PostgresPair]:
    """A pair with the database and the account of the page, whatever other tests have left of that name."""
    (account,) = (one.text for one in _shown("sql", _GETTING_STARTED))
    _leave_nothing(postgres)
    postgres.primary.sql("CREATE DATABASE shop")
    postgres.primary.sql(account)
    postgres.catch_up()
    yield postgres
    _leave_nothing(postgres)


def _leave_nothing(pair: PostgresPair) -> None:
    pair.primary.sql("DROP DATABASE IF EXISTS shop WITH (FORCE)")
    pair.primary.sql("DO $$ BEGIN DROP OWNED BY omnidb; EXCEPTION WHEN undefined_object THEN NULL; END $$")
    pair.primary.sql("DROP ROLE IF EXISTS omnidb")
    pair.catch_up()


@pytest.mark.parametrize("path", [ROOT / "README.md", _GETTING_STARTED], ids=lambda one: one.name)
def test_every_command_ends_as_the_page_says(path: Path, newcomers: PostgresPair, tmp_path: Path) -> None:
    topology = next(one.text for one in _shown("yaml", path) if "postgresql:" in one.text)
    for host, server in (("db1.internal:5432", newcomers.primary), ("db2.internal:5432", newcomers.replica)):
        topology = topology.replace(host, f"{server.host}:{server.port}")
    (tmp_path / "omnidb.yaml").write_text(topology)
    env = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    typed = [command for block in _sessions(path) for command in commands(block.text)]
    assert "omnidb status" in typed
    for command in typed:
        if command.startswith("export "):
            env |= dict(word.split("=", 1) for word in shlex.split(command)[1:])
            continue
        assert _ended(command, tmp_path, env) == _promised(command), command


def test_the_topology_of_the_first_screen_has_eight_lines() -> None:
    first = _shown("yaml", ROOT / "README.md")[0]
    assert "postgresql:" in first.text
    assert len(first.text.splitlines()) == 8


def _shown(language: str, path: Path) -> list[Block]:
    return [one for one in blocks(language) if one.page == path]


def _sessions(path: Path) -> list[Block]:
    """All of the page; of the README the first one, which is for the pair."""
    return _shown("console", path)[: 1 if path.name == "README.md" else None]


def _promised(command: str) -> int:
    code = re.search(r"# .*exit code (\d+)", command)
    return int(code[1]) if code else 0


def _ended(command: str, folder: Path, env: dict[str, str]) -> int:
    with subprocess.Popen(
        shlex.split(command, comments=True), cwd=folder, env=env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        if "Ctrl-C" in command:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    sys.stdout.write(f"$ {command}\n{said}")
    return process.returncode
