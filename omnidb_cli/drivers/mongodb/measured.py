"""The client library's side of the network with a bound on every message. Imported with the library only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pymongo import pool_shared
from pymongo.network_layer import PyMongoProtocol

from omnidb_cli.drivers._too_much import CHECK_BYTES

_most_bytes: ContextVar[int] = ContextVar("_most_bytes", default=CHECK_BYTES)


@contextmanager
def messages_of(most_bytes: int) -> Iterator[None]:
    """Connections that tasks begun within make take no longer message, whatever their server says of itself."""
    pool_shared.PyMongoProtocol = MeasuredProtocol  # type: ignore[attr-defined]
    token = _most_bytes.set(most_bytes)
    try:
        yield
    finally:
        _most_bytes.reset(token)


class MeasuredProtocol(PyMongoProtocol):
    """The library's, which makes room for what a message announces, and believes the server how long it may be."""

    def __init__(self, timeout: float | None = None) -> None:
        self._longest = self._bound = _most_bytes.get()
        super().__init__(timeout)

    @property
    def _max_message_size(self) -> int:
        """Of the next message, as it comes and unpacked."""
        return self._longest

    @_max_message_size.setter
    def _max_message_size(self, size: int) -> None:
        self._longest = min(size, self._bound)
