"""Checks real servers: role, lag, stopped replication, and what a plain login may not see."""

import asyncio

import pytest

from omnidb_cli.core.health.model import Health, HealthPolicy, evaluate
from omnidb_cli.drivers.postgres.statement import literal
from omnidb_cli.errors import ErrorKind, StatementError, TopologyError
from tests.drivers.contract import check, opened, outcome, until
from tests.drivers.postgres_targets import target_of
from tests.servers.postgres import PASSWORD, PostgresPair


async def test_a_primary_and_its_replica_tell_their_roles(postgres: PostgresPair) -> None:
    postgres.catch_up()
    async with opened(target_of(postgres.primary)) as primary, opened(target_of(postgres.replica)) as replica:
        first, second = await check(primary), await check(replica)
    assert (first.role, first.writable, first.lag_s, first.stalled) == ("primary", True, None, None)
    assert (second.role, second.writable, second.lag_s, second.stalled) == ("replica", False, 0.0, None)
    assert first.version == second.version
    assert first.version
    assert first.version[0].isdigit()


async def test_an_idle_primary_makes_no_lag(fragile_postgres: PostgresPair) -> None:
    """The last commit is old, and everything there is has been replayed."""
    primary, replica = fragile_postgres.primary, fragile_postgres.replica
    primary.sql("CREATE TABLE old(a int)", "DROP TABLE old")
    fragile_postgres.catch_up()
    age = "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp()) > 1.2"
    await until(lambda: replica.sql(age) == "t")
    async with opened(target_of(replica)) as driver:
        assert (await check(driver)).lag_s == 0.0


async def test_what_arrives_now_after_a_quiet_time_is_no_lag(fragile_postgres: PostgresPair) -> None:
    """A replica that is seen between receiving and replaying checks as far behind as the commit before is old."""
    primary, replica = fragile_postgres.primary, fragile_postgres.replica
    primary.sql("CREATE TABLE quiet(a int)")
    fragile_postgres.catch_up()
    await until(lambda: replica.sql("SELECT now() - pg_last_xact_replay_timestamp() > '1.2s'") == "t")
    async with opened(target_of(replica)) as driver:
        await check(driver)
        writing = asyncio.create_task(
            asyncio.to_thread(primary.sql, "INSERT INTO quiet SELECT generate_series(1, 50000)")
        )
        lags = [(await check(driver)).lag_s]
        while not writing.done():
            lags.append((await check(driver)).lag_s)
        await writing
    primary.sql("DROP TABLE quiet")
    assert all(lag is not None and lag < 1.2 for lag in lags)


async def test_lag_grows_while_replay_is_delayed(fragile_postgres: PostgresPair) -> None:
    primary, replica = fragile_postgres.primary, fragile_postgres.replica
    primary.sql("CREATE TABLE late(a int)")
    fragile_postgres.catch_up()
    replica.sql("ALTER SYSTEM SET recovery_min_apply_delay = '1h'", "SELECT pg_reload_conf()")
    await until(lambda: replica.sql("SHOW recovery_min_apply_delay") == "1h")
    primary.sql("INSERT INTO late VALUES (1)")
    await until(lambda: replica.sql("SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()") == "t")
    await until(lambda: replica.sql("SELECT now() - pg_last_xact_replay_timestamp() > '1.2s'") == "t")
    async with opened(target_of(replica)) as driver:
        answer = await check(driver)
    assert answer.lag_s is not None
    assert answer.lag_s > 1.2
    assert answer.stalled is None
    assert evaluate(answer, HealthPolicy("replica", max_lag_s=1)).kind == "lag"


async def test_paused_replay_is_told_apart_from_lag(fragile_postgres: PostgresPair) -> None:
    fragile_postgres.replica.sql("SELECT pg_wal_replay_pause()")
    async with opened(target_of(fragile_postgres.replica)) as driver:
        answer = await check(driver)
    assert answer.stalled == "replication stopped: WAL replay is paused"
    assert evaluate(answer, HealthPolicy("replica")).health is Health.DEGRADED


