"""What asyncpg keeps to itself and has no public way to; docs/extending.md has each use with its reason.

asyncpg answers whatever it is asked, with the password in clear too, and makes its protocol where nobody can give
another. So its class of protocol is replaced by one that listens first. It also waits for ever for the rest of a
message that it cannot read, or runs in circles: until the login is done it gets whole messages alone, and texts that
it can read. Tests notice when its inside has changed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asyncpg import Connection, protocol

from omnidb_cli.drivers._too_much import TooMuchError
from omnidb_cli.drivers._transport import abort, is_on_this_host
from omnidb_cli.drivers.postgres.login_requests import NOT_POSTGRES, LoginPolicy, LoginRequests
from omnidb_cli.drivers.postgres.meter import Meter
from omnidb_cli.errors import ConnectError

_policy: ContextVar[LoginPolicy] = ContextVar("_policy")


@contextmanager
def logging_in_by(policy: LoginPolicy) -> Iterator[None]:
    """Connections made within answer a server only as `policy` lets them; else they end with its error."""
    protocol.Protocol = ListeningProtocol
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


class QuietConnection(Connection):  # type: ignore[misc]  # asyncpg has types for its public part alone
    """asyncpg's, which says nothing at its end where it was never made whole: what the server said was nonsense.

    `meter` decides how much may come on it.
    """

    _is_whole = False

    def __init__(self, protocol: "MeasuredProtocol", *rest: Any) -> None:
        super().__init__(protocol, *rest)
        self.meter = protocol.meter
        self._is_whole = True

    def __del__(self) -> None:
        if self._is_whole:
            super().__del__()

    async def _introspect_types(self, *asked: Any) -> Any:
        """Called by asyncpg where a statement has types that it does not know."""
        self.meter.introspects = True
        try:
            return await super()._introspect_types(*asked)
        finally:
            self.meter.introspects = False


def meter_of(connection: Connection) -> Meter:
    """What decides how much may come on this connection."""
    meter: Meter = connection.meter
    return meter


class MeasuredProtocol(protocol.Protocol):  # type: ignore[misc]  # likewise
    """asyncpg's, which hears of nothing that is too much: the connection ends then.

    What is under way fails with an error whose cause is the TooMuchError, and a login with that one itself.
    """

    _connected: "asyncio.Future[object]"
    _transport: asyncio.Transport

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._too_much: TooMuchError | None = None
        self.meter = Meter()

    def data_received(self, data: bytes) -> None:
        """Called with what the server sends."""
        if self._too_much is not None:
            return
        try:
            self.meter.refuse(data)
            super().data_received(data)
        except TooMuchError as error:
            self._give_up(error)
        except Exception:  # noqa: BLE001 - asyncpg met an answer to nothing; asyncio would write a traceback
            self._give_up(TooMuchError(NOT_POSTGRES))

    def _give_up(self, error: TooMuchError) -> None:
        self._too_much = error
        if not self._connected.done():
            self._connected.set_exception(error)
        abort(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Called when the connection is over."""
        super().connection_lost(self._too_much or error)


class ListeningProtocol(MeasuredProtocol):
    """asyncpg's, which hears of a request for the login only if the policy has nothing against it."""

    def __init__(self, address: object, connected: "asyncio.Future[object]", *rest: Any) -> None:
        super().__init__(address, connected, *rest)
        self._connected = connected
        self._policy = _policy.get(None)
        self._requests = LoginRequests()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Called when the connection is there."""
        self._transport = transport
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Called with what the server sends."""
        try:
            if self._requests.is_over:
                super().data_received(data)
            else:
                self._log_in(data)
        except ConnectError as error:
            self._end(error)

    def _log_in(self, data: bytes) -> None:
        for message, way in self._requests.feed(data):
            error = self._refusal(way) if way else None
            if error is not None:
                raise error
            super().data_received(message)

    def _refusal(self, way: str) -> ConnectError | None:
        """Why this request is not answered, if it is not."""
        is_private = self.is_ssl or is_on_this_host(self._transport)
        return None if self._policy is None else self._policy.refusal(way, is_private)

    def _end(self, error: ConnectError) -> None:
        if not self._connected.done():
            self._connected.set_exception(error)
        abort(self._transport)
