"""Statements on real servers: what they bring, what is refused, and what stays as it was."""

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnidb_cli.drivers.base import Driver
from omnidb_cli.drivers.postgres.statement import literal
from omnidb_cli.errors import (
    LONGEST_MESSAGE,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
    WriteRefusedError,
)
from tests.drivers.contract import PATIENCE_S, opened, outcome, session_of, until
from tests.drivers.postgres_targets import target_of
from tests.servers.postgres import PASSWORD, PostgresPair

VALUES = {
    "NULL": None,
    "32767::int2": 32767,
    "9223372036854775807": 9223372036854775807,
    "true": True,
    "1.50": Decimal("1.50"),
    "0.1::numeric + 0.2": Decimal("0.3"),
    "'NaN'::numeric": Decimal("NaN"),
    "'-Infinity'::numeric": Decimal("-Infinity"),
    "0.1::float4": 0.1,
    "1e308::float8": 1e308,
    "'it''s'::varchar(9)": "it's",
    "'ab'::char(4)": "ab  ",
    r"'\xdead'::bytea": b"\xde\xad",
    "date '2024-02-29'": date(2024, 2, 29),
    "'infinity'::date": "infinity",
    "'-infinity'::timestamptz": "-infinity",
    "'0044-03-15 BC'::date": "0044-03-15 BC",
    "'294276-12-31 23:59:59'::timestamp": "294276-12-31 23:59:59",
    "timestamptz '2024-01-02 03:04:05.678901+05:30'": datetime(2024, 1, 1, 21, 34, 5, 678901, UTC),
    "timestamp '2024-01-02 03:04:05.5'": datetime(2024, 1, 2, 3, 4, 5, 500000),
    "time '12:34:56.789'": time(12, 34, 56, 789000),
    "time '24:00'": "24:00:00",
    "timetz '12:00+01'": time(12, tzinfo=timezone(timedelta(hours=1))),
    "interval '1 mon 3 days 04:05:06'": "1 mon 3 days 04:05:06",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    """'{"a": [1, 2.5, null], "b": {"c": "d"}}'::jsonb""": {"a": [1, 2.5, None], "b": {"c": "d"}},
    "'[0.10000000000000000001]'::json": [Decimal("0.10000000000000000001")],
    "'null'::jsonb": None,
    "inet '10.0.0.1/8'": "10.0.0.1/8",
    "int4range(1, 5)": "[1,5)",
    "tstzrange('2024-01-01', NULL)": '["2024-01-01 00:00:00+00",)',
    "ROW(1, 'a b', NULL)": '(1,"a b",)',
    "'happy'::mood": "happy",
    "ARRAY['happy', NULL]::mood[]": ["happy", None],
    "'(1,\"x y\")'::pair": '(1,"x y")',
    "7::positive": 7,
    "ARRAY[1, 2, NULL]": [1, 2, None],
    "'[0:1]={1,2}'::int[]": [1, 2],
    "'{}'::int[]": [],
    "ARRAY[[1.5, 2], [3, 4]]": [[Decimal("1.5"), Decimal(2)], [Decimal(3), Decimal(4)]],
    r"""ARRAY['a,b', '"', '\', 'NULL', '', NULL, '{}']""": ["a,b", '"', "\\", "NULL", "", None, "{}"],
    "ARRAY[true, false]": [True, False],
    r"ARRAY['\xde'::bytea]": [b"\xde"],
    """ARRAY['{"a": 1}'::jsonb]""": [{"a": 1}],
    "ARRAY[timestamptz '2024-01-01 00:00+00']": [datetime(2024, 1, 1, tzinfo=UTC)],
    "B'0101'": "0101",
    "point(1, 2)": "(1,2)",
    "ARRAY[box '((1,2),(3,4))']": "{(3,4),(1,2)}",
    "'1 2'::tsvector": "'1' '2'",
    "'pg_class'::regclass": "pg_class",
    "'x'::\"char\"": "x",
}


