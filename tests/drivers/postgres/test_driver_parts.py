"""The parts that decide without a server: what a statement is, how values are read, and what a check means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from omnidb_cli.drivers.postgres.check import ServerState, answer_of, is_doubtful, settled, since_level
from omnidb_cli.drivers.postgres.statement import affected_by, command_of, literal, plan
from omnidb_cli.drivers.postgres.values import read_array
from omnidb_cli.errors import StatementError

LEVEL = ServerState(
    recovering=True, read_only=True, received=200.0, replayed=200.0, age_s=3600.0, paused=False, receiving=True,
    restore_command="",
)  # fmt: skip
BEHIND = replace(LEVEL, replayed=100.0)


@pytest.mark.parametrize(
    ("seen", "lag_s", "stalled"),
    [
        (LEVEL, 0.0, None),
        (BEHIND, 3600.0, None),
        (replace(BEHIND, age_s=-0.5), 0.0, None),
        (replace(BEHIND, age_s=None), None, None),
        (replace(LEVEL, paused=True), 0.0, "WAL replay is paused"),
        (replace(LEVEL, receiving=False), None, "no WAL receiver is running"),
        (replace(LEVEL, receiving=False, received=None), None, "no WAL receiver is running"),
        (replace(LEVEL, receiving=False, received=None, restore_command="cp x"), None, None),
        (replace(LEVEL, receiving=False, received=None, restore_command=None), None, None),
    ],
)
def test_lag_and_what_stands_still(seen: ServerState, lag_s: float | None, stalled: str | None) -> None:
    answer = answer_of(seen, 0.001, "15.2")
    assert (answer.role, answer.writable, answer.lag_s) == ("replica", False, lag_s)
    assert (stalled in str(answer.stalled)) if stalled else answer.stalled is None


def test_a_primary_has_no_lag() -> None:
    answer = answer_of(replace(LEVEL, recovering=False, read_only=False), 0.001, "15.2")
    assert (answer.role, answer.writable, answer.lag_s, answer.stalled) == ("primary", True, None, None)


def test_a_lag_is_doubted_only_where_something_is_on_its_way_after_a_quiet_time() -> None:
    assert is_doubtful(BEHIND)
    for seen in (LEVEL, replace(BEHIND, paused=True), replace(BEHIND, age_s=0.5), replace(BEHIND, age_s=None)):
        assert not is_doubtful(seen)


def test_what_was_replayed_between_two_checks_was_no_lag() -> None:
    assert settled(BEHIND, replace(BEHIND, received=900.0, replayed=200.0), 0.05).age_s == 0.05
    assert settled(BEHIND, replace(BEHIND, received=900.0, replayed=199.0), 0.05).age_s == 3600.0
    assert since_level(BEHIND, 2.0).age_s == 2.0
    assert since_level(replace(BEHIND, age_s=1.0), 2.0).age_s == 1.0
    assert since_level(replace(BEHIND, age_s=None), 2.0).age_s is None


@pytest.mark.parametrize(
    ("statement", "word", "whole"),
    [
        ("SELECT 1", "SELECT", False),
        ("  -- a comment\n/* and * another */ ((select 1))", "SELECT", False),
        ("with x as (select 1) select * from x", "WITH", False),
        ("WITH x AS (DELETE FROM a RETURNING b) SELECT * FROM x", "WITH", True),
        ("Insert into a values (1) returning b", "INSERT", True),
        ("CALL f()", "CALL", True),
        (";;", "", False),
        ("-- only a comment", "", False),
    ],
)
def test_what_a_statement_is(statement: str, word: str, *, whole: bool) -> None:
    planned = plan(statement, ())
    assert (planned.word, planned.whole, planned.sql, planned.prepare) == (word, whole, statement, None)


def test_parameters_become_untyped_literals_of_an_execute() -> None:
    planned = plan("SELECT $1, $2", ["it's", "a\\b"])
    assert planned.prepare == "PREPARE omnidb AS SELECT $1, $2"
    assert planned.sql == r"EXECUTE omnidb( E'it''s',  E'a\\b')"


@given(st.text())
def test_no_text_gets_out_of_its_literal(text: str) -> None:
    inside = literal(text).removeprefix(" E'").removesuffix("'")
    rest = inside.replace("\\\\", "").replace("''", "")
    assert "'" not in rest
    assert "\\" not in rest


@pytest.mark.parametrize(
    ("status", "command", "rows"),
    [
        ("INSERT 0 3", "INSERT", 3),
        ("UPDATE 0", "UPDATE", 0),
        ("CREATE TABLE", "CREATE TABLE", None),
        ("", "SELECT", None),
    ],
)
def test_command_tags(status: str, command: str, rows: int | None) -> None:
    assert (command_of("WITH", status), affected_by(status)) == (command, rows)


def quoted(items: list[object]) -> str:
    """As PostgreSQL writes an array, everything quoted."""

    def one(item: object) -> str:
        if isinstance(item, list):
            return quoted(item)
        if item is None:
            return "NULL"
        return '"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join(map(one, items)) + "}"


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.lists(st.one_of(st.none(), st.text())), lambda inner: st.lists(inner, min_size=1), max_leaves=9))
def test_arrays_are_read_as_they_were_written(items: list[object]) -> None:
    assert read_array(quoted(items), str) == items
    assert read_array("[0:1][2:3]=" + quoted(items), str) == items


@pytest.mark.parametrize(
    "statement",
    ["BEGIN", "start transaction", "/* now */ COMMIT;", "END", "ROLLBACK TO a", "ABORT", "SAVEPOINT a", "RELEASE a",
     "PREPARE TRANSACTION 'a'", "BEGIN; DELETE FROM t; COMMIT"],
)  # fmt: skip
def test_a_transaction_cannot_span_commands(statement: str) -> None:
    with pytest.raises(StatementError, match="a transaction cannot span commands"):
        plan(statement, ())


@pytest.mark.parametrize("statement", ["COMMIT PREPARED 'a'", "rollback  prepared 'a'", "PREPARE a AS SELECT 1"])
def test_what_ends_an_earlier_sessions_transaction_is_sent(statement: str) -> None:
    assert plan(statement, ()).sql == statement
