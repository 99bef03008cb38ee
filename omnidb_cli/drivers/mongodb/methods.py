"""The methods of a collection in MongoDB's shell, as the commands that they stand for."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.mongodb.plan import Command, Plan, projected
from omnidb_cli.errors import StatementError


def _find(collection: str, wanted: Any = None, projection: Any = None, options: Any = None) -> Plan:
    command: Command = {"find": collection, "filter": _a_document(wanted)}
    if projection is not None:
        command["projection"] = _a_document(projection)
    return Plan(command | _a_document(options), columns=projected(projection))


def _find_one(collection: str, wanted: Any = None, projection: Any = None, options: Any = None) -> Plan:
    found = _find(collection, wanted, projection, options)
    return replace(found, command=found.command | {"limit": 1, "singleBatch": True})


def _count_documents(collection: str, wanted: Any = None, options: Any = None) -> Plan:
    given = dict(_a_document(options))
    stages: list[Command] = [{"$match": _a_document(wanted)}]
    stages += [{f"${name}": given.pop(name)} for name in ("skip", "limit") if name in given]
    pipeline = [*stages, {"$count": "count"}]
    return Plan({"aggregate": collection, "pipeline": pipeline, **given}, columns=("count",), counts="count")


def _estimated(collection: str) -> Plan:
    return Plan({"count": collection})


def _distinct(collection: str, key: str, wanted: Any = None) -> Plan:
    return Plan({"distinct": collection, "key": key, "query": _a_document(wanted)})


def _aggregate(collection: str, pipeline: Any = None, options: Any = None, *more: Any) -> Plan:
    if not isinstance(pipeline, list):
        stages = [stage for stage in (pipeline, options, *more) if stage is not None]
        return Plan({"aggregate": collection, "pipeline": [_a_document(stage) for stage in stages]})
    return Plan({"aggregate": collection, "pipeline": pipeline, **_a_document(options)})


def _insert_one(collection: str, document: Any, options: Any = None) -> Plan:
    return _insert_many(collection, [document], options)


def _insert_many(collection: str, documents: Any, options: Any = None) -> Plan:
    if not isinstance(documents, list) or not documents:
        raise StatementError("insertMany takes a list of documents: [{…}, {…}]")
    return Plan({"insert": collection, "documents": [_a_document(one) for one in documents], **_a_document(options)})


def _update(*, multi: bool, whole: bool = False) -> Callable[..., Plan]:
    def make(collection: str, wanted: Any, change: Any, options: Any = None) -> Plan:
        given = dict(_a_document(options))
        change = change if isinstance(change, list) else _a_document(change)
        operators = isinstance(change, list) or (bool(change) and all(key.startswith("$") for key in change))
        if operators is whole:
            hint = "replaceOne takes a whole document" if whole else "updateOne takes {$set: {…}}"
            raise StatementError("the change is of the wrong form", hint=hint)
        one = {"q": _a_document(wanted, required=True), "u": change, "multi": multi}
        one |= {name: given.pop(name) for name in ("upsert", "collation", "arrayFilters", "hint") if name in given}
        return Plan({"update": collection, "updates": [one], **given})

    return make


def _delete(limit: int) -> Callable[..., Plan]:
    def make(collection: str, wanted: Any, options: Any = None) -> Plan:
        given = dict(_a_document(options))
        one = {"q": _a_document(wanted, required=True), "limit": limit}
        one |= {name: given.pop(name) for name in ("collation", "hint") if name in given}
        return Plan({"delete": collection, "deletes": [one], **given})

    return make


def _a_document(value: Any, *, required: bool = False) -> Command:
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise StatementError(f"expected a document {{…}}, found {value!r:.40}")
    return value


METHODS: Mapping[str, Callable[..., Plan]] = {
    "find": _find,
    "findOne": _find_one,
    "countDocuments": _count_documents,
    "estimatedDocumentCount": _estimated,
    "distinct": _distinct,
    "aggregate": _aggregate,
    "insertOne": _insert_one,
    "insertMany": _insert_many,
    "updateOne": _update(multi=False),
    "updateMany": _update(multi=True),
    "replaceOne": _update(multi=False, whole=True),
    "deleteOne": _delete(1),
    "deleteMany": _delete(0),
}
