"""Documents in memory, with as much of MongoDB's query language as the tests speak, and the log of their changes."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

import bson

Document = dict[str, Any]
_CODEC = bson.CodecOptions(uuid_representation=4)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the stand-in
    """A command that is answered with an error: its code, the name of the code, and a sentence."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(text)
        self.code, self.name = code, name


class Store:
    """Collections by their full name, and every change that was made to them, in order."""

    def __init__(self) -> None:
        self.collections: dict[str, list[Document]] = {}
        self.log: list[Document] = []
        self.applied = 0
        self.epoch = str(bson.ObjectId())

    def change(self, name: str, put: list[Document], remove: list[Any]) -> None:
        """Makes one change and writes it down."""
        entry = {"n": len(self.log) + 1, "at": _now(), "name": name, "put": put, "remove": remove}
        self.log.append(entry)
        self.apply(entry)

    def apply(self, entry: Document) -> None:
        documents = self.collections.setdefault(entry["name"], [])
        new = {_key(one["_id"]): one for one in entry["put"]}
        gone = {_key(one) for one in entry["remove"]}
        kept = [new.pop(_key(one["_id"]), one) for one in documents if _key(one["_id"]) not in gone]
        self.collections[entry["name"]] = [*kept, *new.values()]
        self.applied = entry["n"]

    def applied_at(self) -> datetime:
        found = next((entry["at"] for entry in reversed(self.log) if entry["n"] <= self.applied), None)
        return found or datetime.fromtimestamp(0, UTC)

    def insert(self, name: str, documents: list[Document]) -> list[Document]:
        """Inserts up to the first duplicate; returns the errors."""
        for index, document in enumerate(documents):
            one = document if "_id" in document else {"_id": bson.ObjectId(), **document}
            if any(_key(other["_id"]) == _key(one["_id"]) for other in self.collections.get(name, ())):
                text = f"E11000 duplicate key error collection: {name} index: _id_ dup key: {{ _id: {one['_id']} }}"
                return [{"index": index, "code": 11000, "errmsg": text}]
            self.change(name, [one], [])
        return []

    def update(self, name: str, one: Document) -> tuple[int, int, list[Any]]:
        """How many documents matched, how many were modified, and the _id of one that was inserted instead."""
        matched = list(self.find(name, one["q"]))
        matched = matched if one.get("multi") else matched[:1]
        if not matched and one.get("upsert"):
            new = changed({"_id": bson.ObjectId(), **{k: v for k, v in one["q"].items() if k[0] != "$"}}, one["u"])
            self.change(name, [new], [])
            return 1, 0, [new["_id"]]
        put = [new for old in matched if (new := changed(old, one["u"])) != old]
        if put:
            self.change(name, put, [])
        return len(matched), len(put), []

    def delete(self, name: str, one: Document) -> int:
        found = [document["_id"] for document in self.find(name, one["q"])]
        found = found[: one["limit"] or None]
        if found:
            self.change(name, [], found)
        return len(found)

    def find(self, name: str, wanted: Mapping[str, Any]) -> Iterator[Document]:
        return (one for one in list(self.collections.get(name, ())) if matches(one, wanted))


def _now() -> datetime:
    """To the millisecond, as BSON keeps it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _key(value: Any) -> bytes:
    return bson.encode({"": value}, codec_options=_CODEC)


def matches(document: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_meets(document, key, condition) for key, condition in wanted.items())


def _meets(document: Mapping[str, Any], key: str, condition: Any) -> bool:
    if key == "$where":
        return True
    if key.startswith("$"):
        raise Refused(2, "BadValue", f"unknown top level operator: {key}")
    value = field(document, key)
    if isinstance(condition, dict) and condition and all(name.startswith("$") for name in condition):
        return all(_holds(value, name, operand) for name, operand in condition.items())
    if isinstance(condition, bson.Regex):
        return isinstance(value, str) and re.search(condition.pattern, value, condition.flags) is not None
    return bool(value == condition or (isinstance(value, list) and condition in value))


def _holds(value: Any, name: str, operand: Any) -> bool:
    match name:
        case "$eq":
            return bool(value == operand)
        case "$ne":
            return bool(value != operand)
        case "$in":
            return value in operand
        case "$regex":
            return isinstance(value, str) and re.search(operand, value) is not None
        case name if name in _COMPARE:
            return value is not None and _COMPARE[name](value, operand)
        case _:
            raise Refused(2, "BadValue", f"unknown operator: {name}")


def field(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def changed(document: Document, change: Document) -> Document:
    if not any(key.startswith("$") for key in change):
        return {"_id": document["_id"], **change}
    new = dict(document)
    for operator, fields in change.items():
        for key, value in fields.items():
            match operator:
                case "$set":
                    new[key] = value
                case "$inc":
                    new[key] = new.get(key, 0) + value
                case "$unset":
                    new.pop(key, None)
                case _:
                    raise Refused(9, "FailedToParse", f"Unknown modifier: {operator}")
    return new


def projected(document: Document, projection: Mapping[str, Any]) -> Document:
    if not projection:
        return document
    wanted = {key for key, value in projection.items() if value and key != "_id"}
    if wanted:
        wanted |= {"_id"} if projection.get("_id", 1) else set()
        return {key: value for key, value in document.items() if key in wanted}
    return {key: value for key, value in document.items() if projection.get(key, 1)}


def ordered(documents: list[Document], sort: Mapping[str, int]) -> list[Document]:
    for key, direction in reversed(list(sort.items())):
        documents = sorted(documents, key=lambda one: field(one, key), reverse=direction < 0)
    return documents
