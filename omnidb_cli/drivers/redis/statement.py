"""A statement as a person types it, taken apart as redis-cli does, and the commands that make no sense here."""

from collections.abc import Mapping, Sequence

from omnidb_cli.errors import StatementError

_SPACES = frozenset(b" \n\r\t\v\f")
_ENDS = frozenset(b" \n\r\t")  # of an argument without quotes; redis-cli keeps the two others in it
_LINES = frozenset(b"\n\r")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_ESCAPES: Mapping[int, int] = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_QUOTE, _APOSTROPHE, _BACKSLASH = b"\"'\\"

_TRANSACTION = "every statement runs alone, on a connection of its own"
_LISTENING = "it would listen for ever, and a statement has one answer"
_CONNECTION = "it is about the connection, which lasts for one statement"
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"), _TRANSACTION),
    **dict.fromkeys(("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC", "PSYNC"), _LISTENING),
    **dict.fromkeys(("UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "REPLCONF"), _CONNECTION),
    **dict.fromkeys(("AUTH", "HELLO", "SELECT", "RESET", "QUIT", "ASKING", "READONLY", "READWRITE"), _CONNECTION),
    **dict.fromkeys(("CLIENT REPLY", "CLIENT TRACKING", "CLIENT CACHING", "CLIENT SETNAME"), _CONNECTION),
}
_HINTS: Mapping[str, str] = {
    "MULTI": "EVAL runs several commands as one",
    "SELECT": "the number of the database stands in the URL: redis://host:6379/2",
    "AUTH": "user and password stand in the URL, or in password:",
}


def command_of(statement: str, parameters: Sequence[str]) -> tuple[bytes, ...]:
    """The arguments of exactly one command, those of the statement and after them the parameters, each as it is.

    Raises StatementError for none, several, unbalanced quotes, and for commands that cannot work here.
    """
    arguments = (*split(_bytes(statement)), *map(_bytes, parameters))
    if not arguments:
        raise StatementError("the statement is empty", hint="write a command as in redis-cli: GET user:1")
    _refuse_useless(arguments)
    return arguments


def name_of(command: Sequence[bytes]) -> str:
    """The command's name in capitals."""
    return command[0].decode(errors="replace").upper()


def _bytes(text: str) -> bytes:
    """The text's bytes, also where it came from a command line that was not valid UTF-8."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise StatementError(f"not valid UTF-8: {text!r}") from None


def _refuse_useless(command: Sequence[bytes]) -> None:
    name = name_of(command)
    both = f"{name} {command[1].decode(errors='replace').upper()}" if len(command) > 1 else name
    for one in (name, both):
        if one in _REFUSED:
            raise StatementError(f"{one} does nothing here: {_REFUSED[one]}", hint=_HINTS.get(one))


def split(text: bytes) -> list[bytes]:
    r"""The arguments, as redis-cli has them.

    They are separated by spaces. `"…"` knows `\n \r \t \b \a \xHH`, and a backslash before anything else stands for
    that; `'…'` knows `\'` alone.

    Raises StatementError for unbalanced quotes, for a quote that ends inside a word, and for a second line.
    """
    if 0 in text:
        raise StatementError("the statement has a NUL character in it", hint=r'write "\x00", in double quotes')
    arguments: list[bytes] = []
    text = text.lstrip(bytes(_SPACES)).rstrip(bytes(_ENDS))
    at = 0
    while at < len(text):
        argument, at = _argument(text, at)
        arguments.append(argument)
        start = at
        while at < len(text) and text[at] in _SPACES:
            at += 1
        if _LINES.intersection(text[start:at]):
            raise StatementError("more than one command: give exactly one", hint="nothing was run")
    return arguments


def _argument(text: bytes, at: int) -> tuple[bytes, int]:
    """The argument that begins at `at`, and where it ends."""
    found = bytearray()
    while at < len(text) and text[at] not in _ENDS:
        if text[at] in (_QUOTE, _APOSTROPHE):
            quoted = _in_quotes if text[at] == _QUOTE else _in_apostrophes
            at = quoted(text, at + 1, found)
            if at < len(text) and text[at] not in _SPACES:
                raise StatementError("a closing quote must be followed by a space or by nothing")
            break
        found.append(text[at])
        at += 1
    return bytes(found), at


def _in_quotes(text: bytes, at: int, found: bytearray) -> int:
    while at < len(text):
        if text[at] == _QUOTE:
            return at + 1
        if text[at : at + 2] == b"\\x" and len(text) > at + 3 and _HEX.issuperset(text[at + 2 : at + 4]):
            found.append(int(text[at + 2 : at + 4], 16))
            at += 4
        elif text[at] == _BACKSLASH and at + 1 < len(text):
            found.append(_ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            found.append(text[at])
            at += 1
    raise StatementError('a double quote is opened and not closed: "')


def _in_apostrophes(text: bytes, at: int, found: bytearray) -> int:
    while at < len(text):
        if text[at] == _APOSTROPHE:
            return at + 1
        escaped = text[at : at + 2] == b"\\'"
        found.append(_APOSTROPHE if escaped else text[at])
        at += 2 if escaped else 1
    raise StatementError("a single quote is opened and not closed: '")
