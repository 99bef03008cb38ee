"""A session on a backup cannot change anything: by our list of statements, and by the engine's own switch."""

from pathlib import Path

import pytest

from omnidb_cli.drivers.mysql import session as mysql_session
from omnidb_cli.errors import WriteRefusedError
from tests.drivers.contract import opened, session_of
from tests.drivers.mysql_targets import target_of
from tests.servers.mariadb import DATABASE, MariaDB, MariadbPair

OUTFILE = "/tmp/omnidb-must-not-be-written"

BY_THE_ENGINE = [
    "INSERT INTO kept VALUES (2)",
    "UPDATE kept SET a = 2",
    "DELETE FROM kept",
    "REPLACE INTO kept VALUES (2)",
    "INSERT INTO not_transactional VALUES (2)",
    "SET STATEMENT tx_read_only=0 FOR INSERT INTO kept VALUES (2)",
    "CREATE TABLE made(a INT)",
    "CREATE TEMPORARY TABLE made(a INT)",
    "DROP TABLE kept",
    "TRUNCATE TABLE kept",
    "ALTER TABLE kept ADD b INT",
    "RENAME TABLE kept TO gone",
    "LOCK TABLES kept WRITE",
    "CALL writes()",
    "EXECUTE IMMEDIATE 'DELETE FROM kept'",
    "WITH one AS (SELECT 1) SELECT NEXTVAL(numbers) FROM one",
    "SELECT NEXTVAL(numbers)",
    "SELECT writing()",
    "ANALYZE FORMAT=JSON UPDATE kept SET a = 2",
    "SELECT * FROM kept FOR UPDATE",
]
"""What a read-only transaction refuses by itself."""

NOT_BY_THE_ENGINE = [
    "CALL commits_and_writes()",
    "BEGIN NOT ATOMIC COMMIT; START TRANSACTION READ WRITE; INSERT INTO kept VALUES (2); COMMIT; END",
    f"SELECT a INTO OUTFILE '{OUTFILE}' FROM kept",
    f"SELECT a FROM kept INTO /* there */ DUMPFILE '{OUTFILE}'",
    f"SELECT a /*!INTO OUTFILE '{OUTFILE}'*/ FROM kept",
    "SET GLOBAL max_connections = 77",
    "FLUSH TABLES",
    "ANALYZE TABLE kept",
    "KILL 1",
]
"""What it lets through: these do not even reach the server."""


@pytest.fixture
def promoted(fragile_mariadb: MariadbPair) -> MariaDB:
    """A backup that takes writes, with an account that may do everything: only the session stands in the way."""
    server = fragile_mariadb.primary
    server.sql(
        "CREATE OR REPLACE TABLE kept(a INT); INSERT INTO kept VALUES (1);"
        " CREATE OR REPLACE TABLE not_transactional(a INT) ENGINE=MyISAM;"
        " CREATE OR REPLACE SEQUENCE numbers;"
        " CREATE OR REPLACE PROCEDURE writes() INSERT INTO kept VALUES (2);"
        " SET GLOBAL log_bin_trust_function_creators = 1; SET SESSION sql_mode = '';",
        DATABASE,
    )
    server.sql("CREATE OR REPLACE FUNCTION writing() RETURNS INT RETURN NEXTVAL(numbers)", DATABASE)
    server.script(
        "CREATE OR REPLACE PROCEDURE commits_and_writes() BEGIN COMMIT; START TRANSACTION READ WRITE;"
        " INSERT INTO kept VALUES (2); COMMIT; END//",
        DATABASE,
    )
    return server


def contents(server: MariaDB) -> str:
    counts = "(SELECT group_concat(a) FROM kept), (SELECT count(*) FROM not_transactional)"
    rest = "(SELECT next_not_cached_value FROM numbers), @@global.max_connections"
    tables = server.sql("SHOW TABLES", DATABASE)
    return server.sql(f"SELECT {counts}, {rest}", DATABASE) + tables


async def refused(server: MariaDB, statement: str, parameters: tuple[str, ...] = ()) -> WriteRefusedError:
    async with (
        opened(target_of(server, username="mighty")) as driver,
        session_of(driver, read_only=True) as session,
    ):
        with pytest.raises(WriteRefusedError) as raised:
            await session.run(statement, parameters)
    return raised.value


async def test_what_is_not_known_to_read_is_refused(promoted: MariaDB) -> None:
    before = contents(promoted)
    for statement in (*BY_THE_ENGINE, *NOT_BY_THE_ENGINE):
        error = await refused(promoted, statement)
        assert '"shop" was opened read-only' in str(error)
        assert not error.counts_as_failure
        assert error.hint
    assert contents(promoted) == before
    assert not Path(OUTFILE).exists()


async def test_the_engine_refuses_too(promoted: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mysql_session, "why_not_a_read", lambda _statement: None)
    before = contents(promoted)
    for statement in BY_THE_ENGINE:
        assert "read" in str(await refused(promoted, statement)).lower(), statement
    await refused(promoted, "DELETE FROM kept WHERE a = ?", ("1",))
    assert contents(promoted) == before


async def test_the_engine_alone_would_not_do(promoted: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why there is a list: a procedure ends the read-only transaction and begins another."""
    monkeypatch.setattr(mysql_session, "why_not_a_read", lambda _statement: None)
    before = contents(promoted)
    async with (
        opened(target_of(promoted, username="mighty")) as driver,
        session_of(driver, read_only=True) as session,
    ):
        await session.run("CALL commits_and_writes()", ())
    assert contents(promoted) != before


READS = [
    "SELECT a FROM kept",
    "-- first\n(SELECT a FROM kept) UNION (SELECT 1)",
    "WITH t AS (SELECT a FROM kept) SELECT * FROM t",
    "SHOW TABLES",
    "EXPLAIN SELECT a FROM kept",
    "ANALYZE SELECT a FROM kept",
    "DESC kept",
    "VALUES (1)",
    "CHECKSUM TABLE kept",
    "SELECT 'INTO OUTFILE', '; DROP TABLE kept' AS `CALL`;",
]


async def test_reads_go_through(promoted: MariaDB) -> None:
    before = contents(promoted)
    for statement in READS:
        async with opened(target_of(promoted)) as driver, session_of(driver, read_only=True) as session:
            reply = await session.run(statement, ())
            assert [row async for batch in reply.batches for row in batch], statement
    assert contents(promoted) == before


async def test_on_a_read_only_replica_the_refusal_is_the_same(mariadb: MariadbPair) -> None:
    error = await refused(mariadb.replica, "INSERT INTO item(name) VALUES ('x')")
    assert "nothing was changed" in str(error)