@pytest.fixture
def server(postgres: PostgresPair) -> PostgresPair:
    postgres.primary.sql(
        "DROP TABLE IF EXISTS item",
        "DROP TYPE IF EXISTS mood, pair; DROP DOMAIN IF EXISTS positive; DROP SEQUENCE IF EXISTS numbers",
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "CREATE TYPE pair AS (a int, b text)",
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE item(id int PRIMARY KEY, name text)",
        "GRANT ALL ON item, numbers TO app",
        "GRANT CREATE ON SCHEMA public TO app",
    )
    return postgres


def count(server: PostgresPair) -> int:
    return int(server.primary.sql("SELECT count(*) FROM item"))


async def test_values_are_exact_and_typed(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver:
        found = await outcome(driver, ("SELECT " + ", ".join(VALUES), ()))
    for name, value, expected in zip(VALUES, found.rows[0], VALUES.values(), strict=True):
        if isinstance(expected, Decimal):
            assert str(value) == str(expected), name
        assert type(value) is type(expected) or isinstance(expected, UUID), name
        assert value == expected or value != value, name  # noqa: PLR0124 - NaN


async def test_a_session_that_writes_dates_in_another_style_shows_them_as_they_are(server: PostgresPair) -> None:
    target = target_of(server.primary, params={"options": "-c datestyle=SQL,DMY -c timezone=Asia/Kolkata"})
    async with opened(target) as driver:
        found = await outcome(driver, ("SELECT date '2024-02-01', timestamptz '2024-02-01 00:00+00'", ()))
    assert found.rows == [("01/02/2024", "01/02/2024 05:30:00 IST")]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))))
def test_any_array_of_text_comes_as_it_is(server: PostgresPair, words: list[str | None]) -> None:
    async def ask() -> None:
        async with opened(target_of(server.primary)) as driver:
            order = (
                "SELECT ARRAY(SELECT v FROM jsonb_array_elements_text($1) WITH ORDINALITY AS e(v, i) ORDER BY i)",
                (json.dumps(words),),
            )
            assert (await outcome(driver, order)).rows == [(words,)]

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("statement", "value", "expected"),
    [
        ("SELECT $1::int", "42", 42),
        ("SELECT $1::numeric", "1.10", Decimal("1.10")),
        ("SELECT $1::timestamptz", "2024-01-01 00:00+01", datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("SELECT $1::int[]", "{1,2}", [1, 2]),
        ("SELECT $1::bytea", r"\x00ff", b"\x00\xff"),
        ("SELECT $1::mood", "sad", "sad"),
        ("SELECT $1", "text", "text"),
        ("SELECT id FROM item WHERE id = $1", "7", 7),
        ("VALUES ($1::interval)", "1 mon", "1 mon"),
        ("WITH one AS (SELECT $1::bool AS b) SELECT b FROM one", "yes", True),
    ],
)
async def test_the_server_reads_parameters_as_the_types_it_found(
    server: PostgresPair, statement: str, value: str, expected: object
) -> None:
    server.primary.sql("INSERT INTO item VALUES (7, 'seven')")
    for settings_of in ({}, {"options": "-c standard_conforming_strings=off"}):
        async with opened(target_of(server.primary, params=settings_of)) as driver:
            assert (await outcome(driver, (statement, (value,)))).rows == [(expected,)]


