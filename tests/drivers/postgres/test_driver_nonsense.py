"""What a PostgreSQL port may say at login that is no PostgreSQL's, or is not UTF-8: told in time, by its kind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.postgres.errors import running_error
from omnidb_cli.drivers.postgres.login_requests import NOT_POSTGRES
from omnidb_cli.drivers.postgres.statement import plan
from omnidb_cli.errors import AuthenticationError, ConnectError, DriverError, ErrorKind, StatementError

LIMIT_S = 5.0


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body


WELCOME, READY = message(b"R", bytes(4)), message(b"Z", b"I")
SCRAM = message(b"R", (10).to_bytes(4) + b"SCRAM-SHA-256\0\0")

NONSENSE = {
    "no length": bytes(64),
    "a negative length": b"R\xff\xff\xff\xff" + bytes(60),
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "no login": message(b"R", b""),
    "a login cut short": message(b"R", (5).to_bytes(4) + b"12"),
    "a login that is no text": message(b"R", (10).to_bytes(4) + b"\xff\xff\0\0"),
    "no salt": SCRAM + message(b"R", (11).to_bytes(4) + b"\xff\xffr=1"),
    "no version": WELCOME + READY,
    "no number of a version": WELCOME + message(b"S", b"server_version\0\xff\0") + READY,
    "an unknown encoding": WELCOME + message(b"S", b"client_encoding\0LATIN77\0") + READY,
}


@asynccontextmanager
async def answering(answer: bytes, *later: bytes, pieces: int) -> AsyncIterator[Target]:
    """A port that gives this answer, in so many pieces, one to each request after it, and then stays silent."""
    over, serving = asyncio.Event(), set[asyncio.Task[Any] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await reader.read(10)
        size = -(-len(answer) // pieces)
        for start in range(0, len(answer), size):
            writer.write(answer[start : start + size])
            with suppress(OSError):
                await writer.drain()
            await asyncio.sleep(0.005)
        for reply in later:
            await reader.read(1000)
            writer.write(reply)
        await over.wait()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Target(
            "a", "postgresql", "postgresql", (("127.0.0.1", port),), "u", "pw", "d", {"sslmode": "disable"},
            timeout_s=LIMIT_S,
        )  # fmt: skip
        over.set()
        await asyncio.gather(*(task for task in serving if task is not None))


async def said_of(answer: bytes, *later: bytes, pieces: int = 1) -> DriverError:
    """The error of a check; it comes long before the time limit, which would be told as a timeout."""
    async with answering(answer, *later, pieces=pieces) as target:
        driver = open_driver(target)
        driver.load()
        with pytest.raises(DriverError) as raised:
            await driver.check()
        await driver.aclose()
        return raised.value


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_postgresql_is_said_to_be_none(answer: bytes) -> None:
    error = asyncio.run(said_of(answer))
    assert (type(error), error.kind) == (ConnectError, ErrorKind.INTERNAL)
    assert str(error).endswith(f"/d: {NOT_POSTGRES}")


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_refusal_in_another_encoding_keeps_its_kind(pieces: int) -> None:
    refusal = message(b"E", b"SFATAL\0C28P01\0MBenutzer \xfcber\nnacht\0\0")
    error = asyncio.run(said_of(refusal, pieces=pieces))
    assert isinstance(error, AuthenticationError)
    assert str(error).endswith(r"/d: Benutzer \xfcber nacht")


LET_IN = WELCOME + message(b"S", b"server_version\0" + b"16.0\0") + READY
NOT_TEXT = {
    "an error": message(b"E", b"SERROR\0C42601\0M\xff\0\0") + READY,
    "a notice": message(b"N", b"SNOTICE\0C00000\0M\xff\0\0") + message(b"C", b"SET\0") + READY,
    "a setting": message(b"S", b"TimeZone\0\xff\0") + message(b"C", b"SET\0") + READY,
}


@pytest.mark.parametrize("answer", NOT_TEXT.values(), ids=NOT_TEXT)
def test_what_is_not_utf_8_after_the_login_is_trouble_of_that_server(answer: bytes) -> None:
    assert asyncio.run(said_of(LET_IN, answer)).kind is ErrorKind.INTERNAL


def test_an_answer_to_nothing_ends_the_connection_and_no_traceback_is_told(caplog: pytest.LogCaptureFixture) -> None:
    error = asyncio.run(said_of(LET_IN + message(b"E", b"SERROR\0C42601\0Mno\0\0") + READY))
    assert error.kind in {ErrorKind.INTERNAL, ErrorKind.RESET}
    assert caplog.text == ""


@pytest.mark.parametrize("statement", ["SELECT '\udcff'", "SELECT '\0'"])
def test_a_statement_that_is_no_text_is_refused(statement: str) -> None:
    for refused in (lambda: plan(statement, ()), lambda: plan("SELECT $1", (statement,))):
        with pytest.raises(StatementError):
            refused()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "db: the answer is not UTF-8 text"),
        (lambda: KeyError("oid"), "db: the answer cannot be read"),
    ],
)
def test_an_answer_that_is_no_text_is_trouble_of_that_server(error: Callable[[], Any], said: str) -> None:
    made = running_error(error(), "db")
    assert (type(made), made.kind, str(made)) == (DriverError, ErrorKind.INTERNAL, said)
