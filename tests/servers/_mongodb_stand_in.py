"""A stand-in for mongod, a program of its own. It is no MongoDB: it speaks its protocol, with documents in memory.

Run as `python -m tests.servers._mongodb_stand_in '{"port": …}'`. The command `standIn` says what it shall be.
"""

import asyncio
import contextlib
import json
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import bson

from tests.servers._mongodb_commands import Data
from tests.servers._mongodb_store import Document, Refused, Store
from tests.servers._mongodb_wire import Scram, message, parse, receive, reply

STATES = {"PRIMARY": 1, "SECONDARY": 2, "RECOVERING": 3, "ARBITER": 7}
_OPEN = {"hello", "ismaster", "isMaster", "ping", "buildInfo", "saslStart", "saslContinue", "standIn", "endSessions"}
_WRITES = {"insert", "update", "delete", "create", "drop"}
_MONITORING = {"replSetGetStatus", "serverStatus"}
_TOLD = {"$db", "maxTimeMS", "writeConcern", "readConcern", "$readPreference"}
_PULL_S = 0.02


class Client:
    """One connection: who has logged in on it, and what it does."""

    def __init__(self) -> None:
        self.user: str | None = None
        self.scram: Scram | None = None


class StandIn(Data):
    """The server. `settings` holds port, socket, name, users (password and roles), follow, tls, state."""

    def __init__(self, settings: Document) -> None:
        super().__init__()
        self.settings = settings
        self.state: str = settings.get("state", "STANDALONE")
        self.paused = False
        self.most_connections: int | None = None
        self.fail: list[Document] = []
        self.primary: Document | None = None
        self.running: dict[bytes, set[asyncio.Task[Any]]] = {}
        self.commands: list[str] = []
        self.last: Document = {}
        self.connections = 0
        self.extra: Document = {}

    async def serve(self) -> None:
        context = None
        if tls := self.settings.get("tls"):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls["certificate"], tls["key"])
        host = self.settings.get("host", "127.0.0.1")
        servers = [await asyncio.start_server(self._client, host, self.settings["port"], ssl=context)]
        if path := self.settings.get("socket"):
            servers.append(await asyncio.start_unix_server(self._client, path))
        async with asyncio.TaskGroup() as tasks:
            if self.settings.get("follow"):
                tasks.create_task(self._follow(self.settings["follow"]))
            for server in servers:
                tasks.create_task(server.serve_forever())

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        client = Client()
        task = asyncio.current_task()
        assert task is not None
        try:
            while True:
                number, kind, command, wanted = await receive(reader)
                if self._is_full() and "standIn" not in command:
                    return
                doing = asyncio.ensure_future(self._answer(client, command))
                gone = asyncio.ensure_future(_gone(reader))
                await asyncio.wait([doing, gone], return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                if not doing.done():
                    doing.cancel()
                    return
                answer = doing.result()
                if answer is None:
                    return
                if wanted:
                    writer.write(reply(number, kind, answer))
                    await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            self.connections -= 1
            writer.close()

    def _is_full(self) -> bool:
        return self.most_connections is not None and self.connections > self.most_connections

    async def _answer(self, client: Client, command: Document) -> Document | None:
        name = next(iter(command))
        self.commands.append(name)
        self.last[name] = {key: value for key, value in command.items() if key in _TOLD}
        lsid = command["lsid"]["id"] if "lsid" in command else b""
        task = asyncio.ensure_future(self._carried_out(client, name, command))
        self.running.setdefault(lsid, set()).add(task)
        try:
            limit_ms = command.get("maxTimeMS")
            await asyncio.wait([task], timeout=limit_ms / 1000 if limit_ms and name != "hello" else None)
            if not task.done():
                raise Refused(50, "MaxTimeMSExpired", "operation exceeded time limit")
            if task.cancelled():
                raise Refused(11601, "Interrupted", "operation was interrupted")
            return task.result()
        except Refused as error:
            return {"ok": 0.0, "errmsg": str(error), "code": error.code, "codeName": error.name}
        finally:
            task.cancel()
            self.running[lsid].discard(task)

    async def _carried_out(self, client: Client, name: str, command: Document) -> Document | None:
        for rule in list(self.fail):
            if name in rule["commands"]:
                rule["times"] -= 1
                if rule["times"] <= 0:
                    self.fail.remove(rule)
                if "block_s" in rule:
                    await asyncio.sleep(rule["block_s"])
                if rule.get("close"):
                    return None
                if "code" in rule:
                    raise Refused(rule["code"], rule.get("name", "Some"), rule.get("text", "a failure of the tests"))
                if "reply" in rule:
                    return {"ok": 1.0, **rule["reply"]}
        self._may(client, name)
        do: Callable[[Client, Document], Any] | None = getattr(self, f"do_{name.lower()}", None)
        if do is None:
            raise Refused(59, "CommandNotFound", f"no such command: '{name}'")
        done = do(client, command)
        answer: Document = await done if asyncio.iscoroutine(done) else done
        return {**answer, "ok": 1.0}

    def _may(self, client: Client, name: str) -> None:
        users = self.settings.get("users") or {}
        if not users or name in _OPEN:
            return
        if client.user is None:
            raise Refused(13, "Unauthorized", f"Command {name} requires authentication")
        roles = users[client.user]["roles"]
        needed = (
            {"readWrite"} if name in _WRITES else {"clusterMonitor"} if name in _MONITORING else {"read", "readWrite"}
        )
        if name not in {"killSessions", "killCursors", "getMore", "connectionStatus"} and not needed & set(roles):
            raise Refused(13, "Unauthorized", f"not authorized on admin to execute command {{ {name}: 1 }}")
        if name in _WRITES and self.state not in {"PRIMARY", "STANDALONE"}:
            raise Refused(10107, "NotWritablePrimary", "not primary")

    def _hello(self, command: Document) -> Document:
        now = datetime.now(UTC)
        found: Document = {
            "helloOk": True, "isWritablePrimary": self.state in {"PRIMARY", "STANDALONE"},
            "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000,
            "localTime": now, "logicalSessionTimeoutMinutes": 30, "connectionId": 1, "minWireVersion": 0,
            "maxWireVersion": 21, "readOnly": False,
        }  # fmt: skip
        if self.state != "STANDALONE":
            at = self.store.applied_at()
            me = f"127.0.0.1:{self.settings['port']}"
            found |= {
                "setName": "rs", "setVersion": 1, "secondary": self.state == "SECONDARY", "me": me,
                "hosts": self.settings.get("hosts", [me]),
                "lastWrite": {"opTime": {"ts": bson.Timestamp(1, self.store.applied), "t": 1}, "lastWriteDate": at},
            }  # fmt: skip
        if self.state == "ARBITER":
            found["arbiterOnly"] = True
        if self.state == "PRIMARY":
            found["primary"] = found["me"]
        if "ismaster" in command or "isMaster" in command:
            found["ismaster"] = found["isWritablePrimary"]
        return found | self.extra

    def do_hello(self, client: Client, command: Document) -> Document:
        found = self._hello(command)
        if "saslSupportedMechs" in command:
            found["saslSupportedMechs"] = ["SCRAM-SHA-256"]
        if (start := command.get("speculativeAuthenticate")) and start.get("mechanism") == "SCRAM-SHA-256":
            with contextlib.suppress(Refused):
                found["speculativeAuthenticate"] = self.do_saslstart(client, start)
        return found

    do_ismaster = do_hello

    def do_ping(self, _client: Client, _command: Document) -> Document:
        return {}

    do_endsessions = do_ping

    def do_buildinfo(self, _client: Client, _command: Document) -> Document:
        return {"version": self.settings["version"]}

    def do_saslstart(self, client: Client, command: Document) -> Document:
        passwords = {name: user["password"] for name, user in (self.settings.get("users") or {}).items()}
        client.scram = Scram(passwords)
        return self._sasl(client, command)

    def do_saslcontinue(self, client: Client, command: Document) -> Document:
        return self._sasl(client, command)

    def _sasl(self, client: Client, command: Document) -> Document:
        assert client.scram is not None
        said = client.scram.step(bytes(command["payload"]))
        if said is None:
            raise Refused(18, "AuthenticationFailed", "Authentication failed.")
        if client.scram.done:
            client.user = client.scram.user
        return {"conversationId": 1, "done": client.scram.done, "payload": said}

    def do_connectionstatus(self, client: Client, _command: Document) -> Document:
        return {"authInfo": {"authenticatedUsers": [{"user": client.user}] if client.user else []}}

    def do_replsetgetstatus(self, _client: Client, _command: Document) -> Document:
        if self.state == "STANDALONE":
            raise Refused(76, "NoReplicationEnabled", "not running with --replSet")
        own = {
            "_id": 1, "name": self.settings["name"], "self": True, "health": 1.0, "state": STATES[self.state],
            "optime": {"ts": bson.Timestamp(1, self.store.applied), "t": 1}, "optimeDate": self.store.applied_at(),
        }  # fmt: skip
        other: Document = {"_id": 0, "name": "other", "health": 0.0, "state": 8}
        if self.primary is not None:
            other |= {"health": 1.0, "state": 1, **self.primary}
        source = "" if self.paused or self.primary is None else "other"
        return {
            "set": "rs",
            "myState": STATES[self.state],
            "syncSourceHost": source,
            "members": [own, other],
            **self.extra,
        }

    def do_killsessions(self, _client: Client, command: Document) -> Document:
        for session in command["killSessions"]:
            for task in self.running.get(session["id"], ()):
                task.cancel()
        return {}

    def do_standin(self, _client: Client, command: Document) -> Document:
        """The tests' own: sets what is given, tells what there is."""
        given = command["standIn"]
        for name in ("state", "paused", "most_connections", "fail", "extra"):
            if name in given:
                setattr(self, name, given[name])
        if "documents" in given:
            for name, documents in given["documents"].items():
                self.store.change(name, documents, [one["_id"] for one in self.store.collections.get(name, ())])
        if "since" in given:
            log = self.store.log[given["since"] :][:1000]
            return {
                "epoch": self.store.epoch, "state": self.state, "applied": self.store.applied,
                "at": self.store.applied_at(), "log": log,
            }  # fmt: skip
        if "count" in given:
            return {"count": len(self.store.collections.get(given["count"], ()))}
        if "count" in given:
            return {"count": len(self.store.collections.get(given["count"], ()))}
        if "forget" in given:
            self.commands.clear()
        seen = self.primary["optime"]["ts"].inc if self.primary else None
        working = sum(not task.done() for lsid, tasks in self.running.items() if lsid for task in tasks)
        return {
            "applied": self.store.applied, "running": working, "cursors": len(self.cursors), "primary": seen,
            "last": self.last, "commands": self.commands, "connections": self.connections,
        }  # fmt: skip

    async def _follow(self, port: int) -> None:
        """Copies what another stand-in does, and notes how far that one is."""
        while True:
            try:
                async for pulled in self._pulls(port):
                    if pulled["epoch"] != self.store.epoch:  # it began anew
                        self.store = Store()
                        self.store.epoch = pulled["epoch"]
                        continue
                    self.primary = None
                    if pulled["state"] == "PRIMARY":
                        ts = {"ts": bson.Timestamp(1, pulled["applied"]), "t": 1}
                        self.primary = {"optimeDate": pulled["at"], "optime": ts}
                    if self.state == "PRIMARY" or self.paused:
                        continue
                    for entry in pulled["log"]:
                        self.store.log.append(entry)
                        self.store.apply(entry)
            except (OSError, EOFError):
                self.primary = None
            await asyncio.sleep(_PULL_S)

    async def _pulls(self, port: int) -> AsyncIterator[Document]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                encoded = bson.encode({"standIn": {"since": len(self.store.log)}, "$db": "admin"})
                writer.write(message(encoded))
                header = await reader.readexactly(16)
                body = await reader.readexactly(int.from_bytes(header[:4], "little") - 16)
                yield parse(2013, body)[0]
                await asyncio.sleep(_PULL_S)
        finally:
            writer.close()


async def _gone(reader: asyncio.StreamReader) -> None:
    """Returns when the client has gone away while its command is carried out."""
    while not reader.at_eof():
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(StandIn(json.loads(sys.argv[1])).serve())
