"""A script does not end with the connection that began it: it is stopped on the server, or said to run on."""

import asyncio
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from omnidb_cli.errors import StatementTimeout
from tests.drivers.contract import PATIENCE_S, opened, session_of, until
from tests.drivers.redis_targets import target_of
from tests.servers.redis import RedisPair, RedisServer

ENDLESS = "EVAL_RO 'while true do end' 0"
LIBRARY = """#!lua name=omnidb
redis.register_function{function_name='endless', callback=function() while true do end end, flags={'no-writes'}}
"""


@pytest.fixture
def server(fragile_redis: RedisPair) -> RedisServer:
    """A primary that tells at once that it is busy with a script."""
    fragile_redis.primary.ask("CONFIG", "SET", "busy-reply-threshold", 1)
    return fragile_redis.primary


def answers(server: RedisServer) -> bool:
    with suppress(RedisError):
        return server.ask("PING", limit_s=PATIENCE_S) in {True, "PONG"}
    return False


async def timeout_of(server: RedisServer, statement: str, *, read_only: bool = True, **target: str) -> str:
    """What is said of a statement that takes longer than it may."""
    async with (
        opened(target_of(server, **target)) as driver,
        session_of(driver, read_only=read_only, timeout_s=0.3) as session,
    ):
        with pytest.raises(StatementTimeout) as raised:
            await session.run(statement, ())
    return str(raised.value)


async def test_a_script_is_stopped_at_the_time_limit(server: RedisServer) -> None:
    assert (await timeout_of(server, ENDLESS, database="2")).endswith("within 300ms; its script was stopped")
    assert answers(server)


async def test_so_is_a_function(server: RedisServer) -> None:
    server.ask("FUNCTION", "LOAD", LIBRARY)
    assert (await timeout_of(server, "FCALL_RO endless 0")).endswith("its script was stopped")
    assert answers(server)


async def test_a_server_that_is_deaf_yet_stops_it_as_soon_as_it_hears(fragile_redis: RedisPair) -> None:
    server = fragile_redis.primary
    server.ask("CONFIG", "SET", "busy-reply-threshold", 1500)
    assert "SCRIPT KILL was sent" in await timeout_of(server, ENDLESS)
    await until(lambda: answers(server))


async def test_one_that_has_written_is_said_to_run_on(server: RedisServer) -> None:
    writes = "EVAL \"redis.call('SET', 'a', 1) while true do end\" 0"
    assert "its script runs on" in await timeout_of(server, writes, read_only=False)
    assert not answers(server)


async def test_an_account_that_may_not_stop_it_is_said_so(server: RedisServer) -> None:
    server.ask("ACL", "SETUSER", "reader", "+eval_ro")
    said = await timeout_of(server, ENDLESS, username="reader")
    assert "its script may run on: SCRIPT KILL was refused (NOPERM" in said
    server.ask("SCRIPT", "KILL")


async def test_whoever_ends_the_statement_at_its_limit_hears_how(server: RedisServer) -> None:
    """As `exec` does, a moment before the session itself."""
    async with opened(target_of(server)) as driver:
        deadline = asyncio.get_running_loop().time() + 0.3
        async with session_of(driver, timeout_s=0.3) as session:
            with pytest.raises(StatementTimeout, match="its script was stopped"):
                async with asyncio.timeout_at(deadline):
                    await session.run(ENDLESS, ())


async def test_an_interrupted_one_is_stopped_too(server: RedisServer) -> None:
    async with opened(target_of(server)) as driver, session_of(driver, timeout_s=PATIENCE_S) as session:
        running = asyncio.create_task(session.run(ENDLESS, ()))
        await until(lambda: not answers(server))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    await until(lambda: answers(server))
