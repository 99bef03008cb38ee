"""The pages say what the code does: every name that a user can meet stands where it is looked for."""

import re

import pytest
from typer.testing import CliRunner

import omnidb_cli
from omnidb_cli import errors
from omnidb_cli.cli.app import app
from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.core.circuit.model import CircuitState, Reason
from omnidb_cli.core.events.model import EventType
from omnidb_cli.core.health.model import Health
from omnidb_cli.drivers import engines, url_parameters
from omnidb_cli.duration import LONGEST_HOLD_S, LONGEST_S, parse_duration, write_duration
from omnidb_cli.errors import ErrorKind
from omnidb_cli.plugins import names_in
from omnidb_cli.topology.keys import Key, Kind, paths
from omnidb_cli.topology.urls.parameters import Form, Parameter, range_of
from tests.project.pages import ROOT, page, rows, section
from tests.project.surface import Offered, offered

_GLOBAL, *_COMMANDS = offered()
_TYPES = {
    Kind.NAME: "name",
    Kind.TEXT: "text",
    Kind.SECRET: "secret",
    Kind.URL: "URL",
    Kind.STATE_URL: "state URL",
    Kind.WORDS: "list of words",
    Kind.DURATION: "duration",
    Kind.COUNT: "count",
    Kind.BACKUPS: "name or list of names",
    Kind.SECTION: "mapping",
    Kind.SWITCHABLE: "mapping or `false`",
    Kind.NAMED: "mapping of names",
}


def _first_cells(text: str) -> list[str]:
    return [row[0] for row in rows(text)]


def _codes(cells: list[str]) -> set[str]:
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda one: one.title)
def test_every_command_has_a_section_with_exactly_its_options(command: Offered) -> None:
    text = section(page("commands.md"), command.title)
    documented = {word.split()[0] for word in _codes(_first_cells(text)) if word.startswith("-")}
    assert documented == set(command.options)


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda one: one.title)
def test_every_command_is_in_the_overview(command: Offered) -> None:
    overview = page("commands.md").partition("## Global options")[0]
    assert any(cell.startswith(f"[`{command.title}`](#") for cell in _first_cells(overview))


def test_every_section_of_the_commands_is_a_command() -> None:
    titles = set(re.findall(r"^## (omnidb .+)$", page("commands.md"), re.MULTILINE))
    assert titles == {command.title for command in _COMMANDS}


def test_the_global_options_are_documented() -> None:
    documented = _codes(_first_cells(section(page("commands.md"), "Global options")))
    assert {word.split()[0] for word in documented} >= {*_GLOBAL.options, "-h", "--help"}


@pytest.mark.parametrize(("path", "key"), list(paths()), ids=lambda one: one if isinstance(one, str) else "")
def test_every_key_is_documented_as_the_table_of_keys_has_it(path: str, key: Key) -> None:
    table = rows(section(page("configuration.md"), "Every key"))
    found = {row[0].strip("`"): row[1:] for row in table if row[0].startswith("`")}
    assert found.get(path) == [_type_of(key), _default_of(path, key), key.about]


def _type_of(key: Key) -> str:
    kind = " or ".join(f"`{one}`" for one in key.choices) if key.kind is Kind.CHOICE else _TYPES[key.kind]
    limits = [", may be 0"] if key.least == 0 else []
    limits += [f", at most {key.most}"] if key.most is not None else []
    limits += [f", at most {write_duration(key.longest_s)}"] if key.longest_s != LONGEST_S else []
    return kind + "".join(limits)


def _default_of(path: str, key: Key) -> str:
    if key.required:
        return "required"
    if path.startswith("connections.NAME.health_check.") and key.kind is not Kind.SECTION:
        return "the common one"
    return "–" if key.default is None else f"`{key.default}`"


def test_every_duration_that_is_documented_is_one() -> None:
    written = {word for row in rows(section(page("configuration.md"), "Durations")) for word in _codes(row[:1])}
    assert len(written) >= 10
    for word in written:
        assert parse_duration(word, longest_s=LONGEST_HOLD_S) > 0


