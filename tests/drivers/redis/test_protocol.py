"""The protocol without a server: replies in any pieces, and what is none."""

import asyncio
import gc
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.redis.connection import Link
from omnidb_cli.drivers.redis.errors import ReplyError, UnreadableError
from omnidb_cli.drivers.redis.meter import STATEMENT_BYTES
from omnidb_cli.drivers.redis.options import Address
from omnidb_cli.drivers.redis.protocol import Wire, packed
from omnidb_cli.drivers.redis.values import batches_of
from omnidb_cli.errors import ConnectionLostError, DriverError, StatementError
from tests.drivers.contract import PATIENCE_S


class Line(asyncio.Transport):
    """A transport that keeps what is sent, and ends when it is told to."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self.sent = b""
        self.ended = False
        wire.connection_made(self)

    def write(self, data: bytes) -> None:
        self.sent += data

    def abort(self) -> None:
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().call_soon(self._wire.connection_lost, None)

    def hear(self, data: bytes, cuts: Sequence[int] = ()) -> None:
        """The server's bytes, in pieces; none any more once this side has ended the connection."""
        edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, end in pairwise(edges):
            if start < end and not self.ended:
                self._wire.data_received(data[start:end])


async def _line(on_end: Callable[[], None] = lambda: None) -> tuple[Wire, Line]:
    """A connection that is logged in."""
    wire = Wire(b"first", on_end)
    line = Line(wire)
    line.hear(b"+OK\r\n")
    assert await wire.answer == [b"OK"]
    return wire, line


def _bulk(value: bytes, mark: bytes = b"$") -> bytes:
    return b"%s%d\r\n%s\r\n" % (mark, len(value), value)


def _aggregate(mark: bytes, items: Sequence[tuple[bytes, Any]], number: int) -> bytes:
    return b"%s%d\r\n%s" % (mark, number, b"".join(written for written, _ in items))


Reply = tuple[bytes, Any]
"""As it goes over the wire, and as it is told."""

