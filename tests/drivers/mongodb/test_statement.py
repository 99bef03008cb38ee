"""What people write becomes one command."""

from typing import Any

import pytest

from omnidb_cli.drivers.mongodb.plan import Plan, only_reads, with_limits
from omnidb_cli.drivers.mongodb.statement import plan
from omnidb_cli.errors import StatementError


@pytest.mark.parametrize(
    ("statement", "command"),
    [
        ('{"find": "orders", "limit": 5}', {"find": "orders", "limit": 5}),
        ("db.orders.find()", {"find": "orders", "filter": {}}),
        ("db.orders.eu.find({a: 1})", {"find": "orders.eu", "filter": {"a": 1}}),
        ("db.getCollection('a-b').find({})", {"find": "a-b", "filter": {}}),
        (
            "db.a.find({}, {b: 1}).sort({b: -1}).skip(2).limit(3).pretty()",
            {"find": "a", "filter": {}, "projection": {"b": 1}, "sort": {"b": -1}, "skip": 2, "limit": 3},
        ),
        ("db.a.find().limit(-3)", {"find": "a", "filter": {}, "limit": 3, "singleBatch": True}),
        ("db.a.findOne({b: 1})", {"find": "a", "filter": {"b": 1}, "limit": 1, "singleBatch": True}),
        (
            "db.a.countDocuments({b: 1}, {limit: 5, hint: 'x'})",
            {"aggregate": "a", "pipeline": [{"$match": {"b": 1}}, {"$limit": 5}, {"$count": "count"}], "hint": "x"},
        ),
        ("db.a.aggregate({$match: {}}, {$limit: 1})", {"aggregate": "a", "pipeline": [{"$match": {}}, {"$limit": 1}]}),
        (
            "db.a.aggregate([{$match: {}}], {allowDiskUse: true})",
            {"aggregate": "a", "pipeline": [{"$match": {}}], "allowDiskUse": True},
        ),
        ("db.aggregate([{$currentOp: {}}])", {"aggregate": 1, "pipeline": [{"$currentOp": {}}]}),
        ("db.a.insertOne({b: 1})", {"insert": "a", "documents": [{"b": 1}]}),
        (
            "db.a.insertMany([{b: 1}, {b: 2}], {ordered: false})",
            {"insert": "a", "documents": [{"b": 1}, {"b": 2}], "ordered": False},
        ),
        (
            "db.a.updateMany({b: 1}, {$set: {c: 2}}, {upsert: true})",
            {"update": "a", "updates": [{"q": {"b": 1}, "u": {"$set": {"c": 2}}, "multi": True, "upsert": True}]},
        ),
        (
            "db.a.updateOne({}, [{$set: {c: 2}}])",
            {"update": "a", "updates": [{"q": {}, "u": [{"$set": {"c": 2}}], "multi": False}]},
        ),
        ("db.a.replaceOne({}, {c: 2})", {"update": "a", "updates": [{"q": {}, "u": {"c": 2}, "multi": False}]}),
        ("db.a.deleteOne({})", {"delete": "a", "deletes": [{"q": {}, "limit": 1}]}),
        ("db.a.deleteMany({b: 1})", {"delete": "a", "deletes": [{"q": {"b": 1}, "limit": 0}]}),
        ("db.getCollectionNames()", {"listCollections": 1, "nameOnly": True}),
        ("db.runCommand('ping')", {"ping": 1}),
        ("  db . a . find ( ) ;; ", {"find": "a", "filter": {}}),
    ],
)
def test_statements(statement: str, command: dict[str, Any]) -> None:
    planned = plan(statement, ())
    assert planned.command == command
    assert next(iter(planned.command)) == next(iter(command))
    assert planned.database is None


