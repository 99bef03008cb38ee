"""What goes where, and how it may check there."""

import io
import json
import os
import subprocess
import sys

import pytest

from omnidb_cli.output.messages import ErrorMessage
from omnidb_cli.output.report import Report, TableView
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.views.status import status_document
from tests.output.scenes import Screen, shop, streams

FAILURE = ErrorMessage(
    21, "refused", "cannot connect to primary: connection refused", "primary", "is the server running?"
)


def ascii_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


def written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("ascii")


def test_people_get_sentences_on_stderr() -> None:
    said = streams("csv")
    said.error(FAILURE)
    said.warning("state not available", hint="see omnidb state show")
    said.receipt({"served_by": "replica"}, "served by replica")
    assert said.err.getvalue() == (
        "error: cannot connect to primary: connection refused\n  hint: is the server running?\n"
        "warning: state not available\n  hint: see omnidb state show\n"
        "served by replica\n"
    )
    assert said.out.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_programs_get_one_object_with_one_key_a_line(form: str) -> None:
    said = streams(form)
    said.error(FAILURE)
    said.warning("state\nnot available", connection="primary")
    said.receipt({"served_by": "replica"}, "served by replica")
    assert [json.loads(line) for line in said.err.getvalue().splitlines()] == [
        {
            "error": {
                "code": 21,
                "kind": "refused",
                "message": "cannot connect to primary: connection refused",
                "connection": "primary",
                "hint": "is the server running?",
            }
        },
        {"warning": {"message": "state\nnot available", "connection": "primary", "hint": None}},
        {"receipt": {"served_by": "replica"}},
    ]


def test_a_message_of_a_server_controls_no_terminal() -> None:
    said = streams(terminal=True)
    said.error(ErrorMessage(23, "statement", "bad \x1b]0;owned\x07 thing\nsecond line"))
    assert "\x1b]" not in said.err.getvalue()
    assert "bad \\x1b]0;owned\\x07 thing\nsecond line" in said.err.getvalue()


@pytest.mark.parametrize(
    ("terminal", "env", "no_color", "colour", "drawn"),
    [
        (False, {}, False, False, False),
        (True, {}, False, True, True),
        (True, {}, True, False, True),
        (True, {"NO_COLOR": "1"}, False, False, True),
        (True, {"NO_COLOR": ""}, False, True, True),
        (True, {"TERM": "dumb"}, False, False, True),
        (False, {"FORCE_COLOR": "1"}, False, True, True),
        (False, {"FORCE_COLOR": "0"}, False, False, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, False),
        (False, {"FORCE_COLOR": "1"}, True, False, False),
    ],
)
def test_colour(terminal: bool, env: dict[str, str], no_color: bool, colour: bool, drawn: bool) -> None:
    found = streams(terminal=terminal, env=env, no_color=no_color)
    assert (found.color, found.drawn) == (colour, drawn)
    found.show(status_document(shop()))
    found.warning("w")
    assert ("\x1b" in found.out.getvalue()) == colour
    assert ("\x1b" in found.err.getvalue()) == colour


@pytest.mark.parametrize(("columns", "width"), [("72", 72), ("", 80), ("0", 80), ("-1", 80), ("x", 80), ("٣", 80)])
def test_columns_of_the_environment(columns: str, width: int) -> None:
    assert streams(terminal=True, env={"COLUMNS": columns}).width == width


def test_a_pipe_has_no_width_of_its_own() -> None:
    assert streams().width is None


def test_a_dumb_terminal_cannot_be_live() -> None:
    assert streams(terminal=True).live
    assert not streams(terminal=True, env={"TERM": "dumb"}).live
    assert not streams(env={"FORCE_COLOR": "1"}).live


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "tsv", "yaml", "name"])
def test_no_secret_gets_out_in_any_format(form: str) -> None:
    def redact(text: str) -> str:
        return text.replace('h"nter2', "***").replace("h'nter2", "***").replace("internal", "***")

    out = streams(form, redact=redact)
    out.show(status_document(shop()))
    out.error(ErrorMessage(1, None, 'password h"nter2', hint='h"nter2'))
    out.receipt({"reason": 'h"nter2'}, 'h"nter2')
    out.trace('Traceback: h"nter2')
    out.line('h"nter2')
    everything = out.out.getvalue() + out.err.getvalue()
    assert "***" in everything
    assert "nter2" not in everything
    assert "internal" not in everything


