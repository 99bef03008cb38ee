"""Reading what people write for MongoDB."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from omnidb_cli.drivers.mongodb.literal import DEEPEST, Reader
from omnidb_cli.errors import StatementError

OID = "507f1f77bcf86cd799439011"


def read(text: str, *parameters: str) -> Any:
    reader = Reader(text, parameters)
    value = reader.value()
    reader.end()
    return value


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
KEYS = st.text().filter(lambda key: not key.startswith("$"))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_json_is_read_as_json_has_it(value: Any, *, ascii_only: bool, indent: int | None) -> None:
    assert read(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


def quoted(text: str) -> str:
    inner = re.sub(r"[\\'\x00-\x1f]", lambda found: f"\\x{ord(found[0]):02x}", text)
    return f"'{inner}'"


@given(text=st.text())
def test_strings_in_single_quotes(text: str) -> None:
    assert read(quoted(text)) == text


@given(key=st.from_regex(r"[A-Za-z_][A-Za-z0-9_$]*", fullmatch=True), value=SCALARS)
@example(key="new", value=1)
@example(key="null", value=1)
@example(key="ObjectId", value=1)
def test_keys_without_quotes(key: str, value: Any) -> None:
    assert read(f"{{{key}: {json.dumps(value)} /* said */, }} // done") == {key: value}


@given(text=st.text())
def test_a_parameter_is_the_string_that_it_is(text: str) -> None:
    assert read("{a: [?, {b: ?}]}", text, "x") == {"a": [text, {"b": "x"}]}


@given(text=st.text(alphabet="{}[]():,'\"?$\\/abn01.- \n") | st.text())
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with suppress(StatementError):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'ObjectId("{OID}")', ObjectId(OID)),
        (f'{{"$oid": "{OID}"}}', ObjectId(OID)),
        ('ISODate("2026-11-23T07:30:00Z")', datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ('ISODate("2026-11-23")', datetime(2026, 11, 23, tzinfo=UTC)),
        ('new Date("2026-11-23T09:30:00+02:00")', datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ("new Date(0)", datetime(1970, 1, 1, tzinfo=UTC)),
        ('{"$date": "2026-11-23T07:30:00Z"}', datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ('NumberDecimal("1.10")', Decimal128("1.10")),
        ('{"$numberDecimal": "1.10"}', Decimal128("1.10")),
        ('NumberLong("9223372036854775807")', Int64(9223372036854775807)),
        ("NumberInt(7)", 7),
        ("NumberInt('7')", 7),
        ("Double(7)", 7.0),
        ('UUID("12345678-1234-5678-1234-567812345678")', UUID("12345678-1234-5678-1234-567812345678")),
        ('BinData(5, "AQL/")', Binary(b"\x01\x02\xff", 5)),
        ('HexData(0, "0102ff")', Binary(b"\x01\x02\xff", 0)),
        ("Timestamp(7, 8)", Timestamp(7, 8)),
        ("Timestamp({t: 7, i: 8})", Timestamp(7, 8)),
        ("MinKey", MinKey()),
        ("MaxKey()", MaxKey()),
        ("/a\\/b/im", Regex("a\\/b", re.IGNORECASE | re.MULTILINE)),
        ('RegExp("^a", "i")', Regex("^a", re.IGNORECASE)),
        ('{name: {$regex: "^a", $ne: "ab"}}', {"name": {"$regex": "^a", "$ne": "ab"}}),
        ("{$match: {a: {$gt: 5}}}", {"$match": {"a": {"$gt": 5}}}),
        ("0x1F", 31),
        ("-.5e1", -5.0),
        ("-Infinity", float("-inf")),
        ("'\\u00e9\\u{1F600}\\'\\n'", "é😀'\n"),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_the_shell_s_values(text: str, value: object) -> None:
    found = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{a: 1", 'expected "}", found the end'),
        ("{a 1}", 'expected ":", found "1" at character 4'),
        ("[1 2]", 'expected "]", found "2" at character 4'),
        ("{a: 1} {b: 2}", 'expected the end of the statement, found "{" at character 8'),
        ("{a: b}", "b at character 5 is not a value"),
        ("'open", "at character 1 there is a string that does not end"),
        ("{a: 1, a: 2}", 'the key "a" at character 8 is given twice'),
        ('ObjectId("xyz")', "ObjectId at character 1: an ObjectId has 24 hexadecimal digits"),
        ('ISODate("yesterday")', "ISODate at character 1"),
        ("NumberInt(4294967296)", "out of range"),
        ("9223372036854775808", "more than 64 bits"),
        ('"\\ud800"', "is not valid Unicode"),
        ("{a: ?}", "placeholders in the statement: 1, parameters given: 0"),
        ("1 + 1", '"+", which means nothing there'),
        ("{a: 1, ...b}", "expected a key"),
        ("@", "at character 1"),
        ("/a/q", "a regular expression has no flag q"),
        ('{"$date": "never"}', "$date in Extended JSON"),
    ],
)
def test_what_is_refused_is_said(text: str, words: str) -> None:
    with pytest.raises(StatementError) as raised:
        read(text)
    assert words in str(raised.value)


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(StatementError, match="placeholders in the statement: 1, parameters given: 2"):
        read("{a: ?}", "x", "y")


def test_nesting_has_an_end() -> None:
    assert read("[" * DEEPEST + "]" * DEEPEST)
    with pytest.raises(StatementError, match="nested deeper"):
        read("[" * 100_000)


def test_a_string_after_a_parameter_is_made_what_it_should_be() -> None:
    assert read("{_id: ObjectId(?), n: NumberInt(?)}", OID, "5") == {"_id": ObjectId(OID), "n": 5}