async def test_the_status_is_in_the_server_s_own_words(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver:
        for statement, status in (
            ("INSERT INTO item SELECT g, 'status' FROM generate_series(1, 3) g", "INSERT 0 3"),
            ("DELETE FROM item WHERE name = 'status'", "DELETE 3"),
            ("SET work_mem = '4MB'", "SET"),
        ):
            async with session_of(driver) as session:
                reply = await session.run(statement, ())
                assert reply.status is not None
                assert reply.status() == status


async def test_commands_say_what_they_did(server: PostgresPair) -> None:
    expected = {
        ("INSERT INTO item SELECT g, 'x' FROM generate_series(1, 3) g", ()): ((), [], 3, "INSERT"),
        ("INSERT INTO item VALUES ($1, $2)", ("9", "it's")): ((), [], 1, "INSERT"),
        ("UPDATE item SET name = 'y' WHERE id < 3 RETURNING id", ()): (("id",), [(1,), (2,)], 2, "UPDATE"),
        ("/* why */ -- a comment\n (SELECT name FROM item WHERE id = 9);", ()): (("name",), [("it's",)], 1, "SELECT"),
        ("WITH gone AS (DELETE FROM item RETURNING id) SELECT count(*) FROM gone", ()): (
            ("count",),
            [(4,)],
            1,
            "SELECT",
        ),
        ("SELECT id FROM item", ()): (("id",), [], 0, "SELECT"),
        ("CREATE TABLE made(a int)", ()): ((), [], None, "CREATE TABLE"),
        ("VACUUM made", ()): ((), [], None, "VACUUM"),
        ("DROP TABLE made", ()): ((), [], None, "DROP TABLE"),
        ("SHOW application_name", ()): (("application_name",), [("omnidb",)], 1, "SHOW"),
        ("TABLE item", ()): (("id", "name"), [], 0, "SELECT"),
    }
    async with opened(target_of(server.primary)) as driver:
        for order, result in expected.items():
            assert tuple(await outcome(driver, order)) == result, order


async def test_what_must_be_outside_of_transactions_is(server: PostgresPair) -> None:
    async with opened(target_of(server.primary, username="admin", password=None)) as driver:
        await outcome(driver, ("DROP DATABASE IF EXISTS made", ()))
        assert (await outcome(driver, ("CREATE DATABASE made", ()))).command == "CREATE DATABASE"
        assert (await outcome(driver, ("DROP DATABASE made", ()))).command == "DROP DATABASE"


async def test_a_procedure_may_commit(server: PostgresPair) -> None:
    body = "CREATE OR REPLACE PROCEDURE step(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a + 1; COMMIT; END'"
    server.primary.sql(body)
    async with opened(target_of(server.primary)) as driver:
        assert (await outcome(driver, ("CALL step(1)", ()))).rows == [(2,)]


async def test_notices_are_kept_for_the_person(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver, session_of(driver) as session:
        reply = await session.run("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$", ())
        assert [batch async for batch in reply.batches] == []
        assert reply.notices() == ("NOTICE: one", "WARNING: two")


async def test_a_notice_is_one_line(server: PostgresPair) -> None:
    """Else it could add a line that looks like one of ours."""
    async with opened(target_of(server.primary)) as driver, session_of(driver) as session:
        reply = await session.run(r"DO $$ BEGIN RAISE NOTICE E'one\nserved by\r\u2028primary'; END $$", ())
        assert reply.notices() == ("NOTICE: one served by primary",)


async def test_a_server_may_say_no_more_than_so_much(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver, session_of(driver) as session:
        reply = await session.run("DO $$ BEGIN RAISE NOTICE '%', repeat('n', 1000000); END $$", ())
        assert [len(one) for one in reply.notices()] == [LONGEST_MESSAGE]
        with pytest.raises(StatementError) as raised:
            await session.run("DO $$ BEGIN RAISE '%', repeat('e', 1000000) USING HINT = repeat('h', 9999); END $$", ())
    assert (len(str(raised.value)), len(raised.value.hint or "")) == (LONGEST_MESSAGE, LONGEST_MESSAGE)


async def test_long_rows_are_taken_a_few_at_a_time_and_one_that_is_too_long_is_refused(server: PostgresPair) -> None:
    megabytes = "SELECT repeat('x', {} * 1000000) FROM generate_series(1, {})"
    async with opened(target_of(server.primary)) as driver:
        whole = await outcome(driver, (megabytes.format(9, 9), ()))
        assert whole.row_count == 9
        with pytest.raises(DriverError, match="more than 64 MB") as raised:
            await outcome(driver, (megabytes.format(65, 1), ()))
        assert not raised.value.counts_as_failure


async def test_a_change_that_returns_more_than_is_kept_is_not_made(server: PostgresPair) -> None:
    change = "INSERT INTO item SELECT g, 'x' FROM generate_series(1, 9) g RETURNING repeat('x', 9000000)"
    async with opened(target_of(server.primary)) as driver:
        with pytest.raises(DriverError, match="more than 64 MB"):
            await outcome(driver, (change, ()))
    assert count(server) == 0


async def test_a_change_is_whole_even_if_nobody_reads_its_rows(server: PostgresPair) -> None:
    series = "SELECT g, 'x' FROM generate_series({}) g"
    async with opened(target_of(server.primary)) as driver:
        for number, statement in enumerate(
            [
                f"INSERT INTO item {series.format('1, 3000')} RETURNING id",
                f"WITH new AS (INSERT INTO item {series.format('3001, 6000')} RETURNING id) SELECT id FROM new",
                "SELECT nextval('numbers'), g FROM generate_series(1, 5000) g",
            ]
        ):
            async with session_of(driver) as session:
                reply = await session.run(statement, ())
                assert number or (await anext(reply.batches))
    assert count(server) == 6000
    assert int(server.primary.sql("SELECT last_value FROM numbers")) > 0


async def test_what_fails_when_it_is_committed_is_an_error(server: PostgresPair) -> None:
    server.primary.sql(
        "CREATE TABLE IF NOT EXISTS child(id int REFERENCES item DEFERRABLE INITIALLY DEFERRED)",
        "CREATE OR REPLACE FUNCTION orphan(n int) RETURNS SETOF int LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO child VALUES (77); RETURN QUERY SELECT generate_series(1, n); END'",
        "GRANT ALL ON child TO app",
    )
    async with opened(target_of(server.primary)) as driver:
        with pytest.raises(StatementError, match="violates foreign key"):
            await outcome(driver, ("SELECT orphan(3)", ()))
        session = await driver.connect(read_only=False, timeout_s=PATIENCE_S)
        reply = await session.run("SELECT orphan(3000)", ())
        await anext(reply.batches)
        with pytest.raises(DriverError, match="violates foreign key"):
            await session.aclose()
    server.primary.sql("DROP TABLE child")


FILE = "/tmp/omnidb-must-not-be-written-either"

REFUSED = [
    "SET default_transaction_read_only = off",
    f"COPY (SELECT 1) TO '{FILE}'",
    f"COPY item TO PROGRAM 'cat > {FILE}'",
    "COPY item FROM '/etc/hostname'",
    f"/* a /* comment */ SELECT */ COPY (SELECT 1) TO '{FILE}'",
    f"-- \rCOPY (SELECT 1) TO '{FILE}' /*\nSELECT */",
    f"DO $$ BEGIN COPY (SELECT 1) TO '{FILE}'; END $$",
    "NOTIFY channel",
    "SELECT pg_notify('channel', 'x')",
    "SELECT lo_create(0)",
    "ANALYZE item",
    "CHECKPOINT",
    "INSERT INTO item VALUES (1, 'x')",
    "INSERT INTO item VALUES (1, 'x') RETURNING id",
    "WITH new AS (INSERT INTO item VALUES (1, 'x') RETURNING id) SELECT * FROM new",
    "EXPLAIN ANALYZE INSERT INTO item VALUES (1, 'x')",
    "CREATE TABLE other(a int)",
    "CREATE TEMP TABLE other(a int)",
    "SELECT nextval('numbers')",
    "SELECT * FROM item FOR UPDATE",
    "TRUNCATE item",
    "VACUUM item",
    "CREATE DATABASE other",
    "SET TRANSACTION READ WRITE",
    "DO $$ BEGIN SET TRANSACTION READ WRITE; INSERT INTO item VALUES (1, 'x'); END $$",
    "DO $$ BEGIN PERFORM set_config('transaction_read_only', 'off', false); INSERT INTO item VALUES (1, 'x'); END $$",
    "SELECT set_config('transaction_read_only', 'off', false)",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_a_read_only_session_refuses_what_writes(server: PostgresPair, statement: str) -> None:
    server.primary.sql("DROP ROLE IF EXISTS mighty", f"CREATE ROLE mighty SUPERUSER LOGIN PASSWORD {literal(PASSWORD)}")
    async with opened(target_of(server.primary, username="mighty")) as driver:
        with pytest.raises(WriteRefusedError, match="nothing was changed"):
            await outcome(driver, (statement, ()), read_only=True)
    assert count(server) == 0
    assert not Path(FILE).exists()
    assert server.primary.sql("SELECT count(*) FROM pg_largeobject_metadata") == "0"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; INSERT INTO item VALUES (1, 'x')",
        "COMMIT; INSERT INTO item VALUES (1, 'x')",
        "DO $$ BEGIN COMMIT; INSERT INTO item VALUES (1, 'x'); END $$",
    ],
)
async def test_there_is_no_way_around_with_several_statements(server: PostgresPair, statement: str) -> None:
    async with opened(target_of(server.primary)) as driver:
        with pytest.raises((StatementError, WriteRefusedError)):
            await outcome(driver, (statement, ()), read_only=True)
    assert count(server) == 0


async def test_a_parameter_cannot_bring_another_statement_in(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver:
        for text in ("1'); INSERT INTO item VALUES (1, 'x'); --", "\\'); DROP TABLE item; --"):
            await outcome(driver, ("SELECT $1::text", (text,)), read_only=True)
            await outcome(driver, ("SELECT $1::text", (text,)))
    assert count(server) == 0


async def test_reading_works_in_a_read_only_session(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver:
        found = await outcome(driver, ("SHOW transaction_read_only", ()), read_only=True)
        assert found.rows == [("on",)]
        assert (await outcome(driver, ("SHOW default_transaction_read_only", ()), read_only=True)).rows == [("on",)]


async def test_a_promoted_backup_refuses_too(fragile_postgres: PostgresPair) -> None:
    fragile_postgres.primary.sql("CREATE TABLE IF NOT EXISTS kept(a int)", "GRANT ALL ON kept TO app")
    fragile_postgres.catch_up()
    replica = fragile_postgres.replica
    replica.sql("SELECT pg_promote()")
    async with opened(target_of(replica)) as driver:
        with pytest.raises(WriteRefusedError):
            await outcome(driver, ("INSERT INTO kept VALUES (1)", ()), read_only=True)
        assert replica.sql("SELECT count(*) FROM kept") == "0"
        await outcome(driver, ("INSERT INTO kept VALUES (1)", ()))
        assert replica.sql("SELECT count(*) FROM kept") == "1"


async def test_a_replica_itself_rejects_a_write(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.replica)) as driver:
        with pytest.raises(WriteRefusedError):
            await outcome(driver, ("CREATE TABLE other(a int)", ()), read_only=True)
        with pytest.raises(StatementError, match="read-only transaction"):
            await outcome(driver, ("CREATE TABLE other(a int)", ()))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (("SELEKT 1", ()), 'syntax error at or near "SELEKT"'),
        (("", ()), None),
        (("SELECT 1; SELECT 2", ()), "multiple commands"),
        (("SELECT 1/0", ()), "division by zero"),
        (("SELECT 1/(3 - g) FROM generate_series(1, 3) g", ()), "division by zero"),
        (("SELECT $1::int", ()), "1 parameter, and no values were given"),
        (("SELECT $1 || $2", ()), "2 parameters, and no values were given"),
        (("SELECT $1::int", ("x",)), 'invalid input syntax for type integer: "x"'),
        (("SELECT $1::int", ("1", "2")), "1 parameter, and 2 values were given"),
        (("SELECT 1", ("1",)), "0 parameters, and 1 value was given"),
        (("VACUUM $1", ("1",)), "VACUUM takes no parameters"),
        (("SELECT $1", ("a\0b",)), "no NUL character"),
        (("COPY item TO STDOUT", ()), "COPY from or to the client is not supported"),
        (("COPY item FROM STDIN", ()), "COPY from or to the client is not supported"),
        (("SELECT * FROM missing", ()), 'relation "missing" does not exist'),
        (("INSERT INTO item VALUES (1, 'x'), (1, 'y')", ()), r"duplicate key .*: Key \(id\)=\(1\) already exists"),
        (("SELECT pg_read_file('/etc/passwd')", ()), "permission denied for function"),
    ],
)
async def test_what_the_server_says_to_a_statement_it_rejects(
    server: PostgresPair, order: tuple[str, tuple[str, ...]], message: str | None
) -> None:
    async with opened(target_of(server.primary)) as driver:
        if message is None:
            assert (await outcome(driver, order)).rows == []
            return
        with pytest.raises(StatementError, match=message) as raised:
            await outcome(driver, order)
        assert raised.value.kind is ErrorKind.STATEMENT
        assert not raised.value.counts_as_failure
    assert count(server) == 0


async def test_limits_that_the_server_itself_sets(server: PostgresPair) -> None:
    async with opened(target_of(server.primary, params={"options": "-c statement_timeout=50"})) as driver:
        with pytest.raises(StatementTimeout, match="statement timeout"):
            await outcome(driver, ("SELECT pg_sleep(100)", ()))
    async with (
        opened(target_of(server.primary, params={"options": "-c lock_timeout=50"})) as driver,
        session_of(driver) as holder,
    ):
        server.primary.sql("INSERT INTO item VALUES (1, 'x')")
        locked = await holder.run("SELECT * FROM item FOR UPDATE", ())
        with pytest.raises(StatementTimeout, match="lock timeout") as raised:
            await outcome(driver, ("UPDATE item SET name = 'y'", ()))
        assert not raised.value.counts_as_failure
        assert [batch async for batch in locked.batches] == [[(1, "x")]]
    assert server.primary.sql("SELECT name FROM item") == "x"


async def test_a_change_that_is_cancelled_is_undone(server: PostgresPair) -> None:
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO item%'"
    async with opened(target_of(server.primary)) as driver, session_of(driver) as session:
        task = asyncio.create_task(session.run("INSERT INTO item SELECT 1, 'x' FROM pg_sleep(300)", ()))  # type: ignore[arg-type]
        await until(lambda: server.primary.sql(running) == "1")
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(asyncio.CancelledError):
                await task
        await until(lambda: server.primary.sql(running) == "0")
    assert count(server) == 0


async def test_reading_that_is_cancelled_between_batches_ends_the_query(server: PostgresPair) -> None:
    mine = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%generate_series(1, 1000000)%'"
    async with opened(target_of(server.primary)) as driver:
        async with session_of(driver, read_only=True) as session:
            reply = await session.run("SELECT g FROM generate_series(1, 1000000) g", ())
            await anext(reply.batches)
        await until(lambda: server.primary.sql(mine) == "0")


async def test_closing_the_driver_ends_its_sessions(server: PostgresPair) -> None:
    async with opened(target_of(server.primary)) as driver:
        session = await driver.connect(read_only=False, timeout_s=PATIENCE_S)
        await driver.aclose()
        with pytest.raises(ConnectionLostError):
            await session.run("SELECT 1", ())
        await session.aclose()


async def test_a_long_result_takes_little_memory(server: PostgresPair) -> None:
    import tracemalloc

    async def read(driver: Driver, rows: int) -> int:
        async with session_of(driver) as session:
            reply = await session.run(f"SELECT g, repeat('x', 100) FROM generate_series(1, {rows}) g", ())
            tracemalloc.start()
            async for _ in reply.batches:
                pass
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert reply.row_count() == rows
            return peak

    async with opened(target_of(server.primary)) as driver:
        few, many = await read(driver, 5_000), await read(driver, 50_000)
    assert many < 2 * few
