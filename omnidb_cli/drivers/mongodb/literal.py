"""Reads values as MongoDB's shell and its documentation write them: JSON, Extended JSON, and the shell's JavaScript.

Keys may go without quotes, strings in single ones, `ObjectId("…")` and its like are values, and an unquoted `?` is the
next parameter, a string. It is a reader of literals: nothing is computed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from omnidb_cli.errors import StatementError

Parameters = Iterator[str]

DEEPEST = 100
"""How deep documents may be nested; it is MongoDB's own limit."""

_TOKENS = re.compile(
    r"""
      (?P<space>  \s+ | //[^\n]* | /\*.*?\*/ )
    | (?P<string> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<number> -?(?:0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? | Infinity)(?![\w$]) )
    | (?P<word>   [^\W\d][\w$]* | \$[\w$]* )
    | (?P<regex>  /(?:[^/\\\n]|\\.)+/[a-z]* )
    | (?P<mark>   [][{}(),:.;?] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\n|.)", re.DOTALL)
_PAIRS = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None, "NaN": float("nan")}
_EXTENDED = frozenset({
    "$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$uuid", "$timestamp",
    "$regularExpression", "$minKey", "$maxKey", "$undefined", "$symbol", "$code", "$ref", "$dbPointer",
})  # fmt: skip
_INT64 = range(-(2**63), 2**63)


class Token(Struct, frozen=True):
    """One word of a statement; `at` counts characters from 0."""

    kind: str
    text: str
    at: int


class Reader:
    """Reads one text from left to right. Its methods raise StatementError for what they do not understand."""

    def __init__(self, text: str, parameters: Sequence[str] = ()) -> None:
        self._tokens = [*_tokens(text), Token("end", "", len(text))]
        self._next = 0
        self._depth = 0
        self._parameters = iter(parameters)
        self._taken = 0
        self._given = len(parameters)

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next token, and on to the one after it."""
        token = self.token
        self._next += token.kind != "end"
        return token

    def skip(self, *marks: str) -> bool:
        """Whether these marks come next; if so they are read."""
        coming = self._tokens[self._next : self._next + len(marks)]
        found = [token.text for token in coming if token.kind in {"mark", "word"}] == list(marks)
        self._next += len(marks) if found else 0
        return found

    def expect(self, mark: str) -> None:
        """Passes over `mark`. Raises StatementError when something else is there."""
        if not self.skip(mark):
            raise unexpected(self.token, f'"{mark}"')

    def end(self) -> None:
        """Raises StatementError when something is left, of the text or of the parameters."""
        while self.skip(";"):
            pass
        if self.token.kind != "end":
            raise unexpected(self.token, "the end of the statement")
        if self._taken != self._given:
            raise StatementError(
                f"placeholders in the statement: {self._taken}, parameters given: {self._given}",
                hint="write an unquoted ? where each --param goes: {name: ?}, {_id: ObjectId(?)}, {n: NumberInt(?)}",
            )

    def arguments(self) -> list[Any]:
        """The values in round brackets that come next."""
        self.expect("(")
        return self._listed(")")

    def value(self) -> Any:
        """One value, in the types that MongoDB keeps."""
        token = self.take()
        match token.kind, token.text:
            case "mark", "{":
                return self._nested(token, self._document)
            case "mark", "[":
                return self._nested(token, lambda: self._listed("]"))
            case "mark", "?":
                return self._parameter()
            case "string", text:
                return _string(text, token)
            case "number", text:
                return _number(text, token)
            case "regex", text:
                return _regex(text, token)
            case "word", word if word in _CONSTANTS:
                return _CONSTANTS[word]
            case "word", "Infinity":
                return float("inf")
            case "word", "new":
                return self._constructed(self.take())
            case "word", _:
                return self._constructed(token)
            case _:
                raise unexpected(token, "a value")

    def _nested(self, token: Token, read: Callable[[], Any]) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise StatementError(f"nested deeper than {DEEPEST} levels at character {token.at + 1}")
        found = read()
        self._depth -= 1
        return found

    def _listed(self, closing: str) -> list[Any]:
        values: list[Any] = []
        while not self.skip(closing):
            values.append(self.value())
            if not self.skip(","):
                self.expect(closing)
                break
        return values

    def _document(self) -> Any:
        found: dict[str, Any] = {}
        while not self.skip("}"):
            key = self._key(found)
            self.expect(":")
            found[key] = self.value()
            if not self.skip(","):
                self.expect("}")
                break
        return _extended(found)

    def _key(self, taken: Mapping[str, Any]) -> str:
        token = self.take()
        match token.kind:
            case "string":
                key = _string(token.text, token)
            case "word" | "number":
                key = token.text
            case _:
                raise unexpected(token, "a key")
        if key in taken:
            raise StatementError(f'the key "{key}" at character {token.at + 1} is given twice')
        return key

    def _parameter(self) -> str:
        self._taken += 1
        return next(self._parameters, "")  # one too few is found at the end, with the right numbers

    def _constructed(self, token: Token) -> Any:
        from omnidb_cli.drivers.mongodb.constructors import CONSTRUCTORS

        make = CONSTRUCTORS.get(token.text) if token.kind == "word" else None
        if make is None:
            known = ", ".join(CONSTRUCTORS)
            raise StatementError(
                f"{token.text or 'the end'} at character {token.at + 1} is not a value",
                hint=f"strings are in quotes; values of other types are made by {known}",
            )
        given = self.arguments() if token.text not in {"MinKey", "MaxKey"} or self.token.text == "(" else []
        try:
            return make(*given)
        except (TypeError, ValueError, ArithmeticError, OverflowError) as error:
            raise StatementError(f"{token.text} at character {token.at + 1}: {error}") from error


def unexpected(token: Token, wanted: str) -> StatementError:
    """The error for something else than what was wanted."""
    found = f'"{token.text[:30]}" at character {token.at + 1}' if token.text else "the end"
    return StatementError(f"expected {wanted}, found {found}")


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            rest = text[at]
            what = "a string that does not end" if rest in "'\"" else f'"{rest}", which means nothing there'
            raise StatementError(f"at character {at + 1} there is {what}")
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "", match[0], at)
        at = match.end()


