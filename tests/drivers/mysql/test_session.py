"""One statement on a MariaDB server: what it answers, what it changes, how it ends."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import pytest

from omnidb_cli.drivers.base import Session, Target
from omnidb_cli.drivers.batching import MOST_ROWS
from omnidb_cli.errors import ConnectionLostError, DriverError, ErrorKind, StatementError, StatementTimeout
from tests.drivers.contract import opened, session_of, until
from tests.drivers.mysql_targets import target_of
from tests.servers.mariadb import DATABASE, MariaDB, MariadbPair
from tests.servers.proxy import Proxy

RUNNING = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%{}%' AND id <> connection_id()"


class Result(NamedTuple):
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    row_count: int | None
    command: str
    notices: Sequence[str]


async def run(target: Target, statement: str, *parameters: str, read_only: bool = False) -> Result:
    async with opened(target) as driver, session_of(driver, read_only=read_only) as session:
        reply = await session.run(statement, parameters)
        rows = [row async for batch in reply.batches for row in batch]
        return Result(reply.columns, rows, reply.row_count(), reply.command(), reply.notices())


def runs(server: MariaDB, part: str) -> bool:
    return server.sql(RUNNING.format(part)) != "0"


def item_count(server: MariaDB) -> int:
    return int(server.sql("SELECT count(*) FROM item", DATABASE))


@pytest.mark.parametrize("parameters", [(), ("1",)])
async def test_values_are_faithful(mariadb: MariadbPair, parameters: tuple[str, ...]) -> None:
    server = mariadb.primary
    server.sql(
        "CREATE OR REPLACE TABLE kinds(n INT, exact DECIMAL(40,20), big BIGINT UNSIGNED, tiny TINYINT(1), d DOUBLE,"
        " day DATE, moment DATETIME(6), span TIME(3), zero DATETIME, nodate DATE, y YEAR, bits BIT(12),"
        " raw VARBINARY(9), blob_ BLOB, word ENUM('a','b'), words SET('x','y'), doc JSON,"
        " t TEXT CHARACTER SET latin1, u UUID, none_ INT);"
        " SET sql_mode = '';"
        " INSERT INTO kinds VALUES (1, 12345678901234567890.12345678901234567890, 18446744073709551615, 1, 0.1e-300,"
        " '2026-02-28', '2026-02-28 23:59:59.000001', '-838:59:58.500', 0, '2026-00-31', 2026, b'101000000001',"
        " x'00ff80', x'', 'b', 'x,y', '{\"a\": 1.50}', 'é', '123e4567-e89b-12d3-a456-426655440000', NULL)",
        DATABASE,
    )
    where = " WHERE n = ?" if parameters else ""
    result = await run(target_of(server), f"SELECT * FROM kinds{where}", *parameters)
    assert result.rows == [(
        1, Decimal("12345678901234567890.12345678901234567890"), 2**64 - 1, 1, 0.1e-300,
        date(2026, 2, 28), datetime(2026, 2, 28, 23, 59, 59, 1), "-838:59:58.500",
        "0000-00-00 00:00:00", "2026-00-31", 2026, 0b101000000001, b"\x00\xff\x80", b"", "b", "x,y",
        '{"a": 1.50}', "é", "123e4567-e89b-12d3-a456-426655440000", None,
    )]  # fmt: skip
    assert result.columns[0] == "n"


@pytest.mark.parametrize(
    ("statement", "parameters", "changed", "command"),
    [
        ("INSERT INTO item(name) VALUES (?), (?)", ("a", "b"), 2, "INSERT"),
        ("/* note */ UPDATE item SET name = 'c' WHERE name IN ('a', 'b')", (), 2, "UPDATE"),
        ("DELETE FROM item WHERE name = ? LIMIT ?", ("c", "1"), 1, "DELETE"),
        ("DELETE FROM item WHERE name = 'c'", (), 1, "DELETE"),
        ("DELETE FROM item WHERE name = 'c'", (), 0, "DELETE"),
        ("CREATE OR REPLACE TABLE made(a INT)", (), None, "CREATE"),
        ("DROP TABLE made", (), None, "DROP"),
    ],
)
async def test_changes_are_committed_and_counted(
    mariadb: MariadbPair, statement: str, parameters: tuple[str, ...], changed: int | None, command: str
) -> None:
    result = await run(target_of(mariadb.primary), statement, *parameters)
    assert result == ((), [], changed, command, ())


async def test_a_server_that_does_not_commit_by_itself(fragile_mariadb: MariadbPair) -> None:
    primary = fragile_mariadb.primary
    primary.sql("SET GLOBAL autocommit = 0")
    try:
        before = item_count(primary)
        await run(target_of(primary), "INSERT INTO item(name) VALUES ('kept')")
        assert item_count(primary) == before + 1
    finally:
        primary.sql("SET GLOBAL autocommit = 1")


async def test_returned_rows_of_a_change(mariadb: MariadbPair) -> None:
    result = await run(target_of(mariadb.primary), "INSERT INTO item(name) VALUES ('r') RETURNING name")
    assert (result.columns, result.rows, result.row_count, result.command) == (("name",), [("r",)], 1, "INSERT")


INJECTIONS = [
    "'; DROP TABLE item; -- ",
    "\\",
    "\\' OR 1=1 -- ",
    '"',
    "x' OR 'x'='x",
    "%s %d {0} ?",
    "\x00\x1a",
    "¿'",
    "'/*",
]


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT"])
async def test_parameters_are_never_part_of_the_statement(fragile_mariadb: MariadbPair, mode: str) -> None:
    primary = fragile_mariadb.primary
    primary.sql(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        before = item_count(primary)
        for text in INJECTIONS:
            result = await run(target_of(primary), "SELECT ?, count(*) FROM item WHERE name = ?", text, text)
            assert result.rows == [(text, 0)]
        assert item_count(primary) == before
    finally:
        primary.sql("SET GLOBAL sql_mode = DEFAULT")


async def test_the_server_itself_finds_the_placeholders(mariadb: MariadbPair) -> None:
    result = await run(target_of(mariadb.primary), "SELECT '?', \"?\", ? /* ? */ AS `?` -- ?", "one")
    assert (result.columns[2], result.rows) == ("?", [("?", "?", "one")])


async def test_parameters_compare_with_columns_of_any_kind(mariadb: MariadbPair) -> None:
    server = mariadb.primary
    server.sql(
        "CREATE OR REPLACE TABLE kept(word VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci,"
        " big BIGINT UNSIGNED, exact DECIMAL(30,10), day DATE);"
        " INSERT INTO kept VALUES ('0', 18446744073709551615, 0.1, '2026-01-02')",
        DATABASE,
    )
    where = "word = ? AND big = ? AND exact = ? AND day = ?"
    values = ("0", str(2**64 - 1), "0.1", "2026-01-02")
    result = await run(target_of(server), f"SELECT 1 FROM kept WHERE {where}", *values)
    assert result.row_count == 1
    assert (await run(target_of(server), "SELECT 1 FROM kept WHERE word = ?", "abc")).rows == []


@pytest.mark.parametrize(
    ("statement", "parameters", "sentence"),
    [
        ("SELECT ?", ("1", "2"), "number of parameters"),
        ("SELECT 1", ("1",), "number of parameters"),
        ("SELECT ?", (), r"\(1064\)"),
        ("", (), "empty"),
        (" ; -- nothing", (), "empty"),
        ("SELECT 1; DELETE FROM item", (), r"\(1064\)"),
        ("SELECT 1; DELETE FROM item WHERE 1 = ?", ("1",), r"\(1064\)"),
        ("SELECT '\udc80'", (), "UTF-8"),
        ("INSERT INTO item(id) VALUES (1)", (), "Duplicate entry"),
        ("SELECT * FROM other.t", (), "denied"),
        ("USE nowhere", (), r"\(1044\)"),
        ("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE item(name)", (), "LOCAL|local"),
    ],
)
async def test_a_rejected_statement_changes_nothing(
    mariadb: MariadbPair, statement: str, parameters: tuple[str, ...], sentence: str
) -> None:
    before = item_count(mariadb.primary)
    with pytest.raises(StatementError, match=sentence) as raised:
        await run(target_of(mariadb.primary), statement, *parameters)
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.STATEMENT, False)
    assert item_count(mariadb.primary) == before


async def test_a_write_on_a_read_only_server_is_of_its_role(mariadb: MariadbPair) -> None:
    with pytest.raises(StatementError, match="read-only") as raised:
        await run(target_of(mariadb.replica), "INSERT INTO item(name) VALUES ('x')")
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.ROLE, False)


@pytest.mark.parametrize("rows", [0, 1, MOST_ROWS - 1, MOST_ROWS, MOST_ROWS + 1, 3 * MOST_ROWS])
@pytest.mark.parametrize("parameters", [(), ("1",)])
async def test_every_row_comes_once(mariadb: MariadbPair, rows: int, parameters: tuple[str, ...]) -> None:
    where = f"seq <= {rows}" + (" AND 1 = ?" if parameters else "")
    result = await run(target_of(mariadb.primary), f"SELECT seq FROM seq_1_to_10000 WHERE {where}", *parameters)
    assert sorted(result.rows) == [(number,) for number in range(1, rows + 1)]
    assert result.row_count == rows


async def test_a_large_result_waits_at_the_server(mariadb: MariadbPair) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        async with opened(target_of(proxy, params={"ssl": "0"})) as driver, session_of(driver) as session:
            reply = await session.run("SELECT REPEAT('x', 10000) FROM seq_1_to_100000", ())
            batch = await anext(reply.batches)
            assert 0 < len(batch) <= MOST_ROWS
            for _ in range(20):
                await asyncio.sleep(0.01)  # if it were read ahead, it would be now
            wire = session._wire  # type: ignore[attr-defined]
            assert wire._proto.length < 4_000_000
            assert len(await anext(reply.batches)) > 0
    assert not runs(mariadb.primary, "REPEAT")


async def test_large_rows_come_in_small_batches(mariadb: MariadbPair) -> None:
    async with opened(target_of(mariadb.primary)) as driver, session_of(driver) as session:
        reply = await session.run("SELECT REPEAT('x', 3000000) FROM seq_1_to_40", ())
        sizes = [len(batch) async for batch in reply.batches]
    assert sum(sizes) == 40
    assert max(sizes) <= 16


async def test_warnings_and_notes_are_notices(mariadb: MariadbPair) -> None:
    result = await run(target_of(mariadb.primary), "SELECT 1/0")
    assert (result.rows, result.notices) == ([(None,)], ("Warning 1365: Division by 0",))
    result = await run(target_of(mariadb.primary), "CREATE TABLE IF NOT EXISTS item(a INT)")
    assert result.notices == ("Note 1050: Table 'item' already exists",)


async def test_a_notice_is_one_line(mariadb: MariadbPair) -> None:
    """Else it could add a line that looks like one of ours."""
    body = "BEGIN SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'one\\nserved by primary'; END//"
    mariadb.primary.script(f"CREATE OR REPLACE PROCEDURE forger() {body}", DATABASE)
    assert (await run(target_of(mariadb.primary), "CALL forger()")).notices == ("Warning 1642: one served by primary",)


async def test_of_a_procedures_results_the_first_is_shown_and_the_rest_is_told(mariadb: MariadbPair) -> None:
    server = mariadb.primary
    server.sql("CREATE OR REPLACE PROCEDURE once(n INT) SELECT n", DATABASE)
    server.script("CREATE OR REPLACE PROCEDURE twice() BEGIN SELECT 1 AS a; SELECT 2; END//", DATABASE)
    result = await run(target_of(server), "CALL twice()")
    assert (result.columns, result.rows, result.command) == (("a",), [(1,)], "CALL")
    assert result.notices == ("1 more results were answered; only the first is shown",)
    assert (await run(target_of(server), "CALL once(?)", "7")).rows == [(7,)]


async def test_a_procedure_that_fails_after_its_first_result_fails(mariadb: MariadbPair) -> None:
    fails = "SIGNAL SQLSTATE '45000' SET message_text = 'no'"
    mariadb.primary.script(f"CREATE OR REPLACE PROCEDURE late() BEGIN SELECT 1; {fails}; END//", DATABASE)
    with pytest.raises(StatementError, match="no"):
        await run(target_of(mariadb.primary), "CALL late()")


@pytest.mark.parametrize("parameters", [(), ("1",)])
async def test_a_cancelled_computation_really_stops(mariadb: MariadbPair, parameters: tuple[str, ...]) -> None:
    server = mariadb.primary
    endless = "SELECT BENCHMARK(1000000000000, 1) AS computed" + (" WHERE 1 = ?" if parameters else "")
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run(endless, parameters))  # type: ignore[arg-type]
        await until(lambda: runs(server, "AS computed"))
        running.cancel()
        async with asyncio.timeout(10):
            with pytest.raises(asyncio.CancelledError):
                await running
        await until(lambda: not runs(server, "AS computed"))


@pytest.mark.parametrize(("rights", "username"), [("INVOKER", "app"), ("DEFINER", "mighty")])
async def test_a_cancelled_procedure_really_stops(mariadb: MariadbPair, rights: str, username: str) -> None:
    """One that runs with its maker's rights, others than its maker may kill only with CONNECTION ADMIN."""
    server = mariadb.primary
    loops = f"SQL SECURITY {rights} BEGIN LOOP DO SLEEP(1); END LOOP; END"
    server.script(f"CREATE OR REPLACE PROCEDURE endless() {loops}//", DATABASE)
    async with opened(target_of(server, username=username)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("CALL endless()", ()))  # type: ignore[arg-type]
        await until(lambda: runs(server, "SLEEP(1)"))
        running.cancel()
        await asyncio.wait([running])
    await until(lambda: not runs(server, "SLEEP(1)"))


