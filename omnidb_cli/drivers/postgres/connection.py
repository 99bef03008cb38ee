"""The connection on which a server is checked, and one check on it."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from omnidb_cli.drivers._too_much import CHECK_BYTES
from omnidb_cli.drivers.postgres.check import (
    CHECK,
    CHECK_WITHOUT_POSITION,
    ServerState,
    is_doubtful,
    is_level,
    settled,
    since_level,
)
from omnidb_cli.drivers.postgres.private_api import meter_of

if TYPE_CHECKING:
    from asyncpg import Connection

_SECOND_CHECK_S = 0.05
_SUPERUSER = "it is a superuser's login: functions may write files and start programs"
_KEPT_TO_ITSELF = ("0A000", "42501")  # some cloud services have no position to tell, others allow nobody to ask


async def open_checker(connection: "Connection", left_s: float) -> "Checker":
    """A checker on a new connection. Raises what asyncpg does; the connection is ended then."""
    try:
        meter_of(connection).expect(CHECK_BYTES)
        return Checker(connection, await connection.prepare(CHECK, timeout=left_s))
    except BaseException:
        connection.terminate()
        raise


class Checker:
    """A connection with the query of a check prepared on it. Whatever interrupts a check ends the connection."""

    def __init__(self, connection: "Connection", statement: Any) -> None:
        self.connection = connection
        self.version = str(connection.get_settings().server_version).partition(" ")[0]
        """As the server writes it, without what its distribution adds."""
        self.powers = _SUPERUSER if getattr(connection.get_settings(), "is_superuser", "off") == "on" else None
        self._expect = meter_of(connection).expect
        self._tells_position = True
        self._level_at: float | None = None
        self._timed_out = False
        self._statement = statement
        self._on_end: Callable[[], None] | None = None
        connection.add_termination_listener(self._ended)

    @property
    def is_usable(self) -> bool:
        """Whether its connection can be asked once more."""
        return not self.connection.is_closed()

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called when the connection ends by itself."""
        self._on_end = on_end

    def _ended(self, _connection: "Connection") -> None:
        if self._on_end is not None:
            self._on_end()

    async def aclose(self) -> None:
        """Ends the connection at once."""
        self._on_end = None
        self.connection.terminate()

    async def check(self, left_s: float) -> ServerState:
        """What the server says. Raises TimeoutError after `left_s` seconds, and what asyncpg does."""
        self._expect(CHECK_BYTES)
        over = asyncio.get_running_loop().call_later(left_s, self._end)
        try:
            seen = await self._seen()
            if not seen.recovering:
                return seen
            seen = self._compared(seen)
            return await self._settled(seen) if is_doubtful(seen) else seen
        except BaseException as error:
            self.connection.terminate()
            if self._timed_out and isinstance(error, Exception):
                raise TimeoutError from error
            raise
        finally:
            over.cancel()

    def _end(self) -> None:
        """Ends what the check waits for: a cancellation would have asyncpg ask a hung server by one more connection."""
        self._timed_out = True
        self.connection.terminate()

    async def _seen(self) -> ServerState:
        try:
            row = await self._statement.fetchrow()
        except Exception as error:
            if not self._tells_position or getattr(error, "sqlstate", None) not in _KEPT_TO_ITSELF:
                raise
            self._tells_position = False
            self._statement = await self.connection.prepare(CHECK_WITHOUT_POSITION)
            return await self._seen()
        return ServerState(*row)

    def _compared(self, seen: ServerState) -> ServerState:
        """What the checks before make of it."""
        now = perf_counter()
        if is_level(seen):
            self._level_at = now
        elif self._level_at is not None:
            return since_level(seen, now - self._level_at)
        return seen

    async def _settled(self, first: ServerState) -> ServerState:
        first_at = perf_counter()
        await asyncio.sleep(_SECOND_CHECK_S)
        second = await self._seen()
        return settled(first, self._compared(second), perf_counter() - first_at)
