"""What is written a column at a time, held to the formats' definitions, which know nothing but single values."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from itertools import zip_longest
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omnidb_cli.output.results.columns import BLOCK_ROWS, blocks, column_texts, plain_texts
from omnidb_cli.output.results.model import unique_names
from omnidb_cli.output.results.table import AHEAD
from omnidb_cli.output.results.writer import open_result_writer
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal.layout import display_width
from omnidb_cli.output.values import visible
from tests.output.results.test_model import SUMMARY, write
from tests.output.scenes import streams

Word = StrEnum("Word", {"A": "a,b"})
Level = IntEnum("Level", {"LOW": 1})
Row = Sequence[object]


class Name(str):
    __slots__ = ()


TEXT = st.text(st.characters(codec=None, categories=None)) | st.text(
    st.sampled_from(' ,"\r\n\t\\%s\x00\x7fé\u2028\ud800')
)
NUMBER = st.integers() | st.floats() | st.decimals()
MOMENT = st.datetimes() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]))
SPAN = st.dates() | st.times() | st.timedeltas() | MOMENT
RARE = st.sampled_from([Word.A, Level.LOW, Name("a,b"), UUID(int=1), memoryview(b"\x00"), bytearray(b"\xff")])
NESTED = st.lists(TEXT | NUMBER | st.binary()) | st.dictionaries(TEXT, NUMBER | SPAN)
KINDS = (TEXT, st.integers(), st.floats(), st.decimals(), st.booleans(), st.binary(), SPAN, NESTED, RARE)


@st.composite
def results(draw: st.DrawFn) -> tuple[list[str], list[Row]]:
    """Columns of one kind, with and without NULL, and columns of everything."""
    kinds = draw(st.lists(st.sampled_from([*KINDS, st.one_of(*KINDS), st.none()]), min_size=1, max_size=4))
    nullable = [draw(st.sampled_from([kind, kind | st.none()])) for kind in kinds]
    return draw(st.lists(TEXT, min_size=len(kinds), max_size=len(kinds))), draw(st.lists(st.tuples(*nullable)))


def in_json(value: object) -> object:
    """The value in JSON's types, as the documentation has it."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return (
                value
                if abs(value) < float("inf")
                else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
            )
        case str():
            return str(value)
        case Decimal():
            return format(value, "f") if "E-" in str(value) else str(value)
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case datetime():
            return moment(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return span(value)
        case dict():
            return {key: in_json(item) for key, item in value.items()}
        case list():
            return [in_json(item) for item in value]
        case _:
            return str(value)


def moment(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    try:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        return value.isoformat(timespec="microseconds")


def span(value: timedelta) -> str:
    sign, size = ("-", -value) if value < timedelta(0) else ("", value)
    seconds = f"{Decimal(size.microseconds).scaleb(-6) + size.seconds:f}"
    return f"{sign}P{size.days}DT{seconds.rstrip('0').rstrip('.') if '.' in seconds else seconds}S"


def as_text(value: object) -> str:
    found = in_json(value)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def csv_record(row: Row) -> str:
    def field(value: object) -> str:
        if value is None:
            return ""
        text = as_text(value)
        bare = text and text == text.strip() and not set(text) & set(',"\r\n')
        return text if bare else '"' + text.replace('"', '""') + '"'

    return ('""' if row == (None,) else ",".join(map(field, row))) + "\n"


def tsv_record(row: Row) -> str:
    escapes = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}

    def field(value: object) -> str:
        return "\\N" if value is None else "".join(escapes.get(char, char) for char in as_text(value))

    return "\t".join(map(field, row)) + "\n"


def json_text(value: object, *, ascii_only: bool = False) -> str:
    def harmless(char: str) -> str:
        return f"\\u{ord(char):04x}" if char != visible(char) and ord(char) >= 0x7F else char

    return "".join(map(harmless, json.dumps(in_json(value), ensure_ascii=ascii_only)))


NOT_FINITE = (["f"], [(0.5,), (float("nan"),), (None,), (float("-inf"),)])
BLANK = (["a", "b"], [("x", "y"), ("x ", ""), (None, "")])


@example(BLANK)
@given(results())
def test_csv(result: tuple[list[str], list[Row]]) -> None:
    columns, rows = result
    assert write(streams("csv"), columns, rows) == "".join(map(csv_record, [tuple(columns), *rows]))


@given(results())
def test_tsv(result: tuple[list[str], list[Row]]) -> None:
    columns, rows = result
    assert write(streams("tsv"), columns, rows) == "".join(map(tsv_record, [columns, *rows]))


@example(result=NOT_FINITE, ascii_only=False)
@given(result=results(), ascii_only=st.booleans())
def test_json_lines(result: tuple[list[str], list[Row]], ascii_only: bool) -> None:
    columns, rows = result
    keys = unique_names(columns)
    lines = [json_text(dict(zip(keys, row, strict=True)), ascii_only=ascii_only) + "\n" for row in rows]
    assert written("jsonl", columns, rows, ascii_only=ascii_only) == "".join(lines)


@example(result=NOT_FINITE, ascii_only=False)
@given(result=results(), ascii_only=st.booleans())
def test_json_rows(result: tuple[list[str], list[Row]], ascii_only: bool) -> None:
    columns, rows = result
    text = written("json", columns, rows, ascii_only=ascii_only)
    lines = [json_text(list(row), ascii_only=ascii_only) for row in rows]
    assert text.partition('"rows": [')[2].partition('],\n  "requested"')[0].removesuffix("\n  ") == (
        "\n    " + ",\n    ".join(lines) if lines else ""
    )


def written(form: str, columns: list[str], rows: list[Row], *, ascii_only: bool) -> str:
    if not ascii_only:
        return write(streams(form), columns, rows)
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    writer = open_result_writer(Streams(out, io.StringIO(), env={}, format=form))
    writer.begin(columns)
    writer.rows(rows)
    writer.end(SUMMARY)
    out.flush()
    return out.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]


