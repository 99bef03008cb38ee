"""How long a message of a server may be. Imported with the library only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from omnidb_cli.drivers._too_much import CHECK_BYTES

_most_bytes: ContextVar[int] = ContextVar("_most_bytes", default=CHECK_BYTES)


@contextmanager
def messages_of(most_bytes: int) -> Iterator[None]:
    """Connections that tasks begun within make take no longer message, whatever their server says of itself."""
    token = _most_bytes.set(most_bytes)
    try:
        yield
    finally:
        _most_bytes.reset(token)


def most_bytes() -> int:
    """What holds for the connection that is being made."""
    return _most_bytes.get()
