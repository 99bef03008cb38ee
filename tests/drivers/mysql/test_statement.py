"""What is told of a statement before the server sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.drivers.mysql.statement import command_of, controls_transactions, counts_rows, is_empty, why_not_a_read

QUOTED = ["'{}'", '"{}"', "`{}`", "/* {} */", "/*+ {} */"]


@pytest.mark.parametrize(
    ("statement", "command"),
    [
        ("select 1", "SELECT"),
        ("  -- a comment\n# another\n/* and */ Insert into t values (1)", "INSERT"),
        ("(SELECT 1) UNION (SELECT 2)", "UNION"),
        ("WITH a AS (SELECT 1), b(x) AS (SELECT 2) UPDATE t SET x = 1", "UPDATE"),
        ("WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a", "SELECT"),
        ("/*!40101 SET NAMES utf8 */", "SET"),
        ("5", ""),
        ("", ""),
    ],
)
def test_the_verb(statement: str, command: str) -> None:
    found = command_of(statement)
    assert found == command or (command == "UNION" and found in {"UNION", "SELECT"})


def test_which_verbs_count_rows() -> None:
    assert counts_rows("INSERT")
    assert not counts_rows("CREATE")


@pytest.mark.parametrize(
    "statement", ["", " \n", ";", " ; ; ", "-- nothing", "/* nothing */;", "/*+ nothing */", "# nothing"]
)
def test_nothing_to_run(statement: str) -> None:
    assert is_empty(statement)
    assert not is_empty(statement + "\nx")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "select 5--1",
        "SELECT 'it''s', \"a\\\"b\", `c``d`; -- end",
        "SHOW TABLES;",
        "TABLE t",
        "EXPLAIN UPDATE t SET a = 1",
        "ANALYZE FORMAT=JSON SELECT 1",
        "SELECT into_outfile, dumpfile FROM t",
        "SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1",
    ],
)
def test_reads(statement: str) -> None:
    assert why_not_a_read(statement) is None


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CALL p()", "CALL"),
        ("BEGIN NOT ATOMIC SELECT 1; END", "more than one"),
        ("BEGIN", "BEGIN"),
        ("SET @a = 1", "SET"),
        ("ANALYZE TABLE t", "ANALYZE"),
        ("ANALYZE", "ANALYZE"),
        ("5", "begins with"),
        ("SELECT 1; SELECT 2", "more than one"),
        ("SELECT 1 INTO\n/* x */ OUTFILE '/tmp/x'", "writes a file"),
        ("SELECT 1 into dumpfile '/tmp/x'", "writes a file"),
        ("SELECT 1 --\x7f '\n INTO OUTFILE '/tmp/x'", "writes a file"),
        (r"SELECT \Ninto outfile '/tmp/x'", "backslash"),
        # The server reads a quoted name in a hint as one name, and so the hint ends after it.
        ("SELECT /*+ QB_NAME(`*/`) */ 1 INTO OUTFILE '/tmp/x' -- `", "hint with a quote"),
        ("SELECT /*+ SET_VAR(a='*/') */ 1 INTO OUTFILE '/tmp/x' -- '", "hint with a quote"),
        ("SELECT 1 -- \0 INTO OUTFILE '/tmp/x'", "NUL"),
        ("SELECT 1 # \0'\n INTO OUTFILE '/tmp/x' -- '", "NUL"),
        ("SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */", "comment"),
        ("/*M! SELECT */ 1", "comment"),
        # Where backslashes do not escape, the text ends earlier than it seems to.
        (r"SELECT '\' INTO OUTFILE '/tmp/x' -- '", "writes a file"),
        (r"SELECT 'a\'; DROP TABLE t; -- '", "more than one"),
        (r"SELECT '\'' INTO OUTFILE '/tmp/x'", "writes a file"),
    ],
)
def test_not_reads(statement: str, why: str) -> None:
    assert why in str(why_not_a_read(statement))


words = st.text(st.characters(exclude_characters="'\"`\\*/\n\0"), max_size=30)


@given(words, st.sampled_from(QUOTED))
def test_what_stands_in_quotes_or_comments_says_nothing(text: str, quote: str) -> None:
    hidden = quote.format(f" {text} ; INTO OUTFILE ")
    assert why_not_a_read(f"SELECT 1, {hidden} x FROM t") is None


@given(st.text(max_size=60))
def test_any_text_is_told_about(text: str) -> None:
    command_of(text)
    is_empty(text)
    assert why_not_a_read(f"DROP {text}") is not None
    assert why_not_a_read(f"SELECT {text}\n INTO OUTFILE 'x'") is not None or any(mark in text for mark in "'\"`/")


@pytest.mark.parametrize(
    "statement",
    ["BEGIN", "begin work", "START TRANSACTION READ ONLY", "/* now */ COMMIT;", "ROLLBACK TO a", "SAVEPOINT a",
     "RELEASE SAVEPOINT a", "XA START 'a'", "XA PREPARE 'a'", "/*! BEGIN */"],
)  # fmt: skip
def test_a_transaction_cannot_span_commands(statement: str) -> None:
    assert controls_transactions(statement)


@pytest.mark.parametrize(
    "statement",
    ["BEGIN NOT ATOMIC SELECT 1; END", "START SLAVE", "START REPLICA", "XA COMMIT 'a'", "XA RECOVER",
     "SELECT 'BEGIN'", "UPDATE t SET a = 1", ""],
)  # fmt: skip
def test_what_only_checks_like_one_is_sent(statement: str) -> None:
    assert not controls_transactions(statement)
