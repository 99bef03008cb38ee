"""Replies as rows: one column, one row, or one for each item of an array."""

from typing import Any

from omnidb_cli.drivers.batching import Batches, Rows, next_batch
from omnidb_cli.drivers.redis.errors import ReplyError, code_of, said
from omnidb_cli.errors import StatementError

COLUMNS = ("value",)
DEEPEST = 200


def batches_of(reply: Any) -> Batches:
    """The rows: the reply is in memory, its rows are made as they are asked for."""
    items = reply if isinstance(reply, list) else [reply]
    rows = ((value_of(item),) for item in items)

    async def some() -> Rows:
        return next_batch(rows)

    return Batches(some)


def value_of(reply: Any, depth: int = 0) -> object:
    """The reply in Python's own types: text where the bytes are UTF-8, else the bytes; an error as `{"error": …}`.

    Raises StatementError for more levels than every format can write on every Python.
    """
    match reply:
        case list() | dict() if depth == DEEPEST:
            raise StatementError(f"the reply has more than {DEEPEST} levels of arrays in arrays, too deep to be shown")
        case bytes():
            return _text(reply)
        case list():
            return [value_of(item, depth + 1) for item in reply]
        case dict():
            return {_key(key): value_of(item, depth + 1) for key, item in reply.items()}
        case ReplyError():
            return {"error": f"{'ERR ' if code_of(reply) == 'ERR' else ''}{said(reply)}"}
        case _:
            return reply


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _key(value: Any) -> object:
    r"""A key as text: bytes that are none as `\x…`."""
    if isinstance(value, ReplyError):
        return said(value)
    key = value_of(value)
    return "\\x" + key.hex() if isinstance(key, bytes) else key
