"""What people write becomes one command."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.mongodb.command import DEEPEST, Command, only_reads, parse, with_limits
from omnidb_cli.errors import StatementError

OID = "507f1f77bcf86cd799439011"
UUID_VALUE = Binary.from_uuid(UUID("12345678-1234-5678-1234-567812345678"))
EXTENDED = (
    "$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$uuid", "$timestamp",
    "$regularExpression", "$minKey", "$maxKey", "$code",
)  # fmt: skip

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(lambda key: not key.startswith("$"))
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
)


def value_of(text: str, *parameters: str) -> Any:
    return parse(f'{{"ping": {text}}}', parameters).document["ping"]


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_json_means_what_it_says(value: Any, *, ascii_only: bool, indent: int | None) -> None:
    assert value_of(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


@given(text=st.text(alphabet='{}[]:,"?$\\/abn01.- \n') | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(StatementError):
        parse(text, ())
    with suppress(StatementError):
        value_of(text)


@given(name=st.sampled_from(EXTENDED) | st.sampled_from(["$regex", "$ref", "$id", "$param", "$db"]), value=VALUES)
def test_any_value_in_extended_json_is_read_or_refused(name: str, value: Any) -> None:
    with suppress(StatementError):
        value_of(json.dumps({name: value}), "x")


def test_a_command_keeps_its_name_in_front() -> None:
    command = parse('{"find": "orders", "filter": {"b": 1}, "limit": 5}', ())
    assert command == Command({"find": "orders", "filter": {"b": 1}, "limit": 5})
    assert command.name == "find"


def test_a_command_may_name_its_database() -> None:
    assert parse('{"listDatabases": 1, "$db": "admin"}', ()) == Command({"listDatabases": 1}, "admin")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'{{"$oid": "{OID}"}}', ObjectId(OID)),
        ('{"$date": "2026-11-23T07:30:00Z"}', datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ('{"$date": "2026-11-23T09:30:00+02:00"}', datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ('{"$date": {"$numberLong": "0"}}', datetime(1970, 1, 1, tzinfo=UTC)),
        ('{"$numberDecimal": "1.10"}', Decimal128("1.10")),
        ('{"$numberLong": "9223372036854775807"}', Int64(9223372036854775807)),
        ('{"$numberInt": "7"}', 7),
        ('{"$numberDouble": "-Infinity"}', float("-inf")),
        (
            '{"$uuid": "12345678-1234-5678-1234-567812345678"}',
            UUID_VALUE,
        ),
        ('{"$binary": {"base64": "AQL/", "subType": "05"}}', Binary(b"\x01\x02\xff", 5)),
        ('{"$timestamp": {"t": 7, "i": 8}}', Timestamp(7, 8)),
        ('{"$minKey": 1}', MinKey()),
        ('{"$maxKey": 1}', MaxKey()),
        ('{"$regularExpression": {"pattern": "^a", "options": "im"}}', Regex("^a", re.IGNORECASE | re.MULTILINE)),
        ('{"name": {"$regex": "^a", "$ne": "ab"}}', {"name": {"$regex": "^a", "$ne": "ab"}}),
        ('{"$match": {"a": {"$gt": 5}}}', {"$match": {"a": {"$gt": 5}}}),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_values_of_extended_json(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("name", EXTENDED)
def test_a_condition_beside_a_value_is_never_dropped(name: str) -> None:
    written = {
        "$oid": OID, "$date": "2026-11-23T07:30:00Z", "$numberInt": "1", "$numberLong": "1", "$numberDouble": "1",
        "$numberDecimal": "1", "$binary": {"base64": "", "subType": "00"}, "$minKey": 1, "$maxKey": 1, "$code": "x",
        "$uuid": "12345678-1234-5678-1234-567812345678", "$timestamp": {"t": 1, "i": 1},
        "$regularExpression": {"pattern": "a", "options": ""},
    }[name]  # fmt: skip
    with pytest.raises(StatementError, match="Extended JSON"):
        value_of(json.dumps({name: written, "$ne": "ab"}))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "the statement is empty"),
        (" \n", "the statement is empty"),
        ("SELECT 1", "the statement is not JSON"),
        ("show dbs", "the statement is not JSON"),
        ("db.orders.find({})", "the statement is not JSON"),
        ("{find: 'orders'}", "the statement is not JSON"),
        ('{"ping": 1} {"ping": 1}', "the statement is not JSON"),
        ('{"ping": 1', "the statement is not JSON"),
        ("[1]", "a command is a JSON document"),
        ("{}", "a command is a JSON document"),
        ('{"$db": "admin"}', "a command is a JSON document"),
        (f'{{"$oid": "{OID}"}}', "a command is a JSON document"),
        ('{"ping": 1, "$db": 5}', '"$db" is the name of a database'),
        ('{"ping": 1, "$db": ""}', '"$db" is the name of a database'),
        ('{"find": "a", "find": "b"}', "the key 'find' is given twice"),
        ('{"ping": {"$oid": "xyz"}}', "'$oid' in Extended JSON"),
        ('{"ping": {"$date": "never"}}', "'$date' in Extended JSON"),
        ('{"ping": 9223372036854775808}', "cannot be sent"),
        ('{"ping": "\\ud800"}', "not valid Unicode"),
        ('{"ping": "\udcff"}', "not valid Unicode"),
        ('{"getMore": 5}', "getMore cannot be used here"),
        ('{"find": "a", "lsid": {}}', "lsid is set by omnidb"),
        ('{"insert": "a", "documents": [{}], "writeConcern": {"w": 0}}', "a write concern of 0"),
    ],
)
def test_anything_but_one_command_is_refused(statement: str, words: str) -> None:
    with pytest.raises(StatementError) as raised:
        parse(statement, ())
    assert words in str(raised.value)


def test_nesting_has_an_end() -> None:
    deepest = DEEPEST - 1  # the command itself is the first level
    assert value_of("[" * deepest + "]" * deepest)
    for levels in (DEEPEST, 5000, 100_000):
        with pytest.raises(StatementError, match="nested deeper"):
            value_of("[" * levels + "]" * levels)


@given(text=TEXTS)
def test_a_parameter_is_the_string_that_it_is(text: str) -> None:
    assert value_of('{"a": [{"$param": 2}, {"b": {"$param": 1}}]}', "x", text) == {"a": [text, {"b": "x"}]}


def test_a_parameter_inside_extended_json_becomes_that_type() -> None:
    found = value_of('[{"$oid": {"$param": 1}}, {"$numberInt": {"$param": 2}}, {"$param": 2}]', OID, "5")
    assert found == [ObjectId(OID), 5, "5"]


@pytest.mark.parametrize(
    ("statement", "parameters", "words"),
    [
        ('{"ping": {"$param": 1}}', (), "a place for parameter 1, parameters given: 0"),
        ('{"ping": {"$param": 2}}', ("x", "y"), "parameter 1 of 2 has no place"),
        ('{"ping": 1}', ("x",), "parameter 1 of 1 has no place"),
        ('{"ping": {"$param": 0}}', ("x",), "counted from 1"),
        ('{"ping": {"$param": true}}', ("x",), "counted from 1"),
        ('{"ping": {"$param": "1"}}', ("x",), "counted from 1"),
        ('{"ping": {"$param": 1, "$ne": 2}}', ("x",), "with nothing beside it"),
        ('{"ping": {"$oid": {"$param": 1}}}', ("x",), "'$oid' in Extended JSON"),
        ('{"ping": {"$param": 1}}', ("\udcff",), "not valid Unicode"),
    ],
)
def test_parameters_and_places_must_agree(statement: str, parameters: tuple[str, ...], words: str) -> None:
    with pytest.raises(StatementError) as raised:
        parse(statement, parameters)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "statement",
    [
        '{"find": "a"}',
        '{"count": "a"}',
        '{"distinct": "a", "key": "b"}',
        '{"aggregate": "a", "pipeline": [{"$lookup": {"from": "b", "pipeline": [{"$match": {}}], "as": "c"}}]}',
        '{"explain": {"find": "a"}}',
        '{"collStats": "a"}',
        '{"replSetGetStatus": 1, "$db": "admin"}',
        '{"hello": 1}',
    ],
)
def test_reads(statement: str) -> None:
    assert only_reads(parse(statement, ()))


@pytest.mark.parametrize(
    "statement",
    [
        '{"insert": "a", "documents": [{}]}',
        '{"aggregate": "a", "pipeline": [{"$out": "b"}]}',
        '{"aggregate": "a", "pipeline": [{"$merge": {"into": "b"}}]}',
        '{"aggregate": "a", "pipeline": [{"$lookup": {"from": "b", "pipeline": [{"$out": "c"}], "as": "c"}}]}',
        '{"explain": {"aggregate": "a", "pipeline": [{"$out": "b"}]}}',
        '{"explain": "a"}',
        '{"Find": "a"}',
        '{"eval": "x"}',
        '{"create": "a"}',
        '{"nobodyKnows": 1}',
    ],
)
def test_what_is_not_known_to_be_a_read_is_none(statement: str) -> None:
    assert not only_reads(parse(statement, ()))


@pytest.mark.parametrize(
    ("projection", "columns"),
    [
        (None, ()),
        ({"b": 1, "c.d": 1, "c.e": 1}, ("_id", "b", "c")),
        ({"b": 1, "_id": 0}, ("b",)),
        ({"b": 0}, ()),
        ({"_id": 0}, ()),
        ({"_id": 1}, ("_id",)),
        ({"b": True}, ("_id", "b")),
        ({"b": {"$slice": 1}}, ()),
    ],
)
def test_a_projection_names_columns(projection: object, columns: tuple[str, ...]) -> None:
    assert parse(json.dumps({"find": "a", "projection": projection}), ()).columns == columns


def test_limits_are_added_and_the_statement_s_own_are_kept() -> None:
    assert with_limits(parse('{"find": "a"}', ()), 2.5) == {"find": "a", "batchSize": 1000, "maxTimeMS": 2500}
    assert with_limits(parse('{"aggregate": "a", "pipeline": [], "cursor": {"batchSize": 3}}', ()), 1) == {
        "aggregate": "a", "pipeline": [], "cursor": {"batchSize": 3}, "maxTimeMS": 1000,
    }  # fmt: skip
    assert with_limits(parse('{"find": "a", "maxTimeMS": 5}', ()), 1)["maxTimeMS"] == 5
    assert with_limits(parse('{"find": "a", "maxTimeMS": 5000}', ()), 1)["maxTimeMS"] == 1000
    assert with_limits(parse('{"find": "a"}', ()), 0)["maxTimeMS"] == 1  # 0 would be no limit
