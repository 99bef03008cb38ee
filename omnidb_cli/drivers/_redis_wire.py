"""redis-py's connection, over streams that are made and watched elsewhere."""

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from omnidb_cli.drivers._redis_address import Address

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection


def wire_over(
    address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, resp: int
) -> "AbstractConnection":
    """A connection of redis-py over open streams, not logged in yet. It has no time limit and retries nothing."""
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    wire: AbstractConnection = _wire_class()(
        reader,
        writer,
        address.place,
        db=address.database,
        username=address.username,
        password=address.password,
        protocol=resp,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,  # who waits sets the limit; the default cuts a blocking command after 5 s
        socket_connect_timeout=None,
        driver_info=None,  # CLIENT SETINFO is a right of its own, and a round trip
    )
    return wire


def load_client() -> None:
    """Imports redis-py, which takes longer than a look: whoever measures one calls this before."""
    _wire_class()


@cache
def _wire_class() -> Any:
    """redis-py's connection over streams that are open already: it never connects by itself, and so never again."""
    from redis.asyncio.connection import AbstractConnection
    from redis.exceptions import ConnectionError as ConnectionIsGone

    class Wire(AbstractConnection):
        def __init__(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str, **settings: Any
        ) -> None:
            self._place = place
            self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = (reader, writer)
            super().__init__(**settings)

        async def _connect(self) -> None:
            if self._streams is None:
                raise ConnectionIsGone("the connection was closed")
            (self._reader, self._writer), self._streams = self._streams, None

        def _host_error(self) -> str:
            return self._place

        def repr_pieces(self) -> list[tuple[str, str]]:
            return [("place", self._place)]

        def abandon(self) -> None:
            self._streams = self._reader = self._writer = None

    return Wire
