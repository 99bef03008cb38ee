"""How far a server's history goes, of one that takes writes: where two of them part (semantics, Failover 8)."""

import re

import pytest
from msgspec.structs import replace

from omnidb_cli.drivers.base import Target, position
from omnidb_cli.drivers.mongodb.check import ServerState, answer_of
from omnidb_cli.drivers.mysql import check as mysql_check
from omnidb_cli.drivers.mysql.check import ServerState as MysqlState
from omnidb_cli.drivers.mysql.check import answer
from tests.drivers import mongodb_targets, mysql_targets, postgres_targets, redis_targets
from tests.drivers.contract import check, opened
from tests.servers.mariadb import MariadbPair
from tests.servers.mongodb import MongoPair
from tests.servers.postgres import PostgresPair
from tests.servers.redis import RedisPair


async def _position_of(target: Target) -> str:
    async with opened(target) as driver:
        found = (await check(driver)).position
    assert found is not None
    return found


async def test_a_postgres_that_was_promoted_is_on_a_timeline_of_its_own(fragile_postgres: PostgresPair) -> None:
    primary, replica = fragile_postgres.primary, fragile_postgres.replica
    async with opened(postgres_targets.target_of(replica)) as driver:
        assert (await check(driver)).position is None
        replica.sql("SELECT pg_promote()")
        after = (await check(driver)).position
    timeline = int(replica.sql("SELECT timeline_id FROM pg_control_checkpoint()"))
    before = await _position_of(postgres_targets.target_of(primary))
    assert re.fullmatch(r"timeline 1, LSN [0-9A-F]+/[0-9A-F]+", before)
    assert re.fullmatch(r"timeline 2, LSN [0-9A-F]+/[0-9A-F]+", str(after))
    assert timeline in {1, 2}  # the checkpoint that makes it 2 may still be to come
    primary.sql("CREATE TABLE later(a int)", "DROP TABLE later")
    assert await _position_of(postgres_targets.target_of(primary)) != before


async def test_a_postgres_that_keeps_its_position_to_itself_is_well(fragile_postgres: PostgresPair) -> None:
    primary = fragile_postgres.primary
    primary.sql("REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn() FROM public")
    try:
        async with opened(postgres_targets.target_of(primary)) as driver:
            for _ in range(2):
                answer = await check(driver)
                assert (answer.role, answer.writable, answer.position) == ("primary", True, None)
    finally:
        primary.sql("GRANT EXECUTE ON FUNCTION pg_current_wal_lsn() TO public")


async def test_a_mariadb_tells_its_gtid_to_everybody(fragile_mariadb: MariadbPair) -> None:
    primary, replica = fragile_mariadb.primary, fragile_mariadb.replica
    plain = mysql_targets.target_of(primary, username="plain", database=None)
    primary.sql("CREATE DATABASE earlier")  # a server that was never written has none
    before = await _position_of(plain)
    assert before == f"GTID {primary.sql('SELECT @@gtid_current_pos')}"
    primary.sql("DROP DATABASE earlier")
    assert await _position_of(plain) != before
    async with opened(mysql_targets.target_of(replica)) as driver:
        assert (await check(driver)).position is None


async def test_a_relative_of_mysql_without_that_variable_is_well(
    mariadb: MariadbPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_check, "position_variable", lambda _wire: "@@global.no_such_variable")
    async with opened(mysql_targets.target_of(mariadb.primary)) as driver:
        for _ in range(2):
            found = await check(driver)
            assert (found.role, found.writable, found.position) == ("primary", True, None)
    async with opened(mysql_targets.target_of(mariadb.replica, username="omnidb")) as driver:
        assert (await check(driver)).role == "replica"


def test_the_long_names_of_mysql_are_shortened() -> None:
    servers = ("3e11fa47-71ca-11e1-9e33-c80aa9429562", "8c2b1d90-71ca-11e1-9e33-c80aa9429562")
    seen = MysqlState(read_only=False, sources=(), gtid=f"{servers[0]}:1-5,\n{servers[1]}:1-3:7")
    assert answer(seen, latency_s=0.1, version="8.4.0").position == "GTID 3e11fa47…:1-5, 8c2b1d90…:1-3:7"
    assert answer(replace(seen, gtid=""), latency_s=0.1, version="8.4.0").position is None
    assert answer(replace(seen, read_only=True), latency_s=0.1, version="8.4.0").position is None


async def test_a_redis_tells_its_replication_id_and_offset(fragile_redis: RedisPair) -> None:
    primary, replica = fragile_redis.primary, fragile_redis.replica
    facts = primary.facts()
    expected = f"replication id {facts['master_replid'][:8]}…, offset "
    before = await _position_of(redis_targets.target_of(primary))
    assert re.fullmatch(rf"{re.escape(expected)}\d+", before)
    primary.ask("SET", "more", "x" * 100)
    after = await _position_of(redis_targets.target_of(primary))
    assert int(after.removeprefix(expected)) >= int(before.removeprefix(expected)) + 100
    async with opened(redis_targets.target_of(replica)) as driver:
        assert (await check(driver)).position is None
    replica.ask("CONFIG", "SET", "replica-read-only", "no")
    assert (await _position_of(redis_targets.target_of(replica))).startswith(expected)
    replica.ask("REPLICAOF", "NO", "ONE")
    promoted = await _position_of(redis_targets.target_of(replica))
    assert promoted.startswith(f"replication id {replica.facts()['master_replid'][:8]}…, offset ")
    assert not promoted.startswith(expected)


async def test_a_mongodb_says_nothing_that_it_does_not_know(mongodb: MongoPair) -> None:
    async with opened(mongodb_targets.target_of(mongodb.replica)) as driver:
        assert (await check(driver)).position is None


def test_a_mongodb_tells_the_term_of_its_election() -> None:
    hello = {"isWritablePrimary": True, "setName": "rs0", "electionId": "7fffffff0000000000000003"}
    assert answer_of(ServerState(hello), 0.1, None, behind=None, now_s=0.0).position == "set rs0, term 3"
    for other in ({**hello, "readOnly": True}, {"isWritablePrimary": True}):
        assert answer_of(ServerState(other), 0.1, None, behind=None, now_s=0.0).position is None


def test_a_position_is_one_short_line_without_control_characters() -> None:
    assert position("GTID 1\n2\x1b[31m") == "GTID 1 2 [31m"
    long = position("GTID " + "0-1-42," * 50)
    assert (len(long), long[-1]) == (120, "…")
