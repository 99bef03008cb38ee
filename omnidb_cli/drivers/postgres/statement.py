"""What can be told of an SQL statement by its words, and how its parameters get into it."""

import re
from collections.abc import Sequence

from msgspec import Struct

from omnidb_cli.drivers.base import spans_commands
from omnidb_cli.errors import StatementError

PREPARED = "omnidb"
"""The name of the statement that is prepared to take parameters."""

CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
CONTROLS = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
_TAKE_PARAMETERS = CHANGES | {"SELECT", "WITH", "VALUES", "TABLE"}
_SELECTS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "EXECUTE"})

READS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN"})

_BETWEEN = re.compile(r"(?:[ \t\n\v\f\r]+|--[^\n\r]*|[(;])*")
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_COMMENT_MARK = re.compile(r"/\*|\*/")
_NOTIFIES = re.compile(r"pg_notify", re.IGNORECASE)
_CHANGING_WORD = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_OVER_THE_WIRE = re.compile(r"\b(?:FROM\s+STDIN|TO\s+STDOUT)\b", re.IGNORECASE)


class Plan(Struct, frozen=True):
    """How a statement is run. `prepare` is run before `sql`, where parameters are to be bound.

    `whole`: its rows are all read before the first is given out, since they come of a change, which is to be complete
    whether or not anybody reads them.
    """

    sql: str
    prepare: str | None
    word: str
    whole: bool


def _refuse_broken(text: str) -> None:
    if "\0" in text:
        raise StatementError("PostgreSQL's text has no NUL character (\\0)")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StatementError(f"not valid UTF-8: {text!r}") from None


def plan(statement: str, parameters: Sequence[str]) -> Plan:
    """How to run the statement. Raises StatementError for one that cannot be run here, transaction control above all.

    `COMMIT PREPARED` and `ROLLBACK PREPARED` end what an earlier session has prepared, and so can be run.

    Parameters go in as untyped literals of an EXECUTE, so that the server reads each as the type that it has found
    for `$1`, `$2` ….
    """
    for text in (statement, *parameters):
        _refuse_broken(text)
    word, second = _first_words(statement)
    if (word in CONTROLS and second != "PREPARED") or (word, second) == ("PREPARE", "TRANSACTION"):
        raise spans_commands(word)
    if word == "COPY" and _OVER_THE_WIRE.search(statement):
        raise StatementError(
            "COPY from or to the client is not supported", hint="use a SELECT with -o csv, or psql's \\copy"
        )
    whole = word in CHANGES or word == "CALL" or (word == "WITH" and _CHANGING_WORD.search(statement) is not None)
    if not parameters:
        return Plan(statement, None, word, whole)
    if word not in _TAKE_PARAMETERS:
        raise StatementError(f"{word or 'this'} takes no parameters: only queries, INSERT, UPDATE, DELETE and MERGE do")
    values = ", ".join(map(literal, parameters))
    return Plan(f"EXECUTE {PREPARED}({values})", f"PREPARE {PREPARED} AS {statement}", word, whole)


def why_not_a_read(statement: str) -> str | None:
    """Why the statement may do more than read; None when the engine's read-only transaction sees to the rest.

    That transaction lets through what writes files (`COPY … TO`), what acts on the server, and what only comes about
    with a commit, which is not to come.
    """
    word, _ = _first_words(statement)
    if word not in READS:
        return f"{word or 'what it begins with'} is not one of the statements that only read"
    if _NOTIFIES.search(statement):
        return "pg_notify sends with a commit, and what only reads is rolled back"
    return None


def _first_words(statement: str) -> tuple[str, str]:
    """The first two words in capitals, empty where there is none; spaces, names and comments are the server's."""
    first, end = _word_after(statement, 0)
    return first, _word_after(statement, end)[0]


def _word_after(statement: str, at: int) -> tuple[str, int]:
    """The next word, and where it ends."""
    start = _BETWEEN.match(statement, at).end()  # type: ignore[union-attr]  # it matches nothing, too
    while statement.startswith("/*", start):
        start = _BETWEEN.match(statement, _comment_end(statement, start)).end()  # type: ignore[union-attr]
    word = _WORD.match(statement, start)
    return (word[0].upper(), word.end()) if word else ("", start)


def _comment_end(statement: str, start: int) -> int:
    """Where the comment ends that begins there: comments may hold comments."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(statement, start + 2):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(statement)


def literal(text: str) -> str:
    """The text as an SQL literal without a type, whatever `standard_conforming_strings` says."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f" E'{escaped}'"


def command_of(word: str, status: str | None) -> str:
    """What was carried out: the server's command tag without its numbers, else by the statement's first word."""
    if status:
        return " ".join(part for part in status.split() if not part.isdigit())
    return "SELECT" if word in _SELECTS else word


def affected_by(status: str | None) -> int | None:
    """How many rows a command tag speaks of."""
    last = (status or "").rpartition(" ")[2]
    return int(last) if last.isdigit() else None