def test_an_admin_command_goes_to_the_admin_database() -> None:
    assert plan("db.adminCommand({listDatabases: 1})", ()) == Plan({"listDatabases": 1}, "admin")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "the statement is empty"),
        (" // nothing\n", "the statement is empty"),
        ("SELECT 1", "expected a command, found 'SELECT'"),
        ("show dbs", "expected a command"),
        ("{}", "a command is a document"),
        ("db", "a method"),
        ("db.a", "a method"),
        ("db.a.find", "a method"),
        ("db.a.drop()", "the method drop is not known here"),
        ("db.dropDatabase()", "db.dropDatabase is not known here"),
        ("db['a'].find()", 'db.getCollection("…")'),
        ("db.a.find().count()", ".count at character 13 cannot follow find"),
        ("db.a.deleteMany({}).limit(1)", ".limit at character 21 cannot follow deleteMany"),
        ("db.a.deleteMany()", "deleteMany does not take 0 arguments"),
        ("db.a.deleteMany(null)", "expected a document"),
        ("db.a.updateMany(null, {$set: {a: 1}})", "expected a document"),
        ("db.a.updateOne({}, {a: 1})", "the change is of the wrong form"),
        ("db.a.replaceOne({}, {$set: {a: 1}})", "the change is of the wrong form"),
        ("db.a.insertMany([])", "a list of documents"),
        ("db.a.find(1)", "expected a document"),
        ("db.a.find({}); db.a.find({})", "expected the end of the statement"),
        ('{"getMore": 5}', "getMore has no sense here"),
        ('{"find": "a", "lsid": {}}', "lsid is set by omnidb"),
        ('{"insert": "a", "documents": [{}], "writeConcern": {"w": 0}}', "a write concern of 0"),
        ("db.a.find({name: \udcff})", "not valid UTF-8"),
    ],
)
def test_what_is_none_is_refused(statement: str, words: str) -> None:
    with pytest.raises(StatementError) as raised:
        plan(statement, ())
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "statement",
    [
        "db.a.find()",
        "db.a.findOne()",
        "db.a.countDocuments()",
        "db.a.distinct('b')",
        "db.a.aggregate([{$match: {}}, {$lookup: {from: 'b', pipeline: [{$match: {}}], as: 'c'}}])",
        "db.runCommand({explain: {find: 'a'}})",
        "db.runCommand({collStats: 'a'})",
        "db.adminCommand({replSetGetStatus: 1})",
        '{"hello": 1}',
    ],
)
def test_reads(statement: str) -> None:
    assert only_reads(plan(statement, ()))


@pytest.mark.parametrize(
    "statement",
    [
        "db.a.insertOne({})",
        "db.a.aggregate([{$out: 'b'}])",
        "db.a.aggregate([{$merge: {into: 'b'}}])",
        "db.a.aggregate([{$lookup: {from: 'b', pipeline: [{$out: 'c'}], as: 'c'}}])",
        "db.runCommand({explain: {aggregate: 'a', pipeline: [{$out: 'b'}]}})",
        "db.runCommand({explain: 'a'})",
        "db.runCommand({Find: 'a'})",
        "db.runCommand({eval: 'x'})",
        "db.runCommand({create: 'a'})",
        "db.runCommand({nobodyKnows: 1})",
    ],
)
def test_what_is_not_known_to_be_a_read_is_none(statement: str) -> None:
    assert not only_reads(plan(statement, ()))


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("db.a.find()", ()),
        ("db.a.find({}, {b: 1, 'c.d': 1, 'c.e': 1})", ("_id", "b", "c")),
        ("db.a.find({}, {b: 1, _id: 0})", ("b",)),
        ("db.a.find({}, {b: 0})", ()),
        ("db.a.find({}, {_id: 0})", ()),
        ("db.a.find({}, {_id: 1})", ("_id",)),
        ("db.a.find().projection({b: true})", ("_id", "b")),
        ('{"find": "a", "projection": {"b": {"$slice": 1}}}', ()),
    ],
)
def test_a_projection_names_columns(statement: str, columns: tuple[str, ...]) -> None:
    assert plan(statement, ()).columns == columns


def test_limits_are_added_and_the_statement_s_own_are_kept() -> None:
    assert with_limits(plan("db.a.find()", ()), 2.5) == {
        "find": "a", "filter": {}, "batchSize": 1000, "maxTimeMS": 2500,
    }  # fmt: skip
    assert with_limits(plan('{"aggregate": "a", "pipeline": [], "cursor": {"batchSize": 3}}', ()), 1) == {
        "aggregate": "a", "pipeline": [], "cursor": {"batchSize": 3}, "maxTimeMS": 1000,
    }  # fmt: skip
    assert with_limits(plan("db.a.find().batchSize(7).maxTimeMS(5)", ()), 1)["maxTimeMS"] == 5
    assert with_limits(plan("db.a.find().maxTimeMS(5000)", ()), 1)["maxTimeMS"] == 1000
    assert with_limits(plan("db.a.find()", ()), 0)["maxTimeMS"] == 1  # 0 would be no limit
