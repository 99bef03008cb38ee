"""One statement on a database file: what it answers, and what it changes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from omnidb_cli.drivers.batching import MOST_ROWS as BATCH_ROWS
from omnidb_cli.drivers.sqlite import files as sqlite_files
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    DriverError,
    ErrorKind,
    StatementError,
)
from tests.drivers.sqlite_files import ENDLESS, DriverOf, contents, make_database, query, run


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_query_answers_typed_values(database: Path, driver_of: DriverOf, *, read_only: bool) -> None:
    result = await run(driver_of(database), "SELECT 1 a, 1.5 b, 'x' c, x'00ff' d, NULL e, 2 a", read_only=read_only)
    assert result == (("a", "b", "c", "d", "e", "a"), [(1, 1.5, "x", b"\x00\xff", None, 2)], 1, "SELECT")


async def test_text_that_is_not_valid_comes_as_bytes(database: Path, driver_of: DriverOf) -> None:
    result = await run(driver_of(database), "SELECT CAST(x'ff41' AS TEXT), CAST(x'41' AS TEXT)")
    assert result.rows == [(b"\xffA", "A")]


async def test_no_rows_still_have_columns(database: Path, driver_of: DriverOf) -> None:
    assert await run(driver_of(database), "SELECT id, name FROM item WHERE 0") == (("id", "name"), [], 0, "SELECT")


@pytest.mark.parametrize(
    ("statement", "parameters", "expected"),
    [
        ("INSERT INTO item(name) VALUES (?), (?)", ["a", "7"], ((), [], 2, "INSERT")),
        ("-- new\nINSERT INTO item(name) VALUES ('a') RETURNING id", [], (("id",), [(4,)], 1, "INSERT")),
        ("UPDATE item SET name = :name WHERE id <= :most", ["n", "2"], ((), [], 2, "UPDATE")),
        ("WITH low AS (SELECT 1 id) DELETE FROM item WHERE id IN (SELECT id FROM low)", [], ((), [], 1, "DELETE")),
        ("DELETE FROM item WHERE id = ?", ["99"], ((), [], 0, "DELETE")),
        ("INSERT OR IGNORE INTO item(id, name) VALUES (1, 'twice')", [], ((), [], 0, "INSERT")),
        ("CREATE TABLE other(a)", [], ((), [], None, "CREATE")),
        ("DROP TABLE item", [], ((), [], None, "DROP")),
    ],
)  # fmt: skip
async def test_a_change_is_committed_and_counted(
    database: Path, driver_of: DriverOf, statement: str, parameters: list[str], expected: object
) -> None:
    before = contents(database.parent)
    assert await run(driver_of(database), statement, parameters) == expected
    changed = expected != ((), [], 0, expected[3])
    assert (contents(database.parent)["shop.db"][0] != before["shop.db"][0]) is changed
    assert set(contents(database.parent)) == {"shop.db"}


async def test_changes_by_triggers_are_not_counted(database: Path, driver_of: DriverOf) -> None:
    await run(driver_of(database), "CREATE TRIGGER r AFTER DELETE ON item BEGIN DELETE FROM item; SELECT 1; END")
    assert (await run(driver_of(database), "DELETE FROM item WHERE id = 1")).row_count == 1
    assert query(database, "SELECT count(*) FROM item") == [(0,)]


async def test_statements_that_run_outside_a_transaction(database: Path, driver_of: DriverOf) -> None:
    assert (await run(driver_of(database), "VACUUM")).command == "VACUUM"
    assert (await run(driver_of(database), "PRAGMA user_version = 7")).row_count is None
    assert (await run(driver_of(database), "PRAGMA user_version")).rows == [(7,)]
    assert (await run(driver_of(database), "PRAGMA journal_mode = WAL")).rows == [("wal",)]
    explained = await run(driver_of(database), "EXPLAIN QUERY PLAN DELETE FROM item")
    assert (explained.command, explained.row_count) == ("EXPLAIN", len(explained.rows))
    assert query(database, "SELECT count(*) FROM item") == [(3,)]


async def test_parameters_find_what_they_mean_with_and_without_a_column(database: Path, driver_of: DriverOf) -> None:
    driver = driver_of(database)
    assert (await run(driver, "SELECT name FROM item WHERE id = ?", ["2"])).rows == [("item 2",)]
    assert (await run(driver, "SELECT 1 = ?", ["1"])).rows == [(1,)]
    assert (await run(driver, "SELECT ?, typeof(?)", ["null", "007"])).rows == [("null", "text")]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("SELEC 1", 'near "SELEC": syntax error'),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("INSERT INTO item(id) VALUES (1)", "UNIQUE constraint failed: item.id"),
        ("INSERT INTO item(id) VALUES ('x')", "datatype mismatch"),
        ("SELECT 'open", "unrecognized token"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("CREATE TRIGGER r AFTER INSERT ON item BEGIN SELECT 1; END; DELETE FROM item", "one statement at a time"),
        ("SELECT 1 \x00 + 1", "null character"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("SELECT zeroblob(3000000000)", "too big"),
        ("SELECT load_extension('x')", "not authorized"),
    ],
)
async def test_a_rejected_statement_speaks_with_sqlites_words_and_changes_nothing(
    database: Path, driver_of: DriverOf, statement: str, sentence: str
) -> None:
    before = query(database, "SELECT * FROM item")
    with pytest.raises(StatementError, match=sentence) as raised:
        await run(driver_of(database), statement)
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.STATEMENT, False)
    assert query(database, "SELECT * FROM item") == before


async def test_a_change_that_fails_half_way_leaves_nothing(database: Path, driver_of: DriverOf) -> None:
    await run(driver_of(database), "CREATE UNIQUE INDEX name ON item(name)")
    with pytest.raises(StatementError, match="UNIQUE"):
        await run(driver_of(database), "UPDATE OR FAIL item SET name = 'same'")
    assert query(database, "SELECT count(*) FROM item WHERE name = 'same'") == [(0,)]


async def test_a_big_result_comes_in_batches_and_only_as_asked_for(database: Path, driver_of: DriverOf) -> None:
    many = f"{ENDLESS} SELECT i FROM n"
    session = await driver_of(database).connect(read_only=True, timeout_s=5)
    try:
        reply = await session.run(many, ())
        first = await anext(reply.batches)
        second = await anext(reply.batches)
        assert (len(first), second[-1]) == (BATCH_ROWS, (2 * BATCH_ROWS,))
        assert reply.row_count() == 2 * BATCH_ROWS
    finally:
        await session.aclose()
    with pytest.raises(DriverError, match="closed"):
        await anext(reply.batches)


@pytest.mark.parametrize("rows", [0, 1, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 3 * BATCH_ROWS])
async def test_every_row_comes_once(database: Path, driver_of: DriverOf, rows: int) -> None:
    result = await run(driver_of(database), f"{ENDLESS} SELECT i FROM n LIMIT {rows}")
    assert result.rows == [(number,) for number in range(1, rows + 1)]
    assert result.row_count == rows


async def test_a_session_needs_a_database(tmp_path: Path, driver_of: DriverOf) -> None:
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    for name, kind in {"gone.db": ErrorKind.NOT_FOUND, "garbage.db": ErrorKind.CORRUPT}.items():
        for read_only in (False, True):
            with pytest.raises(ConnectError) as raised:
                await driver_of(tmp_path / name).connect(read_only=read_only, timeout_s=1)
            assert raised.value.kind is kind
    assert [file.name for file in tmp_path.iterdir()] == ["garbage.db"]
    assert not sqlite_files._uses


async def test_a_file_that_cannot_be_read_refuses_the_session(
    open_folder: Path, driver_of: DriverOf, unprivileged: Callable
) -> None:
    path = make_database(open_folder / "secret.db")
    path.chmod(0o000)
    with unprivileged(), pytest.raises(AuthenticationError):
        await driver_of(path).connect(read_only=True, timeout_s=1)


async def test_a_full_disk_counts_as_a_failure_of_the_file(database: Path, driver_of: DriverOf) -> None:
    session = await driver_of(database).connect(read_only=False, timeout_s=5)
    try:
        await session._connection.run(lambda cursor: cursor.execute("PRAGMA max_page_count = 2").fetchall())
        with pytest.raises(DriverError, match="full") as raised:
            await session.run("INSERT INTO item(name) VALUES (zeroblob(100000))", ())
    finally:
        await session.aclose()
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.CAPACITY, True)
    assert query(database, "SELECT count(*) FROM item") == [(3,)]


async def test_damage_met_by_a_statement_counts_as_a_failure(tmp_path: Path, driver_of: DriverOf) -> None:
    path = make_database(tmp_path / "shop.db", rows=5000)
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(DriverError) as raised:
        await run(driver_of(path), "SELECT count(name) FROM item")
    assert (raised.value.kind, raised.value.counts_as_failure) == (ErrorKind.CORRUPT, True)
