import pytest

from omnidb_cli.drivers.redis.read_only import refused_by_flags
from omnidb_cli.errors import StatementError, WriteRefusedError
from tests.drivers.contract import Order, opened, outcome
from tests.drivers.redis_targets import target_of
from tests.servers.redis import RedisPair, RedisServer

WRITES: list[Order] = [
    ("SET secret x", ()),
    ("EVAL \"return redis.call('SET', 'secret', 'x')\" 0", ()),
    ("EVAL 'return 1' 0", ()),
    ("EVALSHA abc 0", ()),
    ("FCALL f 0", ()),
    ("SCRIPT LOAD 'return 1'", ()),
    ("FUNCTION LOAD '#!lua name=x'", ()),
    ("CONFIG SET maxclients 10", ()),
    ("CONFIG RESETSTAT", ()),
    ("CLIENT KILL TYPE normal", ()),
    ("FLUSHALL", ()),
    ("SORT list STORE secret", ()),
    ("GETEX text PERSIST", ()),
    ("PUBLISH news x", ()),
    ("PFCOUNT log", ()),
    ("REPLICAOF NO ONE", ()),
    ("DEBUG RELOAD", ()),
    ("SHUTDOWN", ()),
    ("WAIT 0 0", ()),
    ("BLPOP list 1", ()),
    ("OBJECT", ()),
    ('"\\x53ET" secret x', ()),
    ("", ("SET", "secret", "x")),
]


@pytest.mark.parametrize("order", WRITES, ids=lambda order: order[0][:24] or "parameters")
async def test_a_promoted_writable_backup_is_not_written(promoted: RedisServer, order: Order) -> None:
    before = promoted.ask("DEBUG", "DIGEST")
    async with opened(target_of(promoted)) as driver:
        with pytest.raises(WriteRefusedError) as raised:
            await outcome(driver, order, read_only=True)
    assert raised.value.hint
    assert not raised.value.counts_as_failure
    assert promoted.ask("DEBUG", "DIGEST") == before
    assert promoted.is_running


READS: list[Order] = [
    ("GET text", ()),
    ("get text", ()),
    ("KEYS *", ()),
    ("SCAN 0", ()),
    ("TYPE text", ()),
    ("OBJECT ENCODING text", ()),
    ("MEMORY USAGE text", ()),
    ("MEMORY STATS", ()),
    ("DBSIZE", ()),
    ("PING", ()),
    ("ECHO x", ()),
    ("TIME", ()),
    ("INFO replication", ()),
    ("LASTSAVE", ()),
    ("ROLE", ()),
    ("CONFIG GET maxclients", ()),
    ("config get maxclients", ()),
    ("COMMAND COUNT", ()),
    ("CLIENT LIST", ()),
    ("SLOWLOG GET 1", ()),
    ("LATENCY LATEST", ()),
    ("SORT_RO list ALPHA", ()),
    ("EVAL_RO \"return redis.call('GET', 'text')\" 0", ()),
]


@pytest.mark.parametrize("order", READS, ids=lambda order: order[0])
async def test_a_backup_is_read(promoted: RedisServer, order: Order) -> None:
    async with opened(target_of(promoted)) as driver:
        await outcome(driver, order, read_only=True)


async def test_a_script_that_may_only_read_is_kept_to_it_by_the_server(promoted: RedisServer) -> None:
    async with opened(target_of(promoted)) as driver:
        with pytest.raises(StatementError, match="Write commands are not allowed from read-only scripts"):
            await outcome(driver, ("EVAL_RO \"return redis.call('SET', 'secret', 'x')\" 0", ()), read_only=True)
    assert promoted.ask("EXISTS", "secret") == 0


@pytest.fixture(scope="module")
def promoted(redis_servers: RedisPair) -> object:
    """A replica that became a primary, and may be written."""
    replica = redis_servers.replica
    replica.ask("REPLICAOF", "NO", "ONE")
    for command in (("FLUSHALL",), ("SET", "text", "x"), ("RPUSH", "list", "b", "a"), ("PFADD", "log", "a", "b")):
        replica.ask(*command)
    yield replica
    redis_servers.replicate()


async def test_the_account_for_reading_may_read(redis_pair: RedisPair) -> None:
    target = target_of(redis_pair.primary, username="reader", database="1")
    async with opened(target) as driver:
        assert (await outcome(driver, ("GET nothing", ()), read_only=True)).rows == [(None,)]
        with pytest.raises(WriteRefusedError):
            await outcome(driver, ("SET text x", ()), read_only=True)


async def test_who_may_not_ask_for_the_flags_is_refused_and_told_the_right(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, username="least")) as driver:
        with pytest.raises(WriteRefusedError) as raised:
            await outcome(driver, ("GET text", ()), read_only=True)
    assert "+command" in (raised.value.hint or "")


@pytest.mark.parametrize("statement", ["NOSUCH x", "CONFIG NOSUCH", "COMMAND NOSUCH"])
async def test_what_the_server_does_not_know_is_a_wrong_statement(redis_pair: RedisPair, statement: str) -> None:
    async with opened(target_of(redis_pair.primary)) as driver:
        with pytest.raises(StatementError, match="the server knows no command"):
            await outcome(driver, (statement, ()), read_only=True)


def test_a_server_without_flags_for_subcommands_is_believed_for_the_whole() -> None:
    whole = [b"config", -2, [b"admin", b"noscript"], 0, 0, 0]
    assert refused_by_flags((b"CONFIG", b"GET", b"x"), [whole, None]) is None
    assert refused_by_flags((b"CONFIG", b"SET", b"x"), [whole, None]) is not None
    counting = [b"pfcount", -2, [b"readonly"], 1, -1, 1, [], [], [[b"notes", b"x", b"flags", [b"RW", b"access"]]], []]
    assert refused_by_flags((b"PFCOUNT", b"log"), [counting, None]) == "the server says that PFCOUNT writes"
    written = [b"ping", -2, [b"write"], 0, 0, 0]
    assert refused_by_flags((b"PING",), [written, None]) == "the server says that PING writes"