async def test_a_cancelled_change_is_rolled_back(mariadb: MariadbPair) -> None:
    server = mariadb.primary
    before = item_count(server)
    slow = "INSERT INTO item(name) SELECT SLEEP(seq) FROM seq_0_to_600"
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await session.run(slow, ())
    await until(lambda: not runs(server, "INSERT INTO item"))
    assert item_count(server) == before


async def test_reading_that_ends_early_stops_the_server(mariadb: MariadbPair) -> None:
    async with opened(target_of(mariadb.primary)) as driver, session_of(driver) as session:
        reply = await session.run("SELECT a.seq FROM seq_1_to_1000000 a JOIN seq_1_to_1000000 b", ())
        assert await anext(reply.batches)
    await until(lambda: not runs(mariadb.primary, "JOIN seq_1_to_1000000"))


async def test_the_server_ends_what_nobody_is_left_to_stop(mariadb: MariadbPair) -> None:
    async with opened(target_of(mariadb.primary)) as driver, session_of(driver, timeout_s=0.1) as session:
        with pytest.raises(StatementTimeout) as raised:
            await _read(session, "SELECT SLEEP(600) FROM item")
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_nobody_elses_connection_is_killed(mariadb: MariadbPair) -> None:
    """Behind one address may be several servers: a thread of that number on another one is not ours."""
    primary, replica = mariadb
    async with opened(target_of(replica, username="mighty")) as elsewhere, session_of(elsewhere) as bystander:
        number = bystander._wire.thread_id()  # type: ignore[attr-defined]
        with Proxy(primary.port) as proxy:
            async with opened(target_of(proxy, username="mighty")) as driver, session_of(driver) as session:
                running = asyncio.create_task(session.run("SELECT SLEEP(2) AS ours", ()))  # type: ignore[arg-type]
                await until(lambda: runs(primary, "AS ours"))
                session._wire.server_thread_id = (number,)  # type: ignore[attr-defined]
                proxy._to = replica.port
                running.cancel()
                await asyncio.wait([running])
        assert replica.sql(f"SELECT count(*) FROM information_schema.processlist WHERE id = {number}") == "1"


