"""One connection to a server, by redis-py: logged in, asked, and ended at once whatever state its socket is in."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from omnidb_cli.drivers._redis_address import Address
from omnidb_cli.drivers._redis_errors import (
    NOT_READY,
    broken,
    code_of,
    failed_connection,
    is_reply,
    refused_connection,
    said,
)
from omnidb_cli.drivers._redis_wire import wire_over
from omnidb_cli.drivers._transport import abort
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ConnectError, DriverError, ErrorKind

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

T = TypeVar("T")

Command = Sequence[bytes]

_BUFFER = 1 << 20
_EYEBALLS_S = 0.25
_IDLE_S, _PROBE_S, _PROBES = 30, 5, 3
_GOODBYE_S = 1.0  # of TLS; nothing waits for it


class Link:
    """A connection that is logged in. `resp` is the version of the protocol that it speaks.

    `on_end` is called when it ends by itself while nothing is asked on it. An interrupted `ask` ends it.
    """

    def __init__(self, address: Address) -> None:
        self.place = address.place
        self.resp = 3
        self.on_end: Callable[[], None] | None = None
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._wire: AbstractConnection | None = None
        self._asking = False

    @property
    def is_open(self) -> bool:
        return self._wire is not None

    async def open(self, deadline: float | None) -> None:
        """Connects and logs in, until `deadline` (the event loop's clock). Raises ConnectError, AuthenticationError."""
        if not await self._opened(deadline):
            self.resp = 2  # a server older than Redis 6, or one that has no HELLO
            await self._opened(deadline)

    async def _opened(self, deadline: float | None) -> bool:
        """Whether the server knows the version of the protocol."""
        from redis.exceptions import RedisError

        loop = asyncio.get_running_loop()
        limit = "in time" if deadline is None else f"within {format_duration(max(deadline - loop.time(), 0.001))}"
        try:
            kind = "connection" if self._address.tls is None else "TLS connection"
            self._wire = await _until(deadline, self._connected(), f"{self.place}: no {kind} {limit}")
            sentence = f"{self.place}: the server accepted the connection and did not answer {limit}"
            login: Awaitable[None] = self._wire.connect()  # type: ignore[no-untyped-call]
            await _until(deadline, login, sentence)
        except (RedisError, TypeError, ValueError) as error:
            self.abort()
            if not is_reply(error):
                raise self._failed(error) from error
            if self.resp == 3 and _is_about_hello(error):
                return False
            raise refused_connection(error, self.place) from error
        except OSError as error:
            self.abort()
            raise self._failed(error) from error
        except BaseException:
            self.abort()
            raise
        return True

    def _failed(self, error: Exception) -> ConnectError:
        return failed_connection(error, self.place, tls=self._address.tls is not None)

    async def _connected(self) -> "AbstractConnection":
        address, loop = self._address, asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_BUFFER, loop=loop)
        protocol = _Watched(reader, self._ended)
        if address.path is not None:
            self._transport, _ = await loop.create_unix_connection(lambda: protocol, address.path)
        else:
            tls = None if address.tls is None else address.tls.context()
            shutdown_s = None if tls is None else _GOODBYE_S
            self._transport, _ = await loop.create_connection(
                lambda: protocol, address.host, address.port,
                ssl=tls, ssl_shutdown_timeout=shutdown_s, happy_eyeballs_delay=_EYEBALLS_S,
            )  # fmt: skip
            _keep_alive(self._transport)
        writer = asyncio.StreamWriter(self._transport, protocol, reader, loop)
        return wire_over(address, reader, writer, self.resp)

    async def ask(self, *commands: Command) -> list[Any]:
        """The replies to the commands, sent together and once each; an error reply is an exception in their list.

        Strings are bytes. Raises ConnectionLostError when the connection breaks, DriverError for what is no reply.
        """
        return await self.exchange(packed(*commands), len(commands))

    async def exchange(self, commands: bytes, number: int) -> list[Any]:
        """The same for commands that are `packed` already, as every look's are."""
        wire, self._asking = self._wire, True
        if wire is None:
            raise broken(ConnectionResetError(), self.place)
        try:
            await wire.send_packed_command(commands, check_health=False)
            return [await _reply(wire) for _ in range(number)]
        except Exception as error:
            self.abort()
            raise broken(error, self.place) from error
        except BaseException:
            self.abort()
            raise
        finally:
            self._asking = False

    async def be_ready(self, deadline: float) -> None:
        """Makes sure that the server takes commands now. Raises ConnectError; nothing has reached it that matters."""
        sentence = f"{self.place}: the server accepted the login and takes no command"
        try:
            [pong] = await _until(deadline, self.ask((b"PING",)), sentence)
        except ConnectError:
            raise
        except DriverError as error:
            raise ConnectError(str(error), kind=error.kind, hint=error.hint) from error
        if isinstance(pong, Exception) and code_of(pong) in NOT_READY:
            self.abort()
            raise refused_connection(pong, self.place) from pong

    def abort(self) -> None:
        """Ends the connection at once, with nothing flushed and nothing awaited."""
        self.on_end = None
        if self._transport is not None:
            abort(self._transport)
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abandon()  # type: ignore[attr-defined]  # of our own class

    def _ended(self) -> None:
        if self._asking or self.on_end is None:
            return
        on_end = self.on_end
        self.abort()
        on_end()


class _Watched(asyncio.StreamReaderProtocol):
    """Says at once that the other side has ended the connection, or that it broke."""

    def __init__(self, reader: asyncio.StreamReader, on_end: Callable[[], None]) -> None:
        super().__init__(reader)
        self._on_end = on_end

    def eof_received(self) -> bool | None:
        stays_open = super().eof_received()
        self._on_end()
        return stays_open

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_end()


def packed(*commands: Command) -> bytes:
    """The commands as they go over the wire. (redis-py's own packing splits a name that has a space in it.)"""
    return b"".join(
        b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in command)
        for command in commands
    )


async def _reply(wire: "AbstractConnection") -> Any:
    try:
        return await wire.read_response(disable_decoding=True, disconnect_on_error=False)
    except Exception as error:
        if is_reply(error):
            return error
        raise


async def _until(deadline: float | None, work: Awaitable[T], sentence: str) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError as error:
        raise ConnectError(sentence, kind=ErrorKind.TIMEOUT) from error


def _is_about_hello(error: BaseException) -> bool:
    text = said(error).lower()
    return text.startswith("noproto") or ("unknown command" in text and "hello" in text)


def _keep_alive(transport: asyncio.Transport) -> None:
    """Has the kernel find out that the host of an idle connection is gone; where it cannot, a check does."""
    import socket

    sock = transport.get_extra_info("socket")
    options = (("TCP_KEEPIDLE", _IDLE_S), ("TCP_KEEPINTVL", _PROBE_S), ("TCP_KEEPCNT", _PROBES))
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options:
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
