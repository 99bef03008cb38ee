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


MONGODB_HELLO: dict[str, object] = {
    "ok": 1, "isWritablePrimary": True, "maxWireVersion": 21, "minWireVersion": 0, "readOnly": False,
    "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 2**31 - 1, "maxWriteBatchSize": 100000,
    "saslSupportedMechs": ["SCRAM-SHA-256"],
}  # fmt: skip


def mongodb_scram(rounds: bytes) -> Conversation:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            number, kind, command, _ = await receive(reader)
            said = dict(MONGODB_HELLO)
            start = command.get("speculativeAuthenticate") or command
            if b"r=" in start.get("payload", b""):
                nonce = start["payload"].rpartition(b"r=")[2]
                first = b"r=%sabc,s=c2FsdHNhbHQ=,i=%s" % (nonce, rounds)
                step = {"conversationId": 1, "done": False, "payload": first, "ok": 1}
                said = {**said, "speculativeAuthenticate": step} if start is not command else step
            writer.write(reply(number, kind, said))

    return conversation


MYSQL_CAPABILITIES = 0x008FA7FF  # no TLS, and results that end with an EOF packet
MYSQL_OK = b"\0\0\0\2\0\0\0"


def mysql_packet(number: int, body: bytes) -> bytes:
    return struct.pack("<i", len(body))[:3] + bytes([number % 256]) + body


def mysql_greeting() -> bytes:
    low, high = MYSQL_CAPABILITIES & 0xFFFF, MYSQL_CAPABILITIES >> 16
    salt, more = b"12345678", b"123456789012\0"
    return mysql_packet(
        0,
        b"\x0a10.11.6-MariaDB\0"
        + struct.pack("<I8sBHBHHB10x", 1, salt, 0, low, 45, 2, high, 21)
        + more
        + b"mysql_native_password\0",
    )


def mysql_column(number: int, name: bytes) -> bytes:
    def text(value: bytes) -> bytes:
        return bytes([len(value)]) + value

    names = b"".join(map(text, (b"def", b"", b"", b"", name, name)))
    return mysql_packet(number, names + b"\x0c" + struct.pack("<HIBHB2x", 45, 255, 253, 0, 0))


async def mysql_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(mysql_greeting())
    await mysql_command(reader)
    writer.write(mysql_packet(2, MYSQL_OK))


async def mysql_command(reader: asyncio.StreamReader) -> bytes:
    """What the client sends next."""
    length = int.from_bytes((await reader.readexactly(4))[:3], "little")
    return await reader.readexactly(length)