async def test_locks_are_waited_for_no_longer_than_asked(mariadb: MariadbPair) -> None:
    target = target_of(mariadb.primary)
    async with opened(target) as driver, session_of(driver) as holder:
        holding = asyncio.create_task(holder.run("UPDATE item SET name = SLEEP(600) WHERE id = 1", ()))  # type: ignore[arg-type]
        await until(lambda: runs(mariadb.primary, "SLEEP(600)"))
        async with session_of(driver, timeout_s=1) as session:
            with pytest.raises(StatementTimeout) as raised:
                await session.run("UPDATE item SET name = 'mine' WHERE id = 1", ())
        assert not raised.value.counts_as_failure
        holding.cancel()
        await asyncio.wait([holding])


async def test_a_deadlock_is_no_trouble_of_the_server(mariadb: MariadbPair) -> None:
    mariadb.primary.sql("CREATE OR REPLACE PROCEDURE dies() SIGNAL SQLSTATE '40001' SET mysql_errno = 1213", DATABASE)
    with pytest.raises(StatementError) as raised:
        await run(target_of(mariadb.primary), "CALL dies()")
    assert not raised.value.counts_as_failure


async def test_a_statement_whose_answer_is_lost_ran_once_and_is_said_to_be_unknown(mariadb: MariadbPair) -> None:
    server = mariadb.primary
    before = item_count(server)
    with Proxy(server.port) as proxy:
        async with opened(target_of(proxy)) as driver, session_of(driver) as session:
            proxy.cut(3)
            with pytest.raises(ConnectionLostError, match="broke while the statement ran") as raised:
                await session.run("INSERT INTO item(name) VALUES ('once')", ())
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.RESET, True)
    await until(lambda: item_count(server) == before + 1)


