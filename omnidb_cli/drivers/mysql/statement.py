"""What can be told of a statement before the server sees it: its verb, that it is one, that it only reads.

The engine's own read-only transaction refuses what changes tables. It does not refuse what ends that transaction
(`CALL`, `BEGIN NOT ATOMIC`), what writes files, nor what acts on the server (`SET GLOBAL`, `FLUSH`, `KILL`): only
statements that are known to read get as far as the server. White space, digits and letters are those of the server,
which are ASCII's: a no-break space opens no comment there.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

_TOKENS = r"""
      (?P<hint>   /\*\+(?:(?!\*/)[^'"`])*['"`] )
    | (?P<space>  [\s\x00]+ | \#[^\n]* | --(?=[\x00-\x20\x7f]|\Z)[^\n]* | /\*(?!M?!).*?(?:\*/|\Z) )
    | (?P<hidden> /\*M?! )
    | (?P<quoted> '(?:[^'{0}]|''{1})*(?:'|\Z) | "(?:[^"{0}]|""{1})*(?:"|\Z) | `(?:[^`]|``)*(?:`|\Z) )
    | (?P<word>   [^\W\d][\w$]* )
    | (?P<name>   [@.][\w$.]+ | \d[\w.]* )
    | (?P<mark>   . )
"""
_FLAGS = re.VERBOSE | re.DOTALL | re.ASCII
_WITH_BACKSLASHES = re.compile(_TOKENS.format(r"\\", r"|\\(?:.|\Z)"), _FLAGS)
_WITHOUT_BACKSLASHES = re.compile(_TOKENS.format("", ""), _FLAGS)  # the mode NO_BACKSLASH_ESCAPES

_READS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESC", "DESCRIBE", "EXPLAIN", "HELP", "CHECKSUM"})
_ANALYZED = frozenset({"SELECT", "WITH", "VALUES", "FORMAT"})
_NUMBER = re.compile(r"\.?\d")
"""How a token begins that may be a number with a word at its end: the server reads `1.5into` as two."""

_CONTROLS = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
_CONTROLS_BY_TWO = frozenset({
    ("START", "TRANSACTION"), ("XA", "START"), ("XA", "BEGIN"), ("XA", "END"), ("XA", "PREPARE"),
})  # fmt: skip
_COUNTS = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"})


class _Token(Struct, frozen=True):
    kind: str
    text: str


def command_of(statement: str) -> str:
    """The statement's verb in capitals; of a `WITH …` the one that its tables are for; empty when it has none."""
    words = list(_words_outside_brackets(_tokens(statement, _WITH_BACKSLASHES)))
    if words[:1] != ["WITH"]:
        inside = (token.text.upper() for token in _tokens(statement, _WITH_BACKSLASHES) if token.kind == "word")
        return words[0] if words else next(inside, "")
    verbs = _COUNTS | {"SELECT", "VALUES"}
    return next((word for word, after in pairwise(words) if word in verbs and after not in {"AS", "("}), "WITH")


def counts_rows(command: str) -> bool:
    """Whether a statement with this verb tells how many rows it changed."""
    return command in _COUNTS


def controls_transactions(statement: str) -> bool:
    """Whether it begins, ends or marks a transaction, which ends with the session at the latest.

    MariaDB's `BEGIN NOT ATOMIC …` is a statement like any other; `START` starts replicas too, and an `XA` transaction
    that was prepared before can be ended by anybody.
    """
    first, second = [*_words_outside_brackets(_tokens(statement, _WITH_BACKSLASHES)), "", ""][:2]
    return (first in _CONTROLS and (first, second) != ("BEGIN", "NOT")) or (first, second) in _CONTROLS_BY_TWO


def is_empty(statement: str) -> bool:
    """Whether there is nothing to run."""
    return all(token.text == ";" for token in _tokens(statement, _WITH_BACKSLASHES))


def why_not_a_read(statement: str) -> str | None:
    """Why the statement may do more than read; None when it only reads.

    Where a quoted text ends depends on a mode of the server: of the two ways to read it the worse one counts.
    """
    ways = (_tokens(statement, _WITH_BACKSLASHES), _tokens(statement, _WITHOUT_BACKSLASHES))
    if "\0" in statement:
        return "it has a NUL character, which ends a comment on some servers"
    return next((why for why in map(_why_not_a_read, ways) if why), None)


def _why_not_a_read(tokens: Sequence[_Token]) -> str | None:
    if any(token.kind == "hidden" for token in tokens):
        return "it has a comment that the server may carry out"
    if any(token.kind == "hint" for token in tokens):
        return "it has an optimizer hint with a quote, which may hide where the hint ends"
    ends = [number for number, token in enumerate(tokens) if token.text == ";"]
    if ends and any(token.text != ";" for token in tokens[ends[0] :]):
        return "it is more than one statement"
    words = [token.text.upper() if token.kind == "word" else "" for token in tokens]
    verb, after = ([word for word in words if word] + ["", ""])[:2]
    if verb not in _READS and not (verb == "ANALYZE" and after in _ANALYZED):
        return f"{verb or 'what it begins with'} is not one of the statements that only read"
    if any(token.text == "\\" for token in tokens):
        return "it has a backslash outside of quotes, which may hide a word"
    if any(map(_has_into, tokens)):
        return "INTO writes a file on the server, or a variable"
    return None


def _has_into(token: _Token) -> bool:
    """Whether the server may read `INTO` here: no statement that only reads has one outside of quotes."""
    if token.kind == "name":
        return _NUMBER.match(token.text) is not None and "INTO" in token.text.upper()
    return token.kind == "word" and token.text.upper() == "INTO"


def _tokens(statement: str, how: re.Pattern[str]) -> list[_Token]:
    tokens = (_Token(match.lastgroup or "", match[0]) for match in how.finditer(statement))
    return [token for token in tokens if token.kind != "space"]


def _words_outside_brackets(tokens: Sequence[_Token]) -> Iterator[str]:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.kind == "word":
            yield token.text.upper()
