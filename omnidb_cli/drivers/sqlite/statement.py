"""What can be told of a statement before SQLite sees it: its verb, that it is one, what its placeholders get."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from omnidb_cli.drivers.base import spans_commands
from omnidb_cli.errors import StatementError

_TOKENS = re.compile(
    r"""
      (?P<space>  [ \t\n\f\r\ufeff]+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<quoted> [xX]?'(?:[^']+|'')*'? | "(?:[^"]+|"")*"? | `(?:[^`]+|``)*`? | \[[^\]]*\]? )
    | (?P<place>  \?\d* | [:@$][\w$]+ )
    | (?P<word>   [^\W\d][\w$]* )
    | (?P<number> \d[\w.]* )
    | (?P<mark>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ROW_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})
_SCHEMA_CHANGES = frozenset({"CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE"})
_TRANSACTIONS = frozenset({"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"})
_INTEGER = re.compile(r"-?[1-9]\d{0,18}|0", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+", re.ASCII)
_EXACT_DIGITS = 15  # as many as SQLite writes of a REAL that it turns into text
_MOST_PLACES = 250_000

Bound = str | int | float


class Plan(Struct, frozen=True):
    """One statement and what to bind.

    `command` is its verb in capitals; `counts` says that it changes rows and tells how many, `changes` that it
    can run in a transaction of its own and writes.
    """

    sql: str
    bindings: Sequence[Bound] | Mapping[str, Bound]
    command: str

    @property
    def counts(self) -> bool:
        """Whether it tells how many rows it changed."""
        return self.command in _ROW_CHANGES

    @property
    def changes(self) -> bool:
        """Whether it changes data or the schema."""
        return self.counts or self.command in _SCHEMA_CHANGES


class _Token(Struct, frozen=True):
    kind: str
    text: str


def plan(statement: str, parameters: Sequence[str]) -> Plan:
    """The plan for exactly one statement.

    Parameters bind in their order to the placeholders as SQLite numbers them: `?`, `?1`, `:name`. Raises
    StatementError for none or several statements, for transaction control, and for a wrong number of parameters.
    """
    _refuse_broken_text(statement, *parameters)
    tokens = [_Token(match.lastgroup or "", match[0]) for match in _TOKENS.finditer(statement)]
    tokens = [token for token in tokens if token.kind != "space"]
    _refuse_none_and_several(tokens)
    command = _verb(tokens)
    if command in _TRANSACTIONS:
        raise spans_commands(command)
    return Plan(statement, _bindings(tokens, parameters), command)


def _refuse_broken_text(*texts: str) -> None:
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise StatementError(f"not valid UTF-8: {text!r}") from None


def _refuse_none_and_several(tokens: Sequence[_Token]) -> None:
    words = [token.text.upper() for token in tokens[:4]]
    if all(token.text == ";" for token in tokens):
        raise StatementError("the statement is empty")
    if words[0] == "CREATE" and "TRIGGER" in words:
        return  # it has semicolons inside; SQLite itself refuses what comes after it
    ended = False
    for token in tokens:
        if ended and token.text != ";":
            raise StatementError("more than one statement: give exactly one", hint="nothing was run")
        ended = ended or token.text == ";"


def _verb(tokens: Sequence[_Token]) -> str:
    """The first word; of a `WITH …` the one that its tables are for."""
    words = list(_words_outside_brackets(tokens))
    if words[:1] != ["WITH"]:
        return words[0] if words else ""
    verbs = _ROW_CHANGES | {"SELECT", "VALUES"}
    return next((word for word, after in pairwise(words) if word in verbs and after != "AS"), "WITH")


def _words_outside_brackets(tokens: Sequence[_Token]) -> Iterator[str]:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.kind == "word":
            yield token.text.upper()


def _bindings(tokens: Sequence[_Token], parameters: Sequence[str]) -> Sequence[Bound] | Mapping[str, Bound]:
    places = _places(tokens)
    if len(places) != len(parameters):
        raise StatementError(
            f"placeholders in the statement: {len(places)}, parameters given: {len(parameters)}",
            hint="give one parameter for each placeholder, in their order",
        )
    values = [typed(parameter) for parameter in parameters]
    by_name = {place[1:]: value for place, value in zip(places, values, strict=True)}
    if "" not in by_name and len(by_name) == len(places):
        return by_name  # Python 3.14 takes no sequence for names
    if any(place[0] != "?" for place in places):
        raise StatementError("the statement mixes kinds of placeholders", hint="write all of them as ? or as :name")
    return values


def _places(tokens: Sequence[_Token]) -> list[str]:
    """The placeholders by SQLite's numbers: `?` takes the next, `?7` the seventh, a name its own."""
    places: list[str] = []
    for text in (token.text for token in tokens if token.kind == "place"):
        if text == "?" or (text[0] != "?" and text not in places):
            places.append(text)
        elif text[0] == "?":
            number = _number(text)
            places.extend("?" * (number - len(places)))
            if places[number - 1] == "?":
                places[number - 1] = text
    return places


def _number(place: str) -> int:
    number = int(place[1:])
    if not 1 <= number <= _MOST_PLACES:
        raise StatementError(f"placeholder {place} is out of range")
    return number


def typed(text: str) -> Bound:
    """A number where `text` is written just as SQLite itself would write that number, else the text as it is.

    So `7` finds an integer 7 wherever it is compared, `007`, `1e3` and `1.50` stay what they are, and what goes into
    a TEXT column comes out unchanged.
    """
    if _INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    if _DECIMAL.fullmatch(text) and len(text) <= _EXACT_DIGITS and text == repr(float(text)) != "-0.0":
        return float(text)
    return text
