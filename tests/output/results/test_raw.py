"""A single column as the server sent it."""

import io
from collections.abc import Sequence

import pytest

from omnidb_cli.output.results.raw import SeveralColumnsError
from omnidb_cli.output.results.writer import open_result_writer
from omnidb_cli.output.streams import Streams
from tests.output.results.test_model import INFO, SUMMARY


def raw(columns: Sequence[str], *rows: Sequence[object]) -> bytes:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    to = Streams(out, io.StringIO(), env={})
    to.raw = True
    write_to(to, columns, rows)
    return out.buffer.getvalue()


def write_to(to: Streams, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    writer = open_result_writer(to)
    writer.begin(columns)
    writer.rows(rows)
    writer.end(SUMMARY)


def test_raw_is_what_the_server_sent() -> None:
    assert raw(("value",), (INFO,)) == INFO.encode() + b"\n"
    assert raw(("value",), ("é",), (b"\x00\xff",), (None,), (7,)) == "é\n".encode() + b"\x00\xff\n\n7\n"
    assert raw(()) == b""


def test_raw_has_a_single_column() -> None:
    with pytest.raises(SeveralColumnsError, match="has 2: a, b"):
        raw(("a", "b"), (1, 2))
