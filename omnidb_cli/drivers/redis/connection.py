"""One connection to a server: logged in, asked, and ended at once whatever state its socket is in."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from omnidb_cli.drivers.base import HANGS, unresponsive
from omnidb_cli.drivers.redis.errors import (
    NOT_READY,
    ReplyError,
    UnreadableError,
    broken,
    code_of,
    failed_connection,
    refused_connection,
)
from omnidb_cli.drivers.redis.meter import CHECK_BYTES
from omnidb_cli.drivers.redis.options import Address
from omnidb_cli.drivers.redis.protocol import Command, Wire, packed
from omnidb_cli.errors import ConnectError, DriverError
from omnidb_cli.log import Log

T = TypeVar("T")

_log = Log("drivers.redis")

_NO_TLS = "the server may speak no TLS there: it waits for another greeting (redis://)"
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
        self._wire: Wire | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is connected."""
        return self._wire is not None and self._wire.is_open

    async def open(self, deadline: float, limit_s: float) -> None:
        """Connects and logs in, until `deadline` (the event loop's clock); messages name `limit_s`.

        Raises ConnectError and AuthenticationError.
        """
        tls = self._address.tls is not None
        hosts = [] if self._address.path is not None else [self._address.host]
        _log.debug("connecting to %s", self.place)
        try:
            wire = await _until(
                deadline,
                self._connected(),
                lambda: unresponsive(self.place, limit_s, hosts, hint=_NO_TLS if tls else None),
            )
            _log.debug("connected to %s, logging in as %s", self.place, self._address.username or "the default user")
            await _until(deadline, self._log_in(wire), lambda: unresponsive(self.place, limit_s, hint=HANGS))
        except (OSError, UnicodeError, MemoryError, RuntimeError, UnreadableError) as error:
            self.abort()
            raise failed_connection(error, self.place, tls=tls) from error
        except BaseException:
            self.abort()
            raise

    async def _connected(self) -> Wire:
        address, loop = self._address, asyncio.get_running_loop()
        wire = self._wire = Wire(packed(_hello(address)), self._ended)
        if address.path is not None:
            await loop.create_unix_connection(lambda: wire, address.path)
            return wire
        tls = None if address.tls is None else address.tls.context()
        shutdown_s = None if tls is None else _GOODBYE_S
        delay_s = None if _is_number(address.host) else _EYEBALLS_S
        transport, _ = await loop.create_connection(
            lambda: wire, address.host, address.port,
            ssl=tls, ssl_shutdown_timeout=shutdown_s, happy_eyeballs_delay=delay_s,
        )  # fmt: skip
        _keep_alive(transport)
        return wire

    async def _log_in(self, wire: Wire) -> None:
        [reply] = await wire.answer
        if isinstance(reply, ReplyError) and _is_about_hello(reply):
            self.resp = 2  # a server older than Redis 6, or one that has no HELLO
            reply = await self._authenticated(wire)
        elif not isinstance(reply, dict | ReplyError):
            raise UnreadableError("no answer to HELLO")
        if self._address.database and not isinstance(reply, ReplyError):
            [reply] = await wire.ask(packed((b"SELECT", b"%d" % self._address.database)), 1)
        if isinstance(reply, ReplyError):
            raise refused_connection(reply, self.place)
        _log.debug("logged in to %s: RESP%d", self.place, self.resp)

    async def _authenticated(self, wire: Wire) -> Any:
        """The reply to the login without HELLO. Redis before 6 has no users: there the password alone is the login."""
        user, password = _bytes(self._address.username), _bytes(self._address.password)
        reply = None
        if user:
            [reply] = await wire.ask(packed((b"AUTH", user, password)), 1)
        if password and (not user or (isinstance(reply, ReplyError) and "number of arguments" in str(reply))):
            [reply] = await wire.ask(packed((b"AUTH", password)), 1)
        return reply

    async def ask(self, *commands: Command, most_bytes: int = CHECK_BYTES) -> list[Any]:
        """The replies to the commands, sent together and once each; an error reply is a ReplyError in their list.

        Strings are bytes. Replies of more than `most_bytes` are not read. Raises ConnectionLostError when the
        connection breaks, DriverError for what is no reply.
        """
        return await self.exchange(packed(*commands), len(commands), most_bytes)

    async def exchange(self, commands: bytes, number: int, most_bytes: int = CHECK_BYTES) -> list[Any]:
        """The same for commands that are `packed` already, as every check's are."""
        try:
            if self._wire is None:
                raise ConnectionResetError
            return await self._wire.ask(commands, number, most_bytes=most_bytes)
        except (OSError, MemoryError, UnreadableError) as error:
            self.abort()
            raise broken(error, self.place) from error
        except BaseException:
            self.abort()
            raise

    async def at_once(self, command: Command) -> Any:
        """The reply to a command that is sent on a new connection right behind the login, whose answer it awaits not.

        Raises OSError and UnreadableError.
        """
        wire = await self._connected()
        replies = await wire.ask(packed(command), 1 if wire.answer.done() else 2)
        return replies[-1]

    async def be_ready(self, deadline: float, limit_s: float) -> None:
        """Makes sure that the server takes commands now. Raises ConnectError; nothing has reached it that matters."""
        try:
            [pong] = await _until(deadline, self.ask((b"PING",)), lambda: unresponsive(self.place, limit_s, hint=HANGS))
        except ConnectError:
            raise
        except DriverError as error:
            raise ConnectError(str(error), kind=error.kind, hint=error.hint) from error
        if isinstance(pong, ReplyError) and code_of(pong) in NOT_READY:
            self.abort()
            raise refused_connection(pong, self.place) from pong

    def abort(self) -> None:
        """Ends the connection at once, with nothing flushed and nothing awaited."""
        self.on_end = None
        if self._wire is not None:
            self._wire.abort()

    def _ended(self) -> None:
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()


async def _until(deadline: float, work: Awaitable[T], late: Callable[[], ConnectError]) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError as error:
        raise late() from error


def _hello(address: Address) -> Command:
    user, password = _bytes(address.username), _bytes(address.password)
    login = (b"AUTH", user or b"default", password) if user or password else ()
    return (b"HELLO", b"3", *login)


def _bytes(text: str | None) -> bytes:
    return (text or "").encode(errors="surrogateescape")


def _is_about_hello(error: ReplyError) -> bool:
    text = str(error).lower()
    return text.startswith("noproto") or ("unknown command" in text and "hello" in text)


def _is_number(host: str) -> bool:
    """Whether the host is an address itself: there is nothing to race for then."""
    return ":" in host or host.replace(".", "").isdigit()


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
