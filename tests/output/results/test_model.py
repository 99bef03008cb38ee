"""Results of statements in every format that carries them."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.output.formats import allowed_formats
from omnidb_cli.output.report import Shape
from omnidb_cli.output.results.model import ResultSummary, receipt_sentence, unique_names
from omnidb_cli.output.results.table import AHEAD
from omnidb_cli.output.results.writer import open_result_writer
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import visible
from tests.output.scenes import streams

FORMATS = ("csv", "json", "jsonl", "table", "tsv", "yaml")
ANY_TEXT = st.text(st.characters(codec=None, categories=None))
UTF8_TEXT = st.text(st.characters(codec="utf-8"))
SUMMARY = ResultSummary("primary", "replica", True, "primary unhealthy: connection refused", 1.9, 3, "SELECT")
COLUMNS = ("id", "name", "price", "at", "name")
ROWS = [
    (1, "first, with comma", Decimal("1.10"), datetime(2026, 11, 23, 7, 30, tzinfo=UTC), None),
    (22, 'a "quote"\nand a line\tand a tab \\', Decimal("2000.00"), None, ""),
    (333, "日本 \x1b[31mred", float("nan"), b"\x00\xff", "x"),
]

INFO = "# Server\r\nredis_version:7.0.15\r\n\r\nevil:\x1b]0;owned\x07\there\r\n"


def write(
    to: Streams, columns: Sequence[str], *batches: Sequence[Sequence[object]], summary: ResultSummary = SUMMARY
) -> str:
    writer = open_result_writer(to)
    writer.begin(columns)
    for batch in batches:
        if not writer.rows(batch):
            break
    writer.end(summary)
    return to.out.getvalue()


def test_the_formats_of_a_result() -> None:
    assert allowed_formats((Shape.RESULT,)) == FORMATS
    with pytest.raises(ValueError, match="there is no format 'name' here: use csv, json, jsonl, table, tsv, yaml"):
        open_result_writer(streams("name"))


@pytest.mark.parametrize("form", FORMATS)
def test_piped(form: str, golden: Callable[[str, str], None]) -> None:
    golden(f"result.piped.{form}", write(streams(form), COLUMNS, ROWS[:2], ROWS[2:]))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_on_a_terminal(width: int, golden: Callable[[str, str], None]) -> None:
    drawn = write(streams(terminal=True, width=width, no_color=True), COLUMNS, ROWS)
    assert "\x1b" not in drawn
    golden(f"result.terminal-{width}.txt", drawn)


@pytest.mark.parametrize("form", FORMATS)
def test_a_statement_without_rows(form: str, golden: Callable[[str, str], None]) -> None:
    summary = replace(SUMMARY, command="INSERT", row_count=3)
    found = write(streams(form), (), summary=summary)
    if form in ("table", "csv", "tsv", "jsonl"):
        assert found == ""
    golden(f"result-none.piped.{form}", found)


@pytest.mark.parametrize("form", FORMATS)
def test_no_row_at_all(form: str, golden: Callable[[str, str], None]) -> None:
    golden(f"result-empty.piped.{form}", write(streams(form), ("id", "name"), summary=replace(SUMMARY, row_count=0)))


def test_no_row_at_all_on_a_terminal() -> None:
    assert write(streams(terminal=True, width=80, no_color=True), ("id", "name"), []) == "id  name\n"


def test_the_json_object_has_every_key_of_the_contract() -> None:
    found = json.loads(write(streams("json"), ("?column?",), [(1,)]))
    assert found == {
        "schema": "omnidb.result/v1",
        "requested": "primary",
        "served_by": "replica",
        "failover": True,
        "reason": "primary unhealthy: connection refused",
        "statement_ms": 1.9,
        "columns": ["?column?"],
        "rows": [[1]],
        "row_count": 3,
        "command": "SELECT",
    }


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_batches_do_not_show(form: str, read: Callable[[str], object]) -> None:
    whole = write(streams(form), ("a",), [(1,), (2,), (3,)])
    assert read(whole)["rows"] == [[1], [2], [3]]
    assert write(streams(form), ("a",), [], [(1,)], [], [(2,), (3,)]) == whole


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (("a", "b"), ("a", "b")),
        (("a", "a", "a"), ("a", "a_2", "a_3")),
        (("a", "a", "a_2"), ("a", "a_3", "a_2")),
        (("", ""), ("", "_2")),
    ],
)
def test_unique_names(columns: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert unique_names(columns) == names


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b"])))
def test_no_value_is_lost_to_a_name(columns: list[str]) -> None:
    names = unique_names(columns)
    assert len(set(names)) == len(columns)
    assert all(name == column or name.startswith(column + "_") for name, column in zip(names, columns, strict=True))


@given(st.lists(st.tuples(UTF8_TEXT, st.none() | UTF8_TEXT), min_size=1))
def test_csv_reads_back(rows: list[tuple[str, str | None]]) -> None:
    text = write(streams("csv"), ("a", "b"), rows)
    found = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert found == [["a", "b"], *([cell or "" for cell in row] for row in rows)]


def test_csv_tells_null_from_an_empty_string_and_loses_no_row() -> None:
    assert write(streams("csv", headers=False), ("a", "b"), [(None, ""), ("", None)]) == ',""\n"",\n'
    assert write(streams("csv", headers=False), ("a",), [(None,), ("",)]) == '""\n""\n'


def test_csv_quotes_blanks_at_the_ends_that_readers_might_strip() -> None:
    assert write(streams("csv", headers=False), ("a", "b"), [(" a", "b c")]) == '" a",b c\n'


@given(st.lists(st.tuples(ANY_TEXT, st.none() | ANY_TEXT)))
def test_tsv_has_one_line_a_row_and_reads_back(rows: list[tuple[str, str | None]]) -> None:
    text = write(streams("tsv", headers=False), ("a", "b"), rows)
    escapes = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}

    def read(field: str) -> str | None:
        if field == "\\N":
            return None
        pieces, rest = [], field
        while rest:
            size = 2 if rest[0] == "\\" else 1
            pieces.append(escapes[rest[:2]] if size == 2 else rest[0])
            rest = rest[size:]
        return "".join(pieces)

    lines = text.split("\n")[:-1]
    assert [tuple(map(read, line.split("\t"))) for line in lines] == rows


@given(st.lists(st.lists(st.none() | st.integers() | ANY_TEXT, min_size=2, max_size=2)))
def test_json_and_yaml_read_back(rows: list[list[object]]) -> None:
    assert json.loads(write(streams("json"), ("a", "b"), rows))["rows"] == rows
    lines = write(streams("jsonl"), ("a", "a"), rows).split("\n")[:-1]
    assert [list(json.loads(line).values()) for line in lines] == rows


@given(st.lists(st.lists(st.none() | st.integers() | UTF8_TEXT, min_size=2, max_size=2), max_size=5))
def test_yaml_reads_back(rows: list[list[object]]) -> None:
    assert yaml.safe_load(write(streams("yaml"), ("a", "b"), rows))["rows"] == rows


def test_half_a_character_is_written_as_what_it_is() -> None:
    assert yaml.safe_load(write(streams("yaml"), ("a",), [("a\udc80",)]))["rows"] == [["a\\udc80"]]


@given(ANY_TEXT, ANY_TEXT, st.booleans(), st.sampled_from([20, 80]))
def test_no_cell_controls_a_terminal(name: str, cell: str, terminal: bool, width: int) -> None:
    drawn = write(streams(terminal=terminal, width=width, no_color=True), (name, "b"), [(cell, [cell])])
    assert "\n".join(map(visible, drawn.split("\n"))) == drawn


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "tsv", "yaml"])
def test_machine_formats_on_a_terminal_are_harmless_too(form: str) -> None:
    drawn = write(streams(form, terminal=True), ("a",), [("\x1b]0;owned\x07\x9b2J",)])
    assert not {"\x1b", "\x07", "\x9b"} & set(drawn)


def test_rows_are_not_redacted() -> None:
    for form in FORMATS:
        assert "secret" in write(streams(form, redact=lambda _: "***"), ("a",), [("secret",)])


@pytest.mark.parametrize("form", FORMATS)
def test_memory_stays_bounded(form: str) -> None:
    class Drain(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    to = Streams(Drain(), io.StringIO(), env={}, format=form)
    writer = open_result_writer(to)
    writer.begin(("a", "b"))
    writer.rows([(0, "x" * 100)] * AHEAD)
    tracemalloc.start()
    try:
        for _ in range(20):
            writer.rows([(number, "x" * 1000) for number in range(100)])
        writer.end(SUMMARY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (SUMMARY, "served by replica (failover: primary unhealthy: connection refused) in 1.9ms, 3 rows"),
        (replace(SUMMARY, served_by="primary", failover=False, row_count=1), "served by primary in 1.9ms, 1 row"),
        (replace(SUMMARY, failover=False, row_count=10_000), "served by replica in 1.9ms, 10,000 rows"),
        (replace(SUMMARY, failover=False, row_count=None, statement_ms=2500.0), "served by replica in 2.5s"),
    ],
)
def test_receipt(result: ResultSummary, sentence: str) -> None:
    assert receipt_sentence(result) == sentence


def test_the_receipt_of_a_statement_without_rows_begins_with_its_status() -> None:
    result = replace(SUMMARY, served_by="primary", failover=False)
    assert receipt_sentence(result, "INSERT 0 3") == "INSERT 0 3; served by primary in 1.9ms"
