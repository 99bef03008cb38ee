"""asyncpg's protocol with a measure before it. Imported with the library only."""

import asyncio
from typing import TYPE_CHECKING, Any

from asyncpg import protocol

from omnidb_cli.drivers._too_much import TooMuchError
from omnidb_cli.drivers._transport import abort
from omnidb_cli.drivers.postgres.login_requests import NOT_POSTGRES
from omnidb_cli.drivers.postgres.meter import Meter

if TYPE_CHECKING:
    from asyncpg import Connection


class MeasuredProtocol(protocol.Protocol):  # type: ignore[misc]  # asyncpg has types for its public part alone
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


def meter_of(connection: "Connection") -> Meter:
    """What decides how much may come on this connection."""
    meter: Meter = connection._protocol.meter  # noqa: SLF001 - the class above
    return meter