def test_no_key_is_documented_that_there_is_not() -> None:
    text = section(page("configuration.md"), "Every key")
    documented = {cell.strip("`") for cell in _first_cells(text) if cell.startswith("`")}
    assert documented == {path for path, _ in paths()}


def _of_words(known: Parameter) -> str:
    *most, last = (f"`{word}`" for word in known.words)
    return f"{', '.join(most)} or {last}" if most else last


def _may_be(known: Parameter) -> str:
    """What the pages say of a parameter."""
    match known.form:
        case Form.NEVER:
            return f"not supported: {known.why}"
        case Form.WORD:
            said = _of_words(known)
        case Form.WORDS:
            said = f"one or more of {_of_words(known)}"
        case Form.SWITCH:
            said = "`true` or `false`"
        case Form.WHOLE | Form.NUMBER:
            said = f"a {'whole ' if known.form is Form.WHOLE else ''}number{range_of(known)}"
        case Form.FILE:
            said = f"a file, or {_of_words(known)}" if known.words else "a file"
        case Form.TEXT:
            said = "text" if known.most is None else f"text of at most {known.most:.0f} bytes"
    if known.unkept:
        said += f"; {', '.join(f'`{word}`' for word in known.unkept)} not: {known.why}"
    return said if known.effect else f"{said}; no effect"


@pytest.mark.parametrize("engine", [engine.name for engine in engines()])
def test_every_parameter_of_a_url_is_documented_as_its_table_has_it(engine: str) -> None:
    text = section(page(f"engines/{engine}.md"), "Parameters")
    documented = [(name, row[1]) for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])]
    assert documented == [(known.name, _may_be(known)) for known in url_parameters(engine).known]


def test_every_scheme_of_every_engine_is_documented() -> None:
    documented = _codes([row[1] for row in rows(section(page("configuration.md"), "URLs"))])
    assert documented == {scheme for engine in engines() for scheme in engine.schemes}


def test_the_engines_that_open_are_said_to() -> None:
    by_scheme = {scheme: engine.name for engine in engines() for scheme in engine.schemes}
    said = set()
    for label, schemes, opens in rows(section(page("configuration.md"), "URLs")):
        engine = by_scheme[next(iter(_codes([schemes])))]
        assert opens == ("yes" if engine in {one.name for one in engines()} else "not yet"), engine
        said |= {label.partition(",")[0]} if opens == "yes" else set()
    for text in ((ROOT / "README.md").read_text(encoding="utf-8"), page("getting-started.md")):
        sentence = re.search(r"This version opens ([^;]+);", text)
        assert sentence is not None
        assert set(re.split(r",\s+|\s+and\s+", sentence[1])) == said


def test_every_exit_code_is_documented_and_no_other() -> None:
    documented = _first_cells(section(page("output.md"), "Exit codes"))
    assert documented == [str(int(code)) for code in ExitCode]


def test_the_quick_reference_has_every_command_and_every_exit_code() -> None:
    cells = _first_cells(page("quick-reference.md"))
    named = [re.sub(r" (\[?NAME.*|STATEMENT)$", "", cell.strip("`")) for cell in cells if cell.startswith("`")]
    assert sorted(named) == sorted(command.title for command in _COMMANDS)
    assert [cell for cell in cells if cell.isdigit()] == [str(int(code)) for code in ExitCode]


def test_the_glossary_is_in_alphabetical_order_with_a_line_for_each_term() -> None:
    table = rows(page("glossary.md"))
    terms = [row[0] for row in table]
    assert terms == sorted(set(terms))
    assert all(len(row) == 2 and row[1] for row in table)


@pytest.mark.parametrize("code", ExitCode, ids=lambda one: one.name)
def test_every_exit_code_is_explained_among_the_errors(code: ExitCode) -> None:
    text = page("errors.md")
    in_brackets = f"[{int(code)}]" in text
    findings = rows(section(text, "Findings and other exit codes"))
    assert in_brackets or any(str(int(code)) in row[0].split(", ") for row in findings)