@given(results())
def test_table(result: tuple[list[str], list[Row]]) -> None:
    columns, rows = result
    alone = rows[0][0] if len(columns) == len(rows) == 1 else None
    if isinstance(alone, str) and "\n" in alone:
        text = "\n".join(visible_lines_of(alone))
        assert write(streams(), columns, rows).removesuffix("\n") == text.removesuffix("\n")
        return
    cells = [line for row in rows for line in cell_lines(row)]
    lines = [list(map(visible, columns)), *cells]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    right = [numbers(column) for column in zip(*rows, strict=True)] or [False] * len(columns)

    def padded(text: str, width: int, to_the_right: bool) -> str:
        blanks = " " * (width - display_width(text))
        return blanks + text if to_the_right else text + blanks

    expected = ["  ".join(map(padded, line, widths, right)).rstrip(" ") for line in lines]
    assert write(streams(), columns, rows) == "".join(line + "\n" for line in expected)


def cell_lines(row: Row) -> list[list[str]]:
    """The row as the lines of its cells."""
    texts = ["NULL" if value is None else as_text(value).replace("\r\n", "\n") for value in row]
    parts = [list(map(visible, text.split("\n"))) for text in texts]
    return [list(line) for line in zip_longest(*parts, fillvalue="")]


def visible_lines_of(text: str) -> list[str]:
    """A single text keeps its tabs too."""
    return ["\t".join(map(visible, line.split("\t"))) for line in text.replace("\r\n", "\n").split("\n")]


def numbers(column: Sequence[object]) -> bool:
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(one, int | float | Decimal) and not isinstance(one, bool) for one in known)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "table"])
def test_where_blocks_and_batches_end_does_not_show(form: str) -> None:
    rows = [(number, f"item {number}" if number % 3 else None) for number in range(max(BLOCK_ROWS, AHEAD) * 2 + 7)]
    whole = write(streams(form), ("a", "b"), rows)
    ahead = rows[3 : AHEAD + 5]
    assert write(streams(form), ("a", "b"), rows[:3], [], ahead, rows[AHEAD + 5 :]) == whole
    assert whole.count("item") == sum(1 for _, name in rows if name)


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "table"])
def test_rows_of_two_lengths_are_a_defect_and_not_cut(form: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        write(streams(form), ("a", "b"), [(1, 2), (3,)])


@pytest.mark.parametrize(("form", "expected"), [("csv", '""\n""\n'), ("tsv", "\n\n"), ("jsonl", "{}\n{}\n")])
def test_rows_without_a_value_are_rows(form: str, expected: str) -> None:
    assert write(streams(form), (), [(), ()]) == expected


def test_blocks_hold_every_row_in_order() -> None:
    rows = [(number,) for number in range(BLOCK_ROWS * 2 + 1)]
    found = list(blocks(iter(rows)))
    assert [len(block) for block in found] == [BLOCK_ROWS, BLOCK_ROWS, 1]
    assert [row for block in found for row in block] == rows


def test_a_column_of_one_type_is_said_to_be_of_it() -> None:
    def known(values: Sequence[object], kind: type | None) -> Sequence[str]:
        return [f"{kind and kind.__name__} {text}" for text in plain_texts(values, kind)]

    def found(*values: object) -> list[str]:
        return list(column_texts(values, null="-", known=known))

    assert found(1, None, 2) == ["int 1", "-", "int 2"]
    assert found(1, None, True) == ["None 1", "-", "None true"]
    assert found(None, None) == ["-", "-"]
