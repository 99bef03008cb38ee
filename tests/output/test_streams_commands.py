"""Commands in sentences are said as they have to be typed for the same topology and state."""

import json
import re

import pytest

from omnidb_cli.output.messages import ErrorMessage
from omnidb_cli.output.report import Cell, Note, Report, TableView
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal.live import LiveScreen
from tests.output.scenes import shop, streams

PROGRAM = "omnidb -c shop.yaml --state redis://u:hunter2@h"
TYPED = "omnidb -c shop.yaml --state redis://u:***@h"


def at(form: str = "table", **settings: object) -> Streams:
    made = streams(form, **settings)  # type: ignore[arg-type]
    made.program = PROGRAM
    made.redact = lambda text: text.replace("hunter2", "***")
    return made


@pytest.mark.parametrize("form", ["table", "json"])
def test_in_errors_and_warnings_and_their_hints(form: str) -> None:
    said = at(form)
    said.error(ErrorMessage(31, None, "see `omnidb state show`", None, "`omnidb state reset` or `omnidb status`"))
    said.warning("see `omnidb state show`", hint="no omnidb command, `omnidbs neither`")
    told = said.err.getvalue()
    assert told.count(f"`{TYPED} state show`") == 2
    assert f"`{TYPED} state reset` or `{TYPED} status`" in told
    assert "no omnidb command, `omnidbs neither`" in told
    assert "hunter2" not in told
    if form == "json":
        assert [next(iter(json.loads(line))) for line in told.splitlines()] == ["error", "warning"]


def test_in_the_sentences_under_a_table() -> None:
    said = at()
    note = Note(Cell("!"), "hold it: `omnidb circuit open a`")
    said.show(Report({}, lambda: TableView(notes=(note,), lines=[(Cell("a text with `omnidb status`"),)])))
    assert f"! hold it: `{TYPED} circuit open a`" in said.out.getvalue()
    assert "a text with `omnidb status`" in said.out.getvalue()


def test_on_a_live_screen() -> None:
    terminal = at(terminal=True, width=200)
    with LiveScreen(terminal) as screen:
        screen.show(shop(), (), None, stale="`omnidb state reset`")
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.out.getvalue())
    assert f"`{TYPED} state reset`" in drawn
    assert "hunter2" not in drawn
