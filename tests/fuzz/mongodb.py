"""A MongoDB server that is made up."""

import asyncio
from datetime import UTC, datetime

import bson

from tests.drivers.hostile import MONGODB_HELLO
from tests.fuzz.dice import Dice, Mouth
from tests.servers._mongodb_wire import Document, receive, reply

STATEMENT = '{"find": "t"}'
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def conversation(dice: Dice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    mouth = Mouth(dice, writer)
    set_name = dice.choice(({}, {"setName": "rs", "me": "a:1", "hosts": ["a:1"]}))
    while True:
        number, kind, command, _ = await receive(reader)
        document = _answer(dice, command) | set_name
        if dice.random() < 0.15:
            document[dice.choice(list(document))] = _value(dice, 0)
        await mouth.say(reply(number, kind, document))


def _answer(dice: Dice, command: Document) -> Document:
    if "payload" in command or "speculativeAuthenticate" in command:
        start = command.get("speculativeAuthenticate") or command
        nonce = bytes(start.get("payload", b"")).rpartition(b"r=")[2]
        first = b"r=%sabc,s=c2FsdHNhbHQ=,i=%d" % (nonce, dice.choice((4096, 1, 10**9)))
        step: Document = {"conversationId": 1, "done": False, "payload": dice.choice((first, dice.text())), "ok": 1}
        return step if start is command else {**MONGODB_HELLO, "speculativeAuthenticate": step}
    if "find" in command or "getMore" in command:
        documents = [{dice.text().decode(errors="replace").replace("\0", ""): _value(dice, 0)} for _ in range(3)]
        name = dice.choice(("firstBatch", "firstBatch", "nextBatch"))
        return {"ok": 1, "cursor": {"id": dice.choice((0, 5)), "ns": "app.t", name: documents}}
    if "buildInfo" in command:
        return {"ok": 1, "version": dice.choice(("7.0.1", _value(dice, 0)))}
    if "replSetGetStatus" in command:
        member = {"self": dice.choice((True, False)), "state": dice.choice((1, 2)), "health": 1, "optimeDate": _NOW,
                  "optime": {"ts": bson.Timestamp(1, 1)}}  # fmt: skip
        return {"ok": 1, "myState": dice.choice((1, 2, _value(dice, 0))), "members": [member, {**member, "state": 1}]}
    if dice.random() < 0.1:
        return {
            "ok": 0,
            "code": dice.choice((18, 13, 10107, dice.number())),
            "errmsg": str(dice.text()),
            "codeName": "x",
        }
    return {**MONGODB_HELLO, "secondary": dice.choice((False, True)), "isWritablePrimary": dice.choice((False, True))}


def _value(dice: Dice, depth: int) -> object:
    """Any value of a document."""
    simple: list[object] = [
        None, True, dice.number(), 1e308, float("nan"), "x" * 3000, dice.text(), bson.ObjectId(b"a" * 12),
        bson.MinKey(), bson.Regex("(" * 9), bson.Timestamp(1, 2), bson.Decimal128("NaN"), bson.Code("x"),
        datetime(1, 1, 1, tzinfo=UTC),
    ]  # fmt: skip
    if depth < 3 and dice.random() < 0.3:
        return dice.choice(([_value(dice, depth + 1)] * 3, {"a": _value(dice, depth + 1), "": 1}))
    return dice.choice(simple)
