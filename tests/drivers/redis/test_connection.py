"""Logging in, against a server that says what the test has it say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from hiredis import Reader

from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.options import Address
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind
from tests.drivers.contract import PATIENCE_S
from tests.servers.base import HOST

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
OLD = b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"

Command = list[bytes]


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _port(converse: Conversation) -> AsyncIterator[int]:
    """A server for a while; every conversation is over afterwards."""
    conversations: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await converse(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.append(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(start, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*conversations)


@asynccontextmanager
async def _server(*answers: bytes) -> AsyncIterator[tuple[Callable[..., Link], list[Command]]]:
    """Makes links to a server that gives the answers in turn, one to each command; and the commands it heard."""
    heard: list[Command] = []
    left = list(answers)
    links: list[Link] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = Reader()
        while data := await reader.read(65536):
            parser.feed(data)
            while (command := parser.gets()) is not False:
                heard.append(command)
                writer.write(left.pop(0) if left else b"-ERR asked too much\r\n")

    async with _port(converse) as port:

        def link(**settings: object) -> Link:
            links.append(Link(Address(host=HOST, port=port, **settings)))
            return links[-1]

        yield link, heard
        for one in links:
            one.abort()


async def _open(link: Link) -> None:
    await link.open(asyncio.get_running_loop().time() + PATIENCE_S, PATIENCE_S)


@pytest.mark.parametrize(
    ("settings", "answers", "commands"),
    [
        ({}, [HELLO], [b"HELLO 3"]),
        ({"password": "p"}, [HELLO], [b"HELLO 3 AUTH default p"]),
        ({"username": "u", "password": "p\udcff"}, [HELLO], [b"HELLO 3 AUTH u p\xff"]),
        ({"username": "u"}, [HELLO], [b"HELLO 3 AUTH u "]),
        ({"database": 2}, [HELLO, b"+OK\r\n"], [b"HELLO 3", b"SELECT 2"]),
        ({}, [OLD], [b"HELLO 3"]),
        ({"database": 2}, [b"-NOPROTO sorry\r\n", b"+OK\r\n"], [b"HELLO 3", b"SELECT 2"]),
        ({"password": "p"}, [OLD, b"+OK\r\n"], [b"HELLO 3 AUTH default p", b"AUTH p"]),
        ({"username": "u", "password": "p"}, [OLD, b"+OK\r\n"], [b"HELLO 3 AUTH u p", b"AUTH u p"]),
        (
            {"username": "u", "password": "p", "database": 1},
            [OLD, b"-ERR wrong number of arguments for 'auth' command\r\n", b"+OK\r\n", b"+OK\r\n"],
            [b"HELLO 3 AUTH u p", b"AUTH u p", b"AUTH p", b"SELECT 1"],
        ),
    ],
)
async def test_what_a_login_says(
    settings: dict[str, object], answers: Sequence[bytes], commands: Sequence[bytes]
) -> None:
    async with _server(*answers, b"+PONG\r\n") as (link, heard):
        one = link(**settings)
        await _open(one)
        assert [b" ".join(command) for command in heard] == commands
        assert one.resp == (3 if answers[0] == HELLO else 2)
        assert await one.ask((b"PING",)) == [b"PONG"]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([b"-WRONGPASS invalid\r\n"], ErrorKind.AUTH),
        ([OLD, b"-ERR invalid password\r\n"], ErrorKind.AUTH),
        ([OLD, b"-WRONGPASS invalid\r\n"], ErrorKind.AUTH),
        ([HELLO, b"-NOPERM no select\r\n"], ErrorKind.AUTH),
        ([HELLO, b"-ERR DB index is out of range\r\n"], ErrorKind.NOT_FOUND),
        ([b"+OK\r\n"], ErrorKind.INTERNAL),
        ([b"*0\r\n"], ErrorKind.INTERNAL),
        ([HELLO + HELLO], ErrorKind.INTERNAL),
        ([HELLO, b"what?\r\n"], ErrorKind.INTERNAL),
    ],
)
async def test_a_login_that_fails_ends_the_connection(answers: Sequence[bytes], kind: ErrorKind) -> None:
    async with _server(*answers) as (link, heard):
        one = link(username="u", password="secret", database=1)
        with pytest.raises(ConnectError) as raised:
            await _open(one)
        assert raised.value.kind is kind
        assert isinstance(raised.value, AuthenticationError) is (kind is ErrorKind.AUTH)
        assert "secret" not in str(raised.value)
        assert not one.is_open
        assert len(heard) == len(answers)


async def test_a_server_that_says_no_before_it_is_asked_is_understood() -> None:
    async def converse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR max number of clients reached\r\n")

    async with _port(converse) as port:
        for _ in range(20):
            with pytest.raises(ConnectError) as raised:
                await _open(Link(Address(host=HOST, port=port)))
            assert raised.value.kind is ErrorKind.CAPACITY


async def test_a_host_name_that_cannot_be_one_is_dns() -> None:
    with pytest.raises(ConnectError) as raised:
        await _open(Link(Address(host="x" * 64 + ".internal")))
    assert raised.value.kind is ErrorKind.DNS


async def test_what_is_said_to_nobody_ends_a_link_and_is_told() -> None:
    async with _server(HELLO, b"+PONG\r\n") as (link, _):
        one = link()
        await _open(one)
        ended = asyncio.Event()
        one.on_end = ended.set
        await one.ask((b"PING",))
        assert one._wire is not None
        one._wire.data_received(b"+PONG\r\n")
        assert ended.is_set()
        assert not one.is_open