def test_every_error_kind_has_its_cause_and_its_fix() -> None:
    table = rows(section(page("errors.md"), "Error kinds"))
    assert [row[0].strip("`") for row in table] == [str(kind) for kind in ErrorKind]
    assert all(all(row) for row in table)


def test_every_exception_is_documented() -> None:
    tree = {
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, errors.OmnidbError) and one is not errors.OmnidbError
    }
    documented = _codes(_first_cells(section(page("errors.md"), "Exceptions of the library")))
    assert documented == tree


def test_every_event_type_is_documented() -> None:
    assert _codes(_first_cells(section(page("concepts.md"), "Events"))) == {str(one) for one in EventType}


@pytest.mark.parametrize(("heading", "words"), [("Health", Health), ("Circuit", CircuitState)])
def test_every_state_is_explained_and_listed(heading: str, words: type[Health]) -> None:
    expected = {str(one) for one in words}
    assert _codes(_first_cells(section(page("concepts.md"), heading))) == expected
    listed = next(row for row in rows(section(page("output.md"), "States")) if row[0] == heading.lower())
    assert _codes(listed[1:]) == expected


def test_every_reason_of_a_circuit_is_listed() -> None:
    text = section(page("output.md"), "States")
    assert {str(one) for one in Reason} <= _codes([text])


def test_every_format_is_documented() -> None:
    documented = _codes(_first_cells(section(page("output.md"), "Formats")))
    assert documented == set(names_in("omnidb_cli.output.formats"))


def test_every_schema_is_documented() -> None:
    sources = (ROOT / "omnidb_cli").rglob("*.py")
    schemas = {word for path in sources for word in re.findall(r'"(omnidb\.[a-z-]+/v\d+)"', path.read_text("utf-8"))}
    assert len(schemas) >= 7
    assert {schema for schema in schemas if schema not in page("output.md")} == set()


def test_every_method_of_the_orchestrator_is_documented() -> None:
    public = {name for name in vars(omnidb_cli.Orchestrator) if not name.startswith("_")}
    internal = {"restore", "merge_remote"}  # for whoever keeps the state of several processes in step
    text = page("library.md")
    assert {name for name in public - internal if not re.search(rf"\b{name}\b", text)} == set()


def test_every_setting_of_the_library_is_documented_with_its_default() -> None:
    text = section(page("library.md"), "Settings")
    for settings in (omnidb_cli.HealthCheck(), omnidb_cli.CircuitBreakerConfig()):
        for name in settings.__struct_fields__:
            value = getattr(settings, name)
            shown = f'"{value}"' if isinstance(value, str) else repr(value)
            assert f"`{name}={shown}`" in text


def test_the_changelog_begins_with_the_current_version() -> None:
    versions = re.findall(r"^## (\S+)", page("changelog.md"), re.MULTILINE)
    assert versions[0] == omnidb_cli.__version__


def test_the_index_leads_to_every_page() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {name for name in pages if f"({name})" not in page("index.md")} == set()


_ARGUMENTS = {"exec": ("primary", "SELECT 1"), "route": ("primary",), "failback": ("primary",), "open": ("primary",)}
_ARGUMENTS["close"] = _ARGUMENTS["open"]


@pytest.mark.parametrize("command", _COMMANDS, ids=lambda one: one.title)
def test_the_formats_of_every_command_are_documented(command: Offered) -> None:
    asked = [*command.words, *_ARGUMENTS.get(command.words[-1], ()), "-o", "no-such-format"]
    told = CliRunner().invoke(app, ["-c", str(ROOT / "configs/demo.yaml"), *asked], env={"COLUMNS": "500"})
    allowed = re.search(r"use ([a-z, ]+)", told.output)
    assert told.exit_code == 2
    assert allowed is not None
    row = next(row for row in rows(section(page("commands.md"), command.title)) if "--output" in row[0])
    documented = {word for word in re.findall(r"\w+", row[2]) if word in names_in("omnidb_cli.output.formats")}
    assert documented == set(allowed[1].split(", ")) - {"url"}