def test_names_and_progress_are_redacted_too() -> None:
    out = streams("name", terminal=True, redact=lambda text: text.replace("primary", "***"))
    out.show(status_document(shop()))
    out.progress("waiting for primary")
    assert out.out.getvalue().startswith("***\nreplica\n")
    assert out.err.getvalue() == "\rwaiting for ***\x1b[K"


def test_a_secret_is_found_before_wrapping_and_quoting_hide_it() -> None:
    document = Report(body={"a": 'x"y z'}, table=lambda: TableView(title=(), lines=()), items=lambda: ['x"y z'])
    out = streams("jsonl", redact=lambda text: text.replace('x"y z', "***"))
    out.show(document)
    out.show_line(document)
    assert out.out.getvalue() == '"***"\n{"a": "***"}\n'


@pytest.mark.parametrize("form", ["table", "json", "csv", "yaml"])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_stream_without_unicode_gets_ascii(form: str, terminal: bool) -> None:
    out = ascii_stream()
    out.isatty = lambda: terminal  # type: ignore[method-assign]
    err = ascii_stream()
    plain = Streams(out, err, env={"COLUMNS": "100"}, format=form, no_color=True)
    plain.show(status_document(shop()))
    plain.error(ErrorMessage(1, None, "größer → kleiner"))
    assert written(out)
    assert "gr\\xf6" in written(err) or '"gr\\u00f6' in written(err)
    if form == "table":
        assert "x unhealthy" in written(out)
        assert "> replica" in written(out)


def test_a_format_without_its_part_says_what_is_allowed() -> None:
    document = Report(body={}, table=TableView)
    with pytest.raises(ValueError, match="there is no format 'csv' here: use json, table, yaml"):
        streams("csv").show(document)
    with pytest.raises(ValueError, match="there is no format 'xml' here"):
        streams("xml").show(document)


def test_data_on_a_terminal_keeps_its_lines_and_loses_its_escapes() -> None:
    out = streams("csv", terminal=True)
    out.write("a\tb\n\x1b[2J")
    assert out.out.getvalue() == "a\tb\n\\x1b[2J"


def test_progress_is_for_people_at_a_terminal() -> None:
    for quiet in (streams(), streams("json", terminal=True), streams(terminal=True, env={"TERM": "dumb"})):
        quiet.progress("waiting")
        assert quiet.err.getvalue() == ""
    shown = streams(terminal=True)
    shown.progress(None)
    assert shown.err.getvalue() == ""
    shown.progress("waiting")
    shown.progress(None)
    assert shown.err.getvalue() == "\rwaiting\x1b[K\r\x1b[K"


class BrokenScreen(Screen):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_nobody_at_stderr_is_no_failure() -> None:
    Streams(io.StringIO(), BrokenScreen(), env={}).warning("unheard")


SCRIPT = """
import sys
from omnidb_cli.output.streams import Streams
streams = Streams.of_process(format="csv")
try:
    for number in range(200_000):
        streams.write(f"{number}\\n")
    streams.flush()
except BrokenPipeError:
    streams.abandon()
    sys.exit(7)
"""


def test_a_closed_pipe_ends_quietly() -> None:
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == b""
    assert process.wait() == 7


def test_closed_standard_streams_are_sinks() -> None:
    script = "from omnidb_cli.output.streams import Streams; s = Streams.of_process(); s.line('x'); s.warning('y')"
    done = subprocess.run(["sh", "-c", f'{sys.executable} -c "{script}" >&- 2>&-'], check=False)
    assert done.returncode == 0


def test_undecodable_arguments_do_not_break_an_utf8_stream() -> None:
    script = "import sys; from omnidb_cli.output.streams import Streams; Streams.of_process().line(sys.argv[1])"
    env = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", script, b"\xff"], capture_output=True, env=env, check=True)
    assert done.stdout == b"\\udcff\n"


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_what_a_server_said_controls_no_terminal_later_on(form: str) -> None:
    """A status that was piped into a file is checked on a terminal in the end."""
    piped = streams(form)
    row = ("primary", "\x1b[2J\u202eno, \x9bm\tno")
    piped.show(Report({}, TableView, header=("name", "error"), rows=lambda: [row]))
    told = piped.out.getvalue()
    assert told.startswith("name")
    assert all(char.isprintable() or char in "\t\n" for char in told)
