"""The commands that read and write documents, as the stand-in for mongod carries them out."""

import asyncio
from typing import Any

import bson

from tests.servers._mongodb_store import Document, Refused, Store, field, matches, ordered, projected


class Data:
    """Each method is the command of its name, in lower case; it is given whoever asks, and the command."""

    def __init__(self) -> None:
        self.store = Store()
        self.cursors: dict[int, list[Document]] = {}

    async def do_find(self, _client: object, command: Document) -> Document:
        if "sleep" in str((command.get("filter") or {}).get("$where", "")):
            await asyncio.Event().wait()
        name = f"{command['$db']}.{command['find']}"
        documents = ordered(list(self.store.find(name, command.get("filter") or {})), command.get("sort") or {})
        limit = command.get("limit") or None
        documents = documents[command.get("skip", 0) :][:limit]
        shown = [projected(one, command.get("projection") or {}) for one in documents]
        return self._cursor(name, shown, command.get("batchSize", 101), single=bool(command.get("singleBatch")))

    def _cursor(self, name: str, documents: list[Document], size: int, *, single: bool = False) -> Document:
        first, rest = documents[:size], documents[size:]
        number = 0
        if rest and not single:
            number = len(self.cursors) + 1000
            self.cursors[number] = rest
        return {"cursor": {"id": bson.Int64(number), "ns": name, "firstBatch": first}}

    def do_getmore(self, _client: object, command: Document) -> Document:
        number, size = command["getMore"], command.get("batchSize", 1000)
        if number not in self.cursors:
            raise Refused(43, "CursorNotFound", f"cursor id {number} not found")
        batch, rest = self.cursors[number][:size], self.cursors[number][size:]
        self.cursors[number] = rest
        if not rest:
            del self.cursors[number]
        return {"cursor": {"id": bson.Int64(number if rest else 0), "ns": "a.b", "nextBatch": batch}}

    def do_killcursors(self, _client: object, command: Document) -> Document:
        for number in command["cursors"]:
            self.cursors.pop(number, None)
        return {"cursorsKilled": command["cursors"]}

    async def do_aggregate(self, _client: object, command: Document) -> Document:
        name = f"{command['$db']}.{command['aggregate']}"
        documents: list[Document] = list(self.store.find(name, {}))
        for stage in command["pipeline"]:
            documents = await self._stage(command["$db"], documents, *next(iter(stage.items())))
        return self._cursor(name, documents, (command.get("cursor") or {}).get("batchSize", 101))

    async def _stage(self, database: str, documents: list[Document], kind: str, given: Any) -> list[Document]:
        match kind:
            case "$match":
                return [one for one in documents if matches(one, given)]
            case "$documents":
                return list(given)
            case "$sort":
                return ordered(documents, given)
            case "$limit":
                return documents[:given]
            case "$skip":
                return documents[given:]
            case "$project":
                return [projected(one, given) for one in documents]
            case "$count":
                return [{given: len(documents)}] if documents else []
            case "$out":
                self.store.insert(f"{database}.{given}", documents)
                return []
            case _:
                raise Refused(40324, "Location40324", f"Unrecognized pipeline stage name: '{kind}'")

    def do_count(self, _client: object, command: Document) -> Document:
        return {"n": len(list(self.store.find(f"{command['$db']}.{command['count']}", command.get("query") or {})))}

    def do_distinct(self, _client: object, command: Document) -> Document:
        found = self.store.find(f"{command['$db']}.{command['distinct']}", command.get("query") or {})
        values: list[Any] = []
        for one in found:
            if (value := field(one, command["key"])) not in values:
                values.append(value)
        return {"values": values}

    def do_listcollections(self, _client: object, command: Document) -> Document:
        names = [name.partition(".")[2] for name in self.store.collections if name.startswith(f"{command['$db']}.")]
        return self._cursor("$cmd.listCollections", [{"name": name, "type": "collection"} for name in names], 101)

    def do_explain(self, _client: object, command: Document) -> Document:
        return {"queryPlanner": {"namespace": str(next(iter(command["explain"].values())))}}

    def do_insert(self, _client: object, command: Document) -> Document:
        before = self.store.applied
        errors = self.store.insert(f"{command['$db']}.{command['insert']}", command["documents"])
        answer: Document = {"n": self.store.applied - before}
        return answer | {"writeErrors": errors} if errors else answer

    def do_update(self, _client: object, command: Document) -> Document:
        answer: Document = {"n": 0, "nModified": 0}
        for index, one in enumerate(command["updates"]):
            matched, modified, upserted = self.store.update(f"{command['$db']}.{command['update']}", one)
            answer["n"] += matched
            answer["nModified"] += modified
            if upserted:
                answer.setdefault("upserted", []).extend({"index": index, "_id": new} for new in upserted)
        return answer

    def do_delete(self, _client: object, command: Document) -> Document:
        name = f"{command['$db']}.{command['delete']}"
        return {"n": sum(self.store.delete(name, one) for one in command["deletes"])}
