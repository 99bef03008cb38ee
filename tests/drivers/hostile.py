"""Servers in this process that say whatever a test has them say."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.servers._mongodb_wire import receive, reply
from tests.servers.base import HOST

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(conversation: Conversation) -> AsyncIterator[tuple[str, int]]:
    """Where a server listens that has this conversation with each client, and then hangs up."""
    running: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await conversation(reader, writer)
                await writer.drain()
        finally:
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()
            running.discard(task)

    server = await asyncio.start_server(converse, HOST, 0)
    try:
        yield HOST, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def postgres_message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", 4 + len(body)) + body


POSTGRES_LET_IN = b"".join([
    postgres_message(b"R", struct.pack(">i", 0)),
    postgres_message(b"S", b"server_version\x0015.4\0"),
    postgres_message(b"S", b"client_encoding\0UTF8\0"),
    postgres_message(b"K", struct.pack(">ii", 1, 2)),
    postgres_message(b"Z", b"I"),
])  # fmt: skip


async def postgres_startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses TLS, and reads who wants to log in."""
    [length, code] = struct.unpack(">ii", await reader.readexactly(8))
    if code == 80877103:
        writer.write(b"N")
        [length, code] = struct.unpack(">ii", await reader.readexactly(8))
    await reader.readexactly(length - 8)


def postgres_scram(rounds: bytes) -> Conversation:
    """A login that asks for so many rounds."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await postgres_startup(reader, writer)
        writer.write(postgres_message(b"R", struct.pack(">i", 10) + b"SCRAM-SHA-256\0\0"))
        _, length = struct.unpack(">ci", await reader.readexactly(5))
        nonce = (await reader.readexactly(length - 4)).rpartition(b"r=")[2]
        first = b"r=%sabc,s=c2FsdHNhbHQ=,i=%s" % (nonce, rounds)
        writer.write(postgres_message(b"R", struct.pack(">i", 11) + first))
        await reader.read()

    return conversation


def mongodb_scram(rounds: bytes) -> Conversation:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            number, kind, command, _ = await receive(reader)
            said: dict[str, object] = {
                "ok": 1, "isWritablePrimary": True, "maxWireVersion": 21, "minWireVersion": 0, "readOnly": False,
                "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000,
                "saslSupportedMechs": ["SCRAM-SHA-256"],
            }  # fmt: skip
            start = command.get("speculativeAuthenticate") or command
            if b"r=" in start.get("payload", b""):
                nonce = start["payload"].rpartition(b"r=")[2]
                first = b"r=%sabc,s=c2FsdHNhbHQ=,i=%s" % (nonce, rounds)
                step = {"conversationId": 1, "done": False, "payload": first, "ok": 1}
                said = {**said, "speculativeAuthenticate": step} if start is not command else step
            writer.write(reply(number, kind, said))

    return conversation
