"""What a reply would take, measured before the parser believes it."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.redis.meter import CHECK_BYTES, Meter
from tests.drivers.contract import fault_of, opened
from tests.servers.base import HOST

TOO_MUCH = {
    b"*1000000000\r\n" * 9: "elements",
    b"*1\r\n%500000000\r\n": "elements",
    b"*300000\r\n" * 2: "elements",
    b"~99999999999999999999999999999999999999\r\n": "elements",
    b">1000000000\r\n": "elements",
    b"|1000000000\r\n": "elements",
    b"*1\r\n" * 2000: "lists deep",
    b"$2000000\r\n": "more than 1 MB",
    b"=900000000000\r\n": "more than 1 MB",
    b"+" + b"x" * CHECK_BYTES: "more than 1 MB",
    b":1\r\n" * 300_000: "more than 1 MB",
}


def told(data: bytes, cuts: Sequence[int] = (), meter: Meter | None = None) -> str | None:
    """What the meter says of the bytes, in these pieces."""
    meter = meter or Meter()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if start < end]
    return next((why for why in map(meter.why_too_much, pieces) if why), None)


@pytest.mark.parametrize("data", TOO_MUCH)
@given(cuts=st.lists(st.integers(0), max_size=5))
def test_what_is_too_much_is_told_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    assert TOO_MUCH[data] in str(told(data, cuts))


@given(cuts=st.lists(st.integers(0), max_size=8))
def test_what_stands_in_a_text_announces_nothing(cuts: list[int]) -> None:
    text = b"\r\n*1000000000\r\n" * 9
    reply = b"*3\r\n$%d\r\n%s\r\n%%1\r\n+*1000000000\r\n*0\r\n$-1\r\n" % (len(text), text)
    assert told(reply * 100, cuts) is None


def test_lists_that_have_ended_are_not_deep() -> None:
    assert told(b"*2\r\n*1\r\n:1\r\n*1\r\n*-1\r\n" * 5000) is None


def test_a_statement_may_bring_more_than_a_check_and_each_begins_anew() -> None:
    meter = Meter()
    reply = b"$900000\r\n" + b"x" * 900_000 + b"\r\n"
    assert told(reply, meter=meter) is None
    meter.begin(CHECK_BYTES)
    assert told(reply, meter=meter) is None
    meter.begin(3 * CHECK_BYTES)
    assert told(reply * 3, meter=meter) is None


async def test_118_bytes_of_a_server_end_a_check_with_what_it_did() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%0\r\n" + b"*1000000000\r\n" * 9)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    target = Target("cache", "redis", "redis", hosts=(server.sockets[0].getsockname()[:2],))
    async with server, opened(target) as driver:
        assert "does not answer as Redis does" in str(await fault_of(driver))