def _string(quoted: str, token: Token) -> str:
    body = quoted[1:-1]
    text = _ESCAPES.sub(_unescaped, body) if "\\" in body else body
    text = _PAIRS.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StatementError(f"the string at character {token.at + 1} is not valid Unicode") from None
    return text


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _SHORT.get(code, code)
    number = int(code[1:].strip("{}"), 16)
    return chr(number) if number < 0x110000 else "\ud800"  # which is refused as no character


def _number(text: str, token: Token) -> int | float:
    body = text.lower()
    if "x" in body:
        found = int(body, 16)
    elif "infinity" in body or any(mark in body for mark in ".e"):
        return float(body)
    else:
        found = int(body)
    if found not in _INT64:
        raise StatementError(
            f"the number at character {token.at + 1} has more than 64 bits", hint='NumberDecimal("…") keeps 34 digits'
        )
    return found


def _regex(text: str, token: Token) -> Any:
    from omnidb_cli.drivers.mongodb.constructors import regular_expression

    pattern, _, flags = text[1:].rpartition("/")
    try:
        return regular_expression(pattern, flags)
    except ValueError as error:
        raise StatementError(f"at character {token.at + 1}: {error}") from error


def _extended(document: dict[str, Any]) -> Any:
    """What Extended JSON means by a document such as {"$oid": "…"}; every other one as it is."""
    if next(iter(document), "") not in _EXTENDED:
        return document
    from bson.codec_options import DatetimeConversion
    from bson.errors import BSONError
    from bson.json_util import JSONOptions, object_hook

    options = JSONOptions(tz_aware=True, document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    try:
        return object_hook(document, options)
    except (BSONError, TypeError, ValueError, ArithmeticError, OverflowError) as error:
        raise StatementError(f"{next(iter(document))} in Extended JSON: {error}") from error
