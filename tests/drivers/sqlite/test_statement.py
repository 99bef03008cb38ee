"""What is told of a statement before SQLite sees it."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.sqlite.statement import plan, typed
from omnidb_cli.errors import StatementError


@pytest.mark.parametrize(
    ("statement", "command", "changes"),
    [
        ("SELECT 1", "SELECT", False),
        ("  -- why\n/* what; */ select 1;", "SELECT", False),
        ("\ufeffSELECT 1", "SELECT", False),
        ("insert into t values (1)", "INSERT", True),
        ("REPLACE INTO t VALUES (1)", "REPLACE", True),
        ("VALUES (1), (2)", "VALUES", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT", False),
        ("WITH x AS (SELECT 1) DELETE FROM t", "DELETE", True),
        ("WITH x(a) AS (SELECT 1), y AS (VALUES (2)) INSERT INTO t SELECT * FROM x", "INSERT", True),
        ("WITH replace AS (SELECT 1) SELECT replace('a', 'b', 'c') FROM replace", "SELECT", False),
        ("WITH", "WITH", False),
        ("CREATE TABLE t(a)", "CREATE", True),
        ("EXPLAIN DELETE FROM t", "EXPLAIN", False),
        ("PRAGMA user_version", "PRAGMA", False),
        ("VACUUM", "VACUUM", False),
        ("(select 1)", "", False),
    ],
)
def test_the_command_and_whether_it_changes(statement: str, command: str, *, changes: bool) -> None:
    planned = plan(statement, ())
    assert (planned.command, planned.changes) == (command, changes)


@pytest.mark.parametrize("statement", ["", "  ", ";", " ; ;\n", "-- only this", "/* and this", "\ufeff"])
def test_nothing_is_no_statement(statement: str) -> None:
    with pytest.raises(StatementError, match="is empty"):
        plan(statement, ())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SELECT ';'; DELETE FROM t",
        "PRAGMA query_only = OFF; DELETE FROM t",
        "SELECT 1; /* ; */ x",
        ";;SELECT 1;;SELECT 2",
    ],
)
def test_several_statements_are_refused(statement: str) -> None:
    with pytest.raises(StatementError, match="more than one statement"):
        plan(statement, ())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ';'",
        'SELECT ";" FROM [;], `;`',
        "SELECT 'it''s; fine' -- ; here too",
        "SELECT 1 /* ; */ ;; ; -- end",
        "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 1; END",
        "CREATE TEMP TRIGGER IF NOT EXISTS r AFTER INSERT ON t BEGIN DELETE FROM t; END;",
    ],
)
def test_a_semicolon_inside_is_no_end(statement: str) -> None:
    plan(statement, ())


@pytest.mark.parametrize("word", ["BEGIN", "commit", "End", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "BEGIN IMMEDIATE"])
def test_transaction_control_is_refused_since_it_would_do_nothing(word: str) -> None:
    with pytest.raises(StatementError, match="a transaction cannot span commands"):
        plan(word, ())


@pytest.mark.parametrize(
    ("statement", "parameters", "bindings"),
    [
        ("SELECT 1", [], {}),
        ("SELECT ?, ?", ["1", "a"], [1, "a"]),
        ("SELECT ?2, ?1", ["1", "a"], {"1": 1, "2": "a"}),
        ("SELECT ?1, ?2, ?1, :b", ["1", "a", "3"], {"1": 1, "2": "a", "b": 3}),
        ("SELECT ?3", ["1", "2", "3"], [1, 2, 3]),
        ("SELECT ?2, ?", ["1", "2", "3"], [1, 2, 3]),
        ("SELECT :a, :b, :a", ["1", "2"], {"a": 1, "b": 2}),
        ("SELECT @a, $b", ["1", "2"], {"a": 1, "b": 2}),
        ("SELECT '?', \"?\", [?], a$b -- ?\n, ? /* :x */", ["1"], [1]),
        ("SELECT a->'$.x', a->>'$.y' FROM t WHERE b = ?", ["1"], [1]),
    ],
)
def test_parameters_bind_as_sqlite_numbers_the_placeholders(
    statement: str, parameters: list[str], bindings: object
) -> None:
    assert plan(statement, parameters).bindings == bindings


@pytest.mark.parametrize(
    ("statement", "parameters", "sentence"),
    [
        ("SELECT ?", [], "placeholders in the statement: 1, parameters given: 0"),
        ("SELECT 1", ["1"], "statement: 0, parameters given: 1"),
        ("SELECT '?'", ["1"], "statement: 0"),
        ("SELECT :a, :a", ["1", "2"], "statement: 1"),
        ("SELECT ?, :a", ["1", "2"], "mixes"),
        ("SELECT :a, @a", ["1", "2"], "mixes"),
        ("SELECT ?9999999999", ["1"], "out of range"),
        ("SELECT ?0", [], "out of range"),
        ("SELECT ?", ["\udcff"], "not valid UTF-8"),
        ("SELECT '\udcff'", [], "not valid UTF-8"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(statement: str, parameters: list[str], sentence: str) -> None:
    with pytest.raises(StatementError, match=sentence):
        plan(statement, parameters)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        ("-0.25", -0.25),
    ],
)
def test_numbers_as_sqlite_writes_them_bind_as_numbers(text: str, value: float) -> None:
    assert (typed(text), type(typed(text))) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    ["", "007", "+1", "-0", "-0.0", "1e3", "1.50", "1.", ".5", "9223372036854775808", "0x10", "1_000", " 1", "٣",
     "nan", "inf", "null", "NULL", "true", "0.1234567890123456789", "1" * 5000],
)  # fmt: skip
def test_everything_else_stays_text(text: str) -> None:
    assert typed(text) == text


@given(st.one_of(st.integers().map(str), st.floats().map(repr), st.decimals().map(str), st.text(max_size=20)))
def test_what_goes_into_a_text_column_comes_out_as_it_was_written(text: str) -> None:
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        return
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t(a TEXT)")
        db.execute("INSERT INTO t VALUES (?)", (typed(text),))
        assert db.execute("SELECT a FROM t").fetchone() == (text,)


PLAIN = ["'?;'", '"?;"', "`?;`", "1 -- ?;\n", "/* ?; */ 1", "x'00'", "a$b", "'it''s ?'", "1.5e3"]
NUMBERED = [*PLAIN, "?", "?1", "?3"]
NAMED = [*PLAIN, ":a", "@b", "$c", ":größe"]


@pytest.mark.filterwarnings("ignore:Binding:DeprecationWarning")  # Python 3.12.0 to 3.12.3 take ?3 for a name
@given(st.one_of(st.lists(st.sampled_from(pool), min_size=1) for pool in (NUMBERED, NAMED)))
def test_placeholders_are_counted_as_sqlite_counts_them(items: list[str]) -> None:
    statement = f"SELECT {', '.join(items)} FROM (SELECT 1 AS [?;], 2 AS a$b)"
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(statement)
            expected = 0
        except sqlite3.ProgrammingError as error:
            expected = int(str(error).partition("uses ")[2].partition(",")[0])
        planned = plan(statement, ["x"] * expected)
        db.execute(planned.sql, planned.bindings)
