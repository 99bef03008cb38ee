"""How a command line is read: global options anywhere, and a suggestion for a word that is not quite right."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from omnidb_cli.cli.app import app
from omnidb_cli.cli.context import Context
from omnidb_cli.cli.errors import suggestion
from tests.cli.runner import Runner
from tests.project.surface import Offered, offered, root

_, *COMMANDS = offered()
GIVEN = ("-c", "a b.yaml", "--state", "memory:", "--no-color", "--debug")
ARGUMENTS = {"exec": ("p", "SELECT 1"), "route": ("p",), "failback": ("p",), "open": ("p",), "close": ("p",)}


def read(*words: str) -> tuple[Context, dict[str, Any]]:
    """What a command line gives its context, and its command; nothing is run."""
    context = Context(env={})
    command: Any = root()
    parent = command.make_context("omnidb", list(words), obj=context)
    context.with_options(**{name: parent.params[name] for name in ("config", "state", "no_color", "debug")})
    while hasattr(command, "list_commands"):
        name, *rest = [*parent._protected_args, *parent.args]
        command = command.get_command(parent, name)
        parent = command.make_context(name, rest, parent=parent)
    return context, dict(parent.params)


def options(context: Context) -> tuple[str | None, str | None, bool, bool]:
    return context.config and str(context.config), context.state, context.no_color, context.debug


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.title)
def test_global_options_stand_anywhere(command: Offered) -> None:
    arguments = ARGUMENTS.get(command.words[-1], ())
    plain = read(*command.words, *arguments)[1]
    places = [(*command.words[:at], *GIVEN, *command.words[at:], *arguments) for at in range(len(command.words) + 1)]
    for words in (*places, (*command.words, *arguments, *GIVEN)):
        context, given = read(*words)
        assert options(context) == ("a b.yaml", "memory:", True, True)
        assert given == plain


def test_the_later_one_wins() -> None:
    context, _ = read("-c", "one", "--state", "a", "circuit", "-c", "two", "list", "--state=b", "-cthree", "-c", "four")
    assert options(context) == ("four", "b", False, False)
    assert options(read("--debug", "-c", "one", "status", "--no-color")[0]) == ("one", None, True, True)


def test_values_and_what_comes_after_two_dashes_are_nobodys_options() -> None:
    context, given = read("exec", "p", "--param", "--debug", "--param", "-c", "--", "--state")
    assert options(context) == (None, None, False, False)
    assert (given["statement"], list(given["param"])) == ("--state", ["--debug", "-c"])


def test_they_work_there(shop: Runner) -> None:
    del shop.shop.env["OMNIDB_CONFIG"]
    assert shop.run("status").exit_code == 3
    assert shop.run("status", "-c", str(shop.config), "--state", "memory:", "--no-color").exit_code == 0
    assert not (shop.folder / "state").exists()
    damaged = shop.run("circuit", "list", "-c", "nowhere.yaml", "--debug")
    assert damaged.exit_code == 3
    assert "Traceback" in damaged.stderr
    assert shop.run("status", "-V").stdout.startswith("omnidb ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statu",), "no command 'statu': did you mean status?"),
        (("circuit", "opne", "primary"), "no command 'opne': did you mean open?"),
        (("lunch",), "no command 'lunch'"),
        (("watch", "--intervall", "5s"), "no option '--intervall': did you mean --interval?"),
        (("watch", "--confg", "x"), "no option '--confg': did you mean --config?"),
        (("--stat", "x", "status"), "no option '--stat': did you mean --state?"),
        (("circuit", "list", "--confg", "x"), "no option '--confg': did you mean --config?"),
        (("exec", "primary", "--no-failovr", "SELECT 1"), "no option '--no-failovr': did you mean --no-failover?"),
        (("status", "-x"), "no option '-x'"),
        (("status", "-o", "jsn"), "there is no 'jsn' here: did you mean json?"),
        (("config", "show", "-o", "csv"), "there is no 'csv' here (use json, table, yaml)"),
        (("route", "primary", "-o", "ulr"), "there is no 'ulr' here: did you mean url?"),
        (("watch", "-o", "yaml"), "there is no 'yaml' here (use json, jsonl, table)"),
        (("events", "--type", "failovr"), "there is no 'failovr' here: did you mean failover?"),
        (("status", "--fail-on", "degradd"), "there is no 'degradd' here: did you mean degraded? (use degraded, down,"),
        (("watch", "--until", "recovry"), "'recovry' is no condition: did you mean recovery?"),
        (("watch", "--until", "primary=helthy"), "'primary=helthy' is no condition: did you mean primary=healthy?"),
        (("route", "primary", "replica"), "route does not take 'replica'"),
        (("state", "show", "it\x1b[2J"), r"show does not take 'it\x1b[2J'"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest(shop: Runner, words: tuple[str, ...], said: str) -> None:
    ended = shop.run(*words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ("did you mean" in ended.stderr) is ("did you mean" in said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("exec", "p", "SELECT", "1"), 'quote it: omnidb exec p "SELECT 1"'),
        (("exec", "p", "SELECT", "1", "-c", "x.yaml"), 'quote it: omnidb -c x.yaml exec p "SELECT 1"'),
        (("--state", "a b", "exec", "p", "GET", "a"), "quote it: omnidb --state 'a b' exec p \"GET a\""),
        (("exec", "p", "SELECT", '"x"'), "quote it: omnidb exec p 'SELECT \"x\"'"),
        (("exec", "p", "SELECT", "*", *map(str, range(99))), 'quote it: omnidb exec p "…"'),
        (("exec", "p", "-- a\nSELECT 1"), "what begins with a dash and is no option comes after --"),
    ],
)
def test_a_statement_that_is_not_quoted(shop: Runner, words: tuple[str, ...], said: str) -> None:
    ended = shop.run(*words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_what_is_suggested_can_be_run(shop: Runner) -> None:
    told = shop.run("exec", "primary", "SELECT", "'it''s'", "AS", "word").stderr
    suggested = told.rpartition("quote it: ")[2]
    import shlex

    assert "it's" in shop.run(*shlex.split(suggested)[1:]).stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.title)
def test_help_offers_exactly_the_formats_that_the_command_has(shop: Runner, command: Offered) -> None:
    arguments = ARGUMENTS.get(command.words[-1], ())
    told = shop.run(*command.words, *arguments, "-o", "lunch").stderr
    allowed = told.rpartition("(use ")[2].partition(")")[0]
    helped = " ".join(CliRunner().invoke(app, [*command.words, "-h"], env={"COLUMNS": "500"}).stdout.split())
    assert f"How to print it: {allowed}. [default: $OMNIDB_OUTPUT, else table]" in helped


@pytest.mark.parametrize("words", [*(one.words for one in COMMANDS), ("circuit",), ("state",), ("config",)])
def test_help_tells_of_the_global_options_in_one_line(words: tuple[str, ...]) -> None:
    narrow = CliRunner().invoke(app, [*words, "-h"], prog_name="omnidb", env={"COLUMNS": "60"})
    told = narrow.stdout.splitlines()
    assert told[-1] == "Global options too: -c, --state, --no-color, --debug, -V."
    assert not any(line.lstrip().startswith(("-c", "--state", "--debug")) for line in told)


def test_the_nearest_word() -> None:
    assert suggestion("statu", ["state", "status"]) == ": did you mean status?"
    assert suggestion("lunch", ["state", "status"]) == ""
    assert suggestion("x", []) == ""


@pytest.mark.parametrize("option", ["--interval=2s", "--count=1", "--until=healthy", "--timeout=1s"])
def test_what_is_for_watching_goes_with_watch_only(shop: Runner, option: str) -> None:
    ended = shop.run("status", option)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"{option.partition('=')[0]} goes with --watch only" in ended.stderr
    assert "--until only" in shop.run("status", "--watch", "--timeout", "1s").stderr


@pytest.mark.parametrize("interval", ["0.05", "0.05s", "50ms"])
def test_a_status_that_stays_takes_the_options_of_watch(shop: Runner, interval: str) -> None:
    ended = shop.run("status", "primary", "--watch", "--interval", interval, "--count", "3", "-o", "json")
    assert ended.exit_code == 0
    assert len(ended.stdout.splitlines()) >= 3
    assert shop.run("status", "--watch", "--until", "healthy", "--timeout", "20s").exit_code == 0


def test_circuits_of_the_named_ones(shop: Runner) -> None:
    assert shop.run("circuit", "list", "archive", "primary", "-o", "name").stdout.split() == ["primary", "archive"]
    unknown = shop.run("circuit", "list", "primary", "primry")
    assert (unknown.exit_code, unknown.stdout) == (4, "")
    assert 'no connection named "primry"' in unknown.stderr


def test_an_injected_parser_says_what_it_says_without_omnidb_above_it() -> None:
    from omnidb_cli.cli.commands.route import app as route

    command = typer.main.get_command(route)
    params = command.make_context("route", ["p"]).params
    assert params == {"name": "p", "last": False, "max_age": None, "output": None}


def test_help_tells_the_formats_that_a_command_has(shop: Runner) -> None:
    assert "csv, json, jsonl, table, tsv, yaml" in " ".join(shop.run("events", "--help").stdout.split())
