"""The Redis protocol on one connection: commands go out together, and their replies come back in one list."""

import asyncio
from collections.abc import Callable
from typing import Any

from hiredis import PushNotification, Reader, pack_command

from omnidb_cli.drivers._transport import abort
from omnidb_cli.drivers.redis.errors import ReplyError, UnreadableError
from omnidb_cli.drivers.redis.meter import CHECK_BYTES, Meter

Command = tuple[bytes, ...]

_INCOMPLETE = object()


def packed(*commands: Command) -> bytes:
    """The commands as they go over the wire."""
    return b"".join(pack_command(command) for command in commands)  # type: ignore[arg-type]  # its stub knows one alone


class Wire(asyncio.Protocol):
    """One connection, whose first command goes out as it is made: what a server says to it is its reply.

    A server that lets nobody in says so unasked, and hangs up. `on_end` is called when the connection ends by itself
    while no reply is waited for.
    """

    def __init__(self, first: bytes, on_end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(protocolError=UnreadableError, replyError=ReplyError, notEnoughData=_INCOMPLETE)
        self._transport: asyncio.Transport | None = None
        self._first = first
        self._on_end = on_end
        self._replies: list[Any] = []
        self._number = 1
        self._meter = Meter()
        self.answer: asyncio.Future[list[Any]] = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._transport is not None

    def ask(self, commands: bytes, number: int, *, most_bytes: int = CHECK_BYTES) -> "asyncio.Future[list[Any]]":
        """Sends the commands, that many of them, and gives their replies, an error reply as a ReplyError.

        Replies of more than `most_bytes` end the connection. Raises OSError when the connection breaks, or
        UnreadableError; it has ended then.
        """
        if self._transport is None:
            raise ConnectionResetError
        self._replies, self._number, self.answer = [], number, self._loop.create_future()
        self._meter.begin(most_bytes)
        self._transport.write(commands)
        return self.answer

    def abort(self) -> None:
        """Ends the connection at once, with nothing flushed and nothing awaited; `on_end` is not called."""
        transport, self._transport = self._transport, None
        if transport is not None:
            abort(transport)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream's is one
        """Sends the first commands."""
        self._transport = transport
        transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        """Hands out each whole reply."""
        why = self._meter.why_too_much(data)
        if why is not None:
            self._end(UnreadableError(why))
            return
        replies, reader = self._replies, self._reader
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _INCOMPLETE:
                if type(reply) is not PushNotification:
                    replies.append(reply)
        except (UnreadableError, TypeError, MemoryError) as error:  # TypeError: a list is a map's key
            self._end(UnreadableError(str(error)))
            return
        if len(replies) < self._number:
            return
        if len(replies) > self._number or reader.has_data():
            self._end(UnreadableError("more than was asked for"))
        elif not self.answer.done():
            self.answer.set_result(replies)
            self._replies, self._number = [], 0

    def eof_received(self) -> None:
        """The server has closed the connection."""
        self._end(ConnectionResetError())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(exc or ConnectionResetError())

    def _end(self, error: Exception) -> None:
        if self._transport is None:
            return
        self.abort()
        if self.answer.done():
            self._on_end()
        else:
            self.answer.set_exception(error)
            self.answer.exception()  # who asked may be gone, and then nobody wants to know