_line_text = st.binary().map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
_keys: st.SearchStrategy[Reply] = st.one_of(
    st.binary().map(lambda value: (_bulk(value), value)),
    _line_text.map(lambda value: (b"+%s\r\n" % value, value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: (b":%d\r\n" % value, value)),
)
_scalars: st.SearchStrategy[Reply] = st.one_of(
    _keys,
    st.integers(2**63, 2**200).map(lambda value: (b"(%d\r\n" % value, b"%d" % value)),
    st.floats(allow_nan=False).map(lambda value: (f",{value!r}\r\n".encode(), value)),
    st.binary().map(lambda value: (_bulk(b"txt:" + value, b"="), value)),
    st.sampled_from([(b"_\r\n", None), (b"$-1\r\n", None), (b"*-1\r\n", None), (b"#t\r\n", True), (b"#f\r\n", False)]),
    _line_text.map(lambda value: (b"-ERR %s\r\n" % value, ReplyError("ERR " + value.decode(errors="replace")))),
)


def _nested(inner: st.SearchStrategy[Reply]) -> st.SearchStrategy[Reply]:
    lists = st.lists(inner, max_size=5)
    return st.one_of(
        lists.map(lambda items: (_aggregate(b"*", items, len(items)), [told for _, told in items])),
        lists.map(lambda items: (_aggregate(b"~", items, len(items)), [told for _, told in items])),
        st.lists(st.tuples(_keys, inner), max_size=4, unique_by=lambda pair: pair[0][1]).map(
            lambda pairs: (
                _aggregate(b"%", [one for pair in pairs for one in pair], len(pairs)),
                {key: told for (_, key), (_, told) in pairs},
            )
        ),
    )


_replies = st.recursive(_scalars, _nested, max_leaves=12)
_push: Reply = (b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", None)


def _same(told: Any, expected: Any) -> bool:
    match expected:
        case ReplyError():
            return isinstance(told, ReplyError) and str(told) == str(expected)
        case list():
            return type(told) is list and len(told) == len(expected) and all(map(_same, told, expected))
        case dict():
            return list(told) == list(expected) and all(map(_same, told.values(), expected.values()))
        case _:
            return type(told) is type(expected) and told == expected


@given(
    replies=st.lists(_replies, min_size=1, max_size=5), pushes=st.booleans(), cuts=st.lists(st.integers(0), max_size=8)
)
async def test_replies_are_told_whatever_pieces_they_come_in(
    replies: list[Reply], pushes: bool, cuts: list[int]
) -> None:
    wire, line = await _line()
    answer = wire.ask(b"", len(replies))
    between = _push[0] if pushes else b""
    line.hear(between + between.join(written for written, _ in replies), cuts)
    async with asyncio.timeout(PATIENCE_S):
        assert _same(await answer, [told for _, told in replies])
    assert wire.is_open


async def test_every_single_cut() -> None:
    written = b"*3\r\n$3\r\na\r\n\r\n%1\r\n+k\r\n,1.5\r\n-ERR no\r\n"
    for cut in range(1, len(written)):
        wire, line = await _line()
        answer = wire.ask(b"", 1)
        line.hear(written[:cut])
        assert not answer.done()
        line.hear(written[cut:])
        assert _same(await answer, [[b"a\r\n", {b"k": 1.5}, ReplyError("ERR no")]])


async def test_numbers_that_are_none() -> None:
    wire, line = await _line()
    answer = wire.ask(b"", 1)
    line.hear(b"*3\r\n,inf\r\n,-inf\r\n,nan\r\n")
    [[most, least, neither]] = await answer
    assert (most, least) == (math.inf, -math.inf)
    assert math.isnan(neither)


async def test_ten_megabytes_in_small_pieces() -> None:
    wire, line = await _line()
    answer = wire.ask(b"", 2, most_bytes=STATEMENT_BYTES)
    value = bytes(range(256)) * (10 * 4096)
    line.hear(_bulk(value) + b":1\r\n", range(0, len(value), 4096))
    assert await answer == [value, 1]


@given(commands=st.lists(st.lists(st.binary(), min_size=1).map(tuple), min_size=1, max_size=4))
async def test_commands_are_packed_as_arrays_of_strings(commands: list[tuple[bytes, ...]]) -> None:
    wire, line = await _line()
    answer = wire.ask(b"", len(commands))
    line.hear(packed(*commands))
    assert await answer == [list(command) for command in commands]


_NOISE = st.one_of(
    st.binary(max_size=40),
    _replies.map(lambda reply: reply[0]),
    st.sampled_from(
        [b"*2\r\n", b"%1\r\n", b"~1\r\n", b">1\r\n", b"|1\r\n", b"$9\r\n", b"$-2\r\n", b"*-2\r\n", b"=1\r\nx\r\n",
         b",x\r\n", b"#x\r\n", b":x\r\n", b"(x\r\n", b"*?\r\n", b"!3\r\nERR\r\n", b"%1\r\n*0\r\n:1\r\n", b"\r\n",
         b"HTTP/1.1 400 Bad\r\n\r\n"]
    ),
)  # fmt: skip


@given(
    noise=st.lists(_NOISE, max_size=6).map(b"".join),
    number=st.integers(1, 3),
    cuts=st.lists(st.integers(0), max_size=4),
)
async def test_whatever_comes_ends_in_replies_or_in_an_error_of_ours(
    noise: bytes, number: int, cuts: list[int]
) -> None:
    link = Link(Address(host="cache"))
    link._wire, line = await _line()
    asking = asyncio.ensure_future(link.exchange(b"", number))
    await asyncio.sleep(0)
    line.hear(noise, cuts)
    if not line.ended:
        link._wire.eof_received()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait([asking])
    failure = asking.exception()
    assert isinstance(failure, DriverError) if failure else len(asking.result()) == number
    assert line.ended


@pytest.mark.parametrize(
    "written",
    [
        b"?\r\n",
        b"!9\r\nSYNTAX no\r\n",
        b"%1\r\n*1\r\n:1\r\n:1\r\n",
        b":1\r\n:2\r\n",
        b":1\r\n$5\r\nhal",
        b"|1\r\n+ttl\r\n:3600\r\n:1\r\n",
        b"*2\r\n|1\r\n+ttl\r\n:3600\r\n:1\r\n:2\r\n",
    ],
)
async def test_what_is_no_reply_or_one_too_many_ends_the_connection(written: bytes) -> None:
    """Attributes are among it: no server sends them unless asked, and the parser does not tell them from replies."""
    wire, line = await _line()
    answer = wire.ask(b"", 1)
    line.hear(written)
    with pytest.raises(UnreadableError):
        await answer
    assert line.ended
    with pytest.raises(ConnectionResetError):
        wire.ask(b"", 1)


@pytest.mark.parametrize("said", [b":1\r\n", b"$3\r\n", b"?"])
async def test_what_nobody_asked_for_ends_the_connection_and_says_so_once(said: bytes) -> None:
    ends: list[None] = []
    _, line = await _line(lambda: ends.append(None))
    line.hear(_push[0])
    assert (ends, line.ended) == ([], False)
    line.hear(said)
    await asyncio.sleep(0)
    assert (ends, line.ended) == ([None], True)


@pytest.mark.parametrize("said", [b"", b":1\r\n$3\r\n", b":1\r\n"])
async def test_an_end_in_the_middle_is_a_lost_connection(said: bytes) -> None:
    ends: list[None] = []
    wire, line = await _line(lambda: ends.append(None))
    answer = wire.ask(b"", 2)
    line.hear(said)
    wire.connection_lost(BrokenPipeError())
    with pytest.raises(BrokenPipeError):
        await asyncio.wait_for(answer, PATIENCE_S)
    assert ends == []


async def test_an_end_that_nobody_waits_for_any_more_makes_no_noise() -> None:
    noises: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noises.append(context))
    wire = Wire(b"first", lambda: None)
    Line(wire).abort()
    await asyncio.sleep(0)
    assert wire.answer.done()
    del wire
    gc.collect()
    assert noises == []


async def test_an_interrupted_question_ends_the_connection_and_its_reply_is_nobodys() -> None:
    link = Link(Address(host="cache"))
    link._wire, line = await _line()
    asking = asyncio.ensure_future(link.ask((b"GET", b"a")))
    await asyncio.sleep(0)
    asking.cancel()
    link._wire.data_received(b"+late\r\n")
    await asyncio.wait([asking])
    assert asking.cancelled()
    assert (line.ended, link.is_open) == (True, False)
    with pytest.raises(ConnectionLostError):
        await link.ask((b"GET", b"a"))
    assert line.sent.count(b"GET") == 1


async def test_a_reply_that_is_too_deep_to_be_shown_is_said_so() -> None:
    reply: list[Any] = []
    for _ in range(5000):
        reply = [reply]
    with pytest.raises(StatementError, match="too deep"):
        await anext(batches_of(reply))
