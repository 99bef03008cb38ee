import asyncio
import math

import pytest

from omnidb_cli.drivers.redis.values import value_of
from omnidb_cli.errors import DriverError, ErrorKind, StatementError, StatementTimeout
from tests.drivers.contract import opened, outcome, session_of, until
from tests.drivers.redis_targets import target_of
from tests.servers.redis import RedisPair, RedisServer


async def _rows(server: RedisServer, statement: str, *parameters: str, read_only: bool = False) -> list[object]:
    async with opened(target_of(server)) as driver:
        found = await outcome(driver, (statement, parameters), read_only=read_only)
    assert found.columns == ("value",)
    assert found.row_count == len(found.rows)
    return [row[0] for row in found.rows]


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SET text 'ä ☃'", ["OK"]),
        ("GET text", ["ä ☃"]),
        ("GET nothing", [None]),
        ("STRLEN text", [6]),
        ("LRANGE list 0 -1", ["1", "two", ""]),
        ("LRANGE none 0 -1", []),
        ("MGET text none", ["ä ☃", None]),
        ("HGETALL hash", [{"a": "1", "b": "two"}]),
        ("ZRANGE sorted 0 -1 WITHSCORES", [["a", 0.1], ["b", 1e300]]),
        ("ZSCORE sorted a", [0.1]),
        (r'SET raw "\x00\xff"', ["OK"]),
        ("GET raw", [b"\x00\xff"]),
        ("XRANGE stream - +", [["1-1", ["k", "v"]]]),
        ("XREAD STREAMS stream 0", [{"stream": [["1-1", ["k", "v"]]]}]),
        ("SMEMBERS set", ["member"]),
        ("DEBUG PROTOCOL bignum", ["1234567999999999999999999999999999999"]),
        ("DEBUG PROTOCOL double", [3.141]),
        ("DEBUG PROTOCOL true", [True]),
        ("DEBUG PROTOCOL null", [None]),
        ("DEBUG PROTOCOL verbatim", ["This is a verbatim\nstring"]),
        ("DEBUG PROTOCOL map", [{0: False, 1: True, 2: False}]),
        (
            "EVAL \"return {1, {2, 'three'}, redis.error_reply('OH no'), false}\" 0",
            [1, [2, "three"], {"error": "OH no"}, None],
        ),
        ("EVAL \"redis.setresp(3); return {map={a={double=1.5}}}\" 0", [{"a": 1.5}]),
    ],
)  # fmt: skip
async def test_replies_are_typed_one_row_an_item(redis_pair: RedisPair, statement: str, rows: list[object]) -> None:
    primary = redis_pair.primary
    for command in (
        ("FLUSHDB",), ("SET", "text", "ä ☃"), ("RPUSH", "list", 1, "two", ""), ("HSET", "hash", "a", 1, "b", "two"),
        ("ZADD", "sorted", 0.1, "a", "1e300", "b"), ("SET", "raw", b"\x00\xff"), ("XADD", "stream", "1-1", "k", "v"),
        ("SADD", "set", "member"),
    ):  # fmt: skip
        primary.ask(*command)
    found = await _rows(primary, statement)
    assert found == rows
    assert list(map(type, found)) == list(map(type, rows))


def test_floats_that_are_no_numbers_and_bytes_as_keys() -> None:
    assert value_of(math.inf) == math.inf
    assert value_of({b"\xff": 1, b"a": [b"\xfe"]}) == {"\\xff": 1, "a": [b"\xfe"]}


async def test_parameters_are_binary_safe(redis_pair: RedisPair) -> None:
    assert await _rows(redis_pair.primary, "SET bytes", "\udcff\n", "EX", "60") == ["OK"]
    assert await _rows(redis_pair.primary, "GET", "bytes") == [b"\xff\n"]


async def test_the_database_of_the_url_is_the_one(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, database="2")) as driver:
        await outcome(driver, ("SET where two", ()))
    assert redis_pair.primary.ask("GET", "where", database=2) == "two"
    assert redis_pair.primary.ask("GET", "where") is None


async def test_the_command_is_its_name_in_capitals(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary)) as driver:
        assert (await outcome(driver, ("config get maxclients", ()))).command == "CONFIG"


@pytest.mark.parametrize("statement", ["BLPOP nothing 0", "XREAD BLOCK 0 STREAMS nothing $"])
@pytest.mark.parametrize("read_only", [False, True])
async def test_what_blocks_ends_at_the_time_limit_on_the_server_too(
    redis_pair: RedisPair, statement: str, *, read_only: bool
) -> None:
    if read_only and statement.startswith("BLPOP"):
        return
    primary = redis_pair.primary
    async with opened(target_of(primary)) as driver, session_of(driver, read_only=read_only, timeout_s=0.3) as session:
        with pytest.raises(StatementTimeout) as raised:
            await session.run(statement, ())
        assert "within 300ms" in str(raised.value)
        await until(lambda: primary.clients() == [])
    assert primary.facts("clients")["blocked_clients"] == "0"


async def test_a_replica_refuses_in_its_own_name_too(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.replica)) as driver:
        with pytest.raises(StatementError) as raised:
            await outcome(driver, ("SET text x", ()))
    assert raised.value.kind is ErrorKind.ROLE
    assert "write to its primary" in (raised.value.hint or "")


async def test_out_of_memory_counts_against_the_server(fragile_redis: RedisPair) -> None:
    fragile_redis.primary.ask("CONFIG", "SET", "maxmemory", 1)
    async with opened(target_of(fragile_redis.primary)) as driver:
        with pytest.raises(DriverError, match="OOM") as raised:
            await outcome(driver, ("SET text x", ()))
        assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.CAPACITY, True)


async def test_a_wrong_command_is_refused_before_it_is_sent(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary)) as driver, session_of(driver) as session:
        with pytest.raises(StatementError, match="runs alone"):
            await session.run("MULTI", ())
        async with asyncio.timeout(30):
            reply = await session.run("ECHO fine", ())
        assert [row async for batch in reply.batches for row in batch] == [("fine",)]


async def test_a_large_value_comes_whole(redis_pair: RedisPair) -> None:
    value = "0123456789abcdef" * 640 * 1024
    redis_pair.primary.ask("SET", "large", value)
    assert await _rows(redis_pair.primary, "GET large") == [value]
    assert await _rows(redis_pair.primary, "STRLEN", "large") == [len(value)]
    assert await _rows(redis_pair.primary, "ECHO", value[: 1 << 20]) == [value[: 1 << 20]]


async def test_a_reply_in_replies_hundreds_deep_is_not_shown(redis_pair: RedisPair) -> None:
    deep = "EVAL 'local deep = {} for i = 1, %d do deep = {deep} end return deep' 0"
    [shown] = await _rows(redis_pair.primary, deep % 200)
    assert str(shown).count("[") == 200
    for levels in (201, 900):
        with pytest.raises(StatementError, match="more than 200 levels"):
            await _rows(redis_pair.primary, deep % levels)
    with pytest.raises(DriverError):  # by us, or by the parser: how much it takes depends on its version
        await _rows(redis_pair.primary, deep % 2000)