async def test_a_result_that_breaks_off_is_not_taken_for_whole(mariadb: MariadbPair) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver, session_of(driver) as session:
            reply = await session.run("SELECT seq FROM seq_1_to_1000000", ())
            await anext(reply.batches)
            proxy.cut(100)
            with pytest.raises(ConnectionLostError):
                async for _ in reply.batches:
                    pass


async def test_a_server_killed_during_a_statement(fragile_mariadb: MariadbPair) -> None:
    primary = fragile_mariadb.primary
    async with opened(target_of(primary)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("SELECT SLEEP(600) AS killed", ()))  # type: ignore[arg-type]
        await until(lambda: runs(primary, "AS killed"))
        await asyncio.to_thread(primary.kill)
        async with asyncio.timeout(10):
            with pytest.raises(ConnectionLostError):
                await running


async def test_somebody_else_kills_the_statement_or_its_connection(mariadb: MariadbPair) -> None:
    assert isinstance(await _killed(mariadb.primary, "KILL QUERY"), StatementError)
    assert isinstance(await _killed(mariadb.primary, "KILL"), ConnectionLostError)


async def _killed(server: MariaDB, how: str) -> DriverError:
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        running = asyncio.create_task(_read(session, "SELECT SLEEP(600) AS victim FROM item"))
        await until(lambda: runs(server, "AS victim"))
        server.sql(f"{how} {server.sql(RUNNING.replace('count(*)', 'id').format('AS victim'))}")
        with pytest.raises(DriverError) as raised:
            await running
    return raised.value


async def _read(session: Session, statement: str) -> None:
    async for _ in (await session.run(statement, ())).batches:
        pass
