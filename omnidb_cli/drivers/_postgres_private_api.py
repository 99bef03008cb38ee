"""What asyncpg keeps to itself and has no public way to: how a server asks for the login, before it is answered.

asyncpg answers whatever it is asked, with the password in clear too, and makes its protocol where nobody can give
another. So its class of protocol is replaced by one that listens first. Tests notice when its inside has changed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asyncpg import protocol

from omnidb_cli.drivers._postgres_login_requests import LoginPolicy, LoginRequests
from omnidb_cli.drivers._postgres_measured import MeasuredProtocol
from omnidb_cli.drivers._transport import abort, is_on_this_host
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
        error = None if self._requests.is_over else self._refusal(data)
        if error is None:
            super().data_received(data)
            return
        if not self._connected.done():
            self._connected.set_exception(error)
        abort(self._transport)

    def _refusal(self, data: bytes) -> ConnectError | None:
        """Why this is not answered, if it is not."""
        for way in self._requests.feed(data):
            is_private = self.is_ssl or is_on_this_host(self._transport)
            error = self._policy and self._policy.refusal(way, is_private)
            if error is not None:
                return error
        return None