async def test_replication_that_stopped_is_seen_by_a_plain_login(fragile_postgres: PostgresPair) -> None:
    primary, replica = fragile_postgres.primary, fragile_postgres.replica
    async with opened(target_of(replica)) as driver:
        assert (await check(driver)).stalled is None
        primary.kill()
        await until(lambda: replica.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0")
        answer = await check(driver)
        assert "no WAL receiver is running" in str(answer.stalled)
        assert answer.lag_s is None, "what it has not received, it cannot know of"
        primary.start()
        primary.wait_ready()
        fragile_postgres.catch_up()
        assert (await check(driver)).stalled is None


async def test_a_replica_that_never_reached_its_primary_stands_still(fragile_postgres: PostgresPair) -> None:
    fragile_postgres.primary.kill()
    fragile_postgres.replica.restart()
    async with opened(target_of(fragile_postgres.replica)) as driver:
        assert "no WAL receiver is running" in str((await check(driver)).stalled)


async def test_a_promoted_replica_is_a_primary(fragile_postgres: PostgresPair) -> None:
    async with opened(target_of(fragile_postgres.replica)) as driver:
        assert (await check(driver)).role == "replica"
        fragile_postgres.replica.sql("SELECT pg_promote()")
        answer = await check(driver)
    assert (answer.role, answer.writable, answer.stalled) == ("primary", True, None)
    verdict = evaluate(answer, HealthPolicy("replica"))
    assert (verdict.health, verdict.kind) == (Health.DEGRADED, ErrorKind.ROLE)


async def test_a_primary_that_only_reads_is_no_primary(fragile_postgres: PostgresPair) -> None:
    primary = fragile_postgres.primary
    primary.sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    await until(lambda: primary.sql("SHOW default_transaction_read_only") == "on")
    async with opened(target_of(primary)) as driver:
        answer = await check(driver)
    assert (answer.role, answer.writable, answer.position) == ("primary", False, None)
    assert evaluate(answer, HealthPolicy("primary")).health is Health.UNHEALTHY


async def test_a_superuser_is_told_of(postgres: PostgresPair) -> None:
    make = f"CREATE ROLE mightier SUPERUSER LOGIN PASSWORD {literal(PASSWORD)}"
    postgres.primary.sql("DROP ROLE IF EXISTS mightier", make)
    for username, told in {"mightier": "superuser", "app": "None"}.items():
        async with opened(target_of(postgres.primary, username=username)) as driver:
            for _ in range(2):
                assert told in str((await check(driver)).powers)


async def test_the_check_statement_is_asked_and_may_only_read(postgres: PostgresPair) -> None:
    server = postgres.primary
    server.sql("CREATE TABLE IF NOT EXISTS checked(a int)", "TRUNCATE checked", "GRANT ALL ON checked TO app")
    async with opened(target_of(server, statement="SELECT * FROM checked")) as driver:
        assert (await check(driver)).role == "primary"
        assert (await check(driver)).role == "primary"
    server.sql("INSERT INTO checked VALUES (1)", "DROP TYPE IF EXISTS mood", "CREATE TYPE mood AS ENUM ('1')")
    for statement in (
        "SELECT ARRAY[1], ROW(1, 'a'), int4range(1, 2)",
        "SELECT a FROM checked a",
        "SELECT '{1}'::mood[]",
    ):
        async with opened(target_of(server, statement=statement)) as driver:
            for _ in range(2):
                assert (await check(driver)).role == "primary"
    server.sql("DELETE FROM checked")
    for statement, reason in {
        "WITH a AS (INSERT INTO checked VALUES (1) RETURNING a) SELECT a FROM a": "read-only transaction",
        "SELECT * FROM missing": 'relation "missing" does not exist',
        "SELECT 1; INSERT INTO checked VALUES (1)": "multiple commands",
        "SELECT set_config('transaction_read_only', 'off', false)": "before any query",
    }.items():
        async with opened(target_of(server, statement=statement)) as driver:
            with pytest.raises(StatementError, match=reason) as raised:
                await check(driver)
            assert str(raised.value).startswith("the check statement fails: ")
    for statement in (
        "INSERT INTO checked VALUES (1)",
        "COPY checked TO PROGRAM 'true'",
        "ANALYZE checked",
        "DO 'BEGIN END'",
    ):
        async with opened(target_of(server, statement=statement)) as driver:
            with pytest.raises(StatementError, match="the check statement may only read"):
                await check(driver)
    assert server.sql("SELECT count(*) FROM checked") == "0"


async def test_a_check_statement_that_takes_too_long_is_stopped_on_the_server(postgres: PostgresPair) -> None:
    server = postgres.primary
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(500)'"
    async with opened(target_of(server, statement="SELECT pg_sleep(500)", timeout_s=0.5)) as driver:
        checking = asyncio.create_task(driver.check())  # type: ignore[arg-type]
        await until(lambda: server.sql(running) == "1")
        async with asyncio.timeout(30):
            await asyncio.wait([checking])
        assert getattr(checking.exception(), "kind", None) is ErrorKind.TIMEOUT
        await until(lambda: server.sql(running) == "0")


async def test_one_connection_is_held_for_checks_and_none_is_left(postgres: PostgresPair) -> None:
    server = postgres.primary
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'held by the test'"
    target = target_of(server, params={"application_name": "held by the test"})
    async with opened(target) as driver:
        for _ in range(3):
            await check(driver)
        assert server.sql(mine) == "1"
        await outcome(driver, ("SELECT 1", ()))
        await until(lambda: server.sql(mine) == "1")
    await until(lambda: server.sql(mine) == "0")


async def test_omnidb_gives_its_name(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.primary)) as driver:
        assert (await outcome(driver, ("SHOW application_name", ()))).rows == [("omnidb",)]


def test_the_engine_is_found_by_its_name_in_topologies(postgres: PostgresPair) -> None:
    from omnidb_cli.drivers import engines, open_driver

    names = {engine.name for engine in engines()}
    assert "postgresql" in names
    assert "postgres" not in names
    with pytest.raises(TopologyError):
        open_driver(target_of(postgres.primary, engine="postgres"))
