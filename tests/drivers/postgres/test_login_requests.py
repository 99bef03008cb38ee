"""How a server may ask for the login: what is answered, to whom, and over which way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.postgres import private_api as postgres_private_api
from omnidb_cli.drivers.postgres.login_requests import WAYS, LoginPolicy, LoginRequests
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind
from tests.drivers.contract import fault_of, opened

PASSWORD = "Zq7-marked"
NOTICE = b"N\x00\x00\x00\x0cSNOTE\x00\x00\x00"
IN_CLEAR = b"R\x00\x00\x00\x08\x00\x00\x00\x03"
MD5 = b"R\x00\x00\x00\x0c\x00\x00\x00\x05salt"
LET_IN = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
READY = b"Z\x00\x00\x00\x05I"


def heard(*pieces: bytes) -> list[str]:
    requests = LoginRequests()
    return [way for piece in pieces for _, way in requests.feed(piece) if way]


def test_every_way_is_found() -> None:
    codes = {"password": 3, "md5": 5, "gss": 7, "sspi": 9, "scram-sha-256": 10, "none": 0}
    assert set(codes) == set(WAYS)
    for way, code in codes.items():
        assert heard(b"R\x00\x00\x00\x08" + code.to_bytes(4, "big")) == [way]


def test_one_that_asks_and_then_lets_in_has_asked_for_something() -> None:
    assert heard(MD5, LET_IN, READY) == ["md5"]


def test_one_that_lets_in_and_then_asks_is_heard_too() -> None:
    """asyncpg would answer it, until the server is ready for statements."""
    assert heard(LET_IN + IN_CLEAR) == ["none", "password"]
    assert heard(LET_IN + READY + IN_CLEAR) == ["none"]


@given(st.lists(st.integers(1, 40), max_size=6))
def test_a_request_is_found_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    text = NOTICE + MD5 + IN_CLEAR
    ends = sorted({*(cut for cut in cuts if cut < len(text)), len(text)})
    pieces = [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert heard(*pieces) == ["md5", "password"]


@pytest.mark.parametrize("length", [0, 3, 7, 0xFFFFFFFF])
def test_a_message_shorter_than_itself_is_nonsense(length: int) -> None:
    assert heard(b"R" + length.to_bytes(4, "big") + IN_CLEAR) == ["nonsense"]
    error = LoginPolicy("db:5432").refusal("nonsense", is_private=True)
    assert (type(error), error and error.kind) == (ConnectError, ErrorKind.INTERNAL)


@pytest.mark.parametrize(
    ("wanted", "private", "answered"),
    [
        (None, False, {"md5", "gss", "sspi", "scram-sha-256", "none"}),
        (None, True, set(WAYS)),
        ("password", False, {"password"}),
        ("password,md5", False, {"password", "md5"}),
        ("scram-sha-256", True, {"scram-sha-256"}),
        ("!md5,!none", False, {"gss", "sspi", "scram-sha-256"}),
        ("!password", True, set(WAYS) - {"password"}),
    ],
)
def test_what_is_answered(wanted: str | None, private: bool, answered: set[str]) -> None:
    refusals = {way: LoginPolicy("db:5432", wanted).refusal(way, private) for way in WAYS}
    assert {way for way, error in refusals.items() if error is None} == answered
    assert {type(error) for error in refusals.values()} <= {AuthenticationError, type(None)}


@asynccontextmanager
async def asking(*answers: bytes) -> AsyncIterator[tuple[Target, bytearray]]:
    """A server that does not do TLS and then says this, and all that it hears."""
    said = bytearray()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.extend(await reader.read(4096))
        for answer in (b"N", *answers):
            writer.write(answer)
            said.extend(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(ask, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield Target("pg", "postgresql", "postgresql", (("127.0.0.1", port),), "app", PASSWORD, timeout_s=5.0), said


def elsewhere(_transport: object) -> bool:
    return False


@pytest.mark.parametrize("answers", [(IN_CLEAR,), (LET_IN + IN_CLEAR,)])
async def test_the_password_is_not_told_in_clear_to_another_host(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[bytes]
) -> None:
    monkeypatch.setattr(postgres_private_api, "is_on_this_host", elsewhere)
    async with asking(*answers) as (target, said), opened(target) as driver:
        fault = await fault_of(driver)
    assert (fault.kind, type(fault)) == (ErrorKind.AUTH, AuthenticationError)
    assert "require_auth=password" in str(fault.hint)
    assert b"user\x00app" in said
    assert PASSWORD.encode() not in said


@pytest.mark.parametrize("allowed", ["url", "this host"])
async def test_it_is_told_where_it_may_be(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    if allowed == "url":
        monkeypatch.setattr(postgres_private_api, "is_on_this_host", elsewhere)
    async with asking(IN_CLEAR) as (target, said):
        params = {"require_auth": "password"} if allowed == "url" else {}
        async with opened(replace(target, params=params)) as driver:
            await fault_of(driver)
    assert PASSWORD.encode() in said


async def test_what_require_auth_does_not_allow_is_not_answered() -> None:
    params = {"require_auth": "scram-sha-256"}
    async with asking(MD5) as (target, said), opened(replace(target, params=params)) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.AUTH
    assert b"md5" not in said
