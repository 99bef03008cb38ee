"""A result as a table: pages, widths, and values of several lines."""

from collections.abc import Callable

import pytest

from omnidb_cli.output.formats.table import draw
from omnidb_cli.output.results.table import AHEAD, COUNTED, PAGE, PAGE_CHARS, SHORTEST_CUT, TableResult
from omnidb_cli.output.results.writer import open_result_writer
from tests.output.results.test_model import INFO, SUMMARY, write
from tests.output.scenes import streams


def test_a_terminal_gets_a_page_and_is_told_so() -> None:
    terminal = streams(terminal=True, width=80, no_color=True)
    writer = open_result_writer(terminal)
    writer.begin(("n",))
    assert writer.rows([(number,) for number in range(PAGE - 1)])
    assert writer.rows([(PAGE - 1,)])
    assert writer.rows([(PAGE,), (PAGE + 1,)])
    assert terminal.out.getvalue().split()[-1] == str(PAGE - 1)  # it is there before the rest is counted
    assert writer.rows([(number,) for number in range(PAGE + 2, 10_000)])
    writer.end(SUMMARY)
    assert terminal.out.getvalue().split()[-1] == str(PAGE - 1)
    assert terminal.err.getvalue().startswith("warning: 200 of 10,000 rows shown\n")


def test_counting_ends_by_number_and_by_time() -> None:
    for clock, size in ((iter((0.0, 0.5, 1.5)).__next__, 1), (lambda: 0.0, COUNTED)):
        terminal = streams(terminal=True, width=80, no_color=True)
        writer = TableResult(terminal, draw, clock=clock)
        writer.begin(("n",))
        assert writer.rows([(0,)] * PAGE)
        assert writer.rows([(0,)])
        read = PAGE + 1 + size
        assert not writer.rows([(0,)] * size)
        writer.end(SUMMARY)
        assert terminal.err.getvalue().startswith(f"warning: 200 of at least {read:,} rows shown\n")


def test_a_page_that_is_all_is_not_called_a_part() -> None:
    terminal = streams(terminal=True, width=80, no_color=True)
    write(terminal, ("n",), [(number,) for number in range(PAGE)])
    assert terminal.err.getvalue() == ""


def test_a_pipe_gets_every_row() -> None:
    piped = streams()
    text = write(piped, ("n",), *([(number,)] for number in range(PAGE * 3)))
    assert text.split() == ["n", *map(str, range(PAGE * 3))]
    assert piped.err.getvalue() == ""


def test_a_table_in_a_pipe_stays_aligned() -> None:
    """Also where the widest value comes late, and from there on where it comes later than anybody waits for."""
    rows = [(number, "x") for number in range(AHEAD - 1)] + [(10**9, "x")]
    lines = write(streams(), ("n", "x"), rows[:500], rows[500:]).splitlines()
    assert {len(line) for line in lines} == {13}
    late = write(streams(), ("n", "x"), rows, [(10**12, "x")], [(1, "x")]).splitlines()
    assert [len(line) for line in late[-2:]] == [16, 16]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_single_text_of_several_lines_is_printed_as_it_is(terminal: bool, golden: Callable[[str, str], None]) -> None:
    text = write(streams(terminal=terminal, width=60 if terminal else None, no_color=True), ("value",), [(INFO,)])
    assert "\x1b" not in text
    golden("result-text.table", text)


LONG = [
    ("orders", "CREATE TABLE `orders` (\r\n  `id` int,\n\t`x` \x1b[2Jint\r\n)", 1),
    ("one", "line", 22),
]


@pytest.mark.parametrize("width", [None, 60, 120])
def test_several_rows_keep_their_lines_in_the_cell(width: int | None, golden: Callable[[str, str], None]) -> None:
    to = streams(terminal=width is not None, width=width, no_color=True)
    text = write(to, ("Table", "Create Table", "n"), LONG)
    assert "\x1b" not in text
    golden(f"result-lines.{'piped' if width is None else f'terminal-{width}'}.table", text)


def test_a_single_text_of_one_line_is_a_table_as_any() -> None:
    assert write(streams(), ("value",), [("PONG",)]) == "value\nPONG\n"
    assert write(streams(), ("value",), [("a\nb",), ("c",)]) == "value\na\nb\nc\n"


def test_long_values_are_cut_on_a_terminal_before_they_are_measured() -> None:
    """Measuring ten million characters one by one would take minutes."""
    terminal = streams(terminal=True, width=80, no_color=True)
    text = write(terminal, ("a", "b"), [("x" * 10_000_000, "é\x1b" * 5_000_000), ("short", "1")])
    assert len(text) < 3 * PAGE_CHARS
    assert text.replace("\n", "").replace(" ", "").count("…(10,000,000characters)") == 2
    assert "short" in text
    assert terminal.err.getvalue().startswith("warning: 2 values are cut: too long for a terminal\n")


def test_a_value_keeps_its_beginning_however_many_there_are() -> None:
    terminal = streams(terminal=True, width=10_000, no_color=True)
    names = [f"column{number}" for number in range(50)]
    text = write(terminal, names, [["y" * SHORTEST_CUT] * 50] * (PAGE - 1) + [["y" * (SHORTEST_CUT + 1)] * 50])
    assert text.count("y" * SHORTEST_CUT) == 50 * PAGE
    assert terminal.err.getvalue().startswith("warning: 50 values are cut: too long for a terminal\n")
