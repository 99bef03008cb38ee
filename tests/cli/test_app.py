"""The command line as a whole: injected contexts, help, version, and one file a command."""

import json
import re

import pytest
from typer.testing import CliRunner

from omnidb_cli import __version__
from omnidb_cli.cli.app import app
from omnidb_cli.cli.commands.circuit.command import run_list
from omnidb_cli.cli.commands.config import run_validate
from omnidb_cli.cli.commands.status.command import run_status
from omnidb_cli.cli.context import Context
from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.plugins import load, names_in
from tests.cli.runner import Runner

COMMANDS = names_in("omnidb_cli.cli.commands")
PATHS = (
    (),
    *((name,) for name in COMMANDS),
    *(("circuit", one) for one in ("open", "close", "list")),
    *(("state", one) for one in ("show", "reset")),
    *(("config", one) for one in ("validate", "show")),
)


def test_a_context_can_be_injected(shop: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    ended = shop.run("status", "-o", "json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["summary"]["healthy"] == 3
    shop.shop.take_away("primary")
    assert shop.run("status").exit_code == 10


def test_the_work_of_a_command_is_a_plain_function(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    assert run_status(shop.context(), (), "degraded", "json") is ExitCode.DONE
    shop.shop.take_away("primary")
    assert run_status(shop.context(), (), "degraded", "json") is ExitCode.DEGRADED
    assert run_status(shop.context(), (), "down", "json") is ExitCode.DONE
    run_list(shop.context(), (), "csv")
    run_validate(shop.context(), None)


def test_version() -> None:
    for option in ("-V", "--version"):
        ended = CliRunner().invoke(app, [option])
        assert (ended.exit_code, ended.stdout) == (0, f"omnidb {__version__}\n")


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*path, "-h"], prog_name="omnidb").stdout
    assert told == CliRunner().invoke(app, [*path, "--help"], prog_name="omnidb").stdout
    assert told.startswith(f"Usage: {' '.join(['omnidb', *path])} ")
    assert all(len(line) <= 80 for line in told.splitlines())
    assert not re.search(r"<\w+>|\[default: \(|\{|[a-z,]\.\.\.$|None", told, re.MULTILINE)
    assert ("--install-completion" in told) is (path == ())


def test_no_command_is_help_and_no_success() -> None:
    ended = CliRunner().invoke(app, [])
    assert ended.exit_code == 2
    assert "Commands:" in ended.output


def test_each_command_delegates_within_fifteen_lines() -> None:
    """Options are parsed, the rest is a plain function's (style, rule 7)."""
    import ast
    from inspect import getsource

    for name in COMMANDS:
        tree = ast.parse(getsource(load("omnidb_cli.cli.commands", name)))
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list):
            first = function.body[1]
            assert (function.end_lineno or 0) - first.lineno < 15, function.name


@pytest.mark.parametrize(
    ("env", "config", "state", "typed"),
    [
        ({}, None, None, "omnidb"),
        ({}, "a b.yaml", "memory:", "omnidb -c 'a b.yaml' --state memory:"),
        ({"OMNIDB_CONFIG": "c.yaml", "OMNIDB_STATE": "memory:"}, None, None, "omnidb"),
        ({"OMNIDB_STATE": "sqlite:///a"}, None, "memory:", "omnidb --state memory:"),
    ],
)
def test_the_next_command_has_the_options_that_were_typed(
    env: dict[str, str], config: str | None, state: str | None, typed: str
) -> None:
    context = Context(env=env).with_options(config=config, state=state, no_color=False, debug=False)
    assert context.program == context.streams.program == typed
