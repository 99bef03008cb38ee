"""The connection on which a server is checked, and one check on it."""

import asyncio
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from omnidb_cli.drivers._limits import limits
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
from omnidb_cli.drivers.postgres.measured import meter_of

if TYPE_CHECKING:
    from asyncpg import Connection

_SECOND_CHECK_S = 0.05
_SUPERUSER = "it is a superuser's login: functions may write files and start programs"
_KEPT_TO_ITSELF = ("0A000", "42501")  # some cloud services have no position to tell, others allow nobody to ask


async def open_checker(connection: "Connection", left_s: float) -> "Checker":
    """A looker on a new connection. Raises what asyncpg does; the connection is ended then."""
    try:
        meter_of(connection).expect(CHECK_BYTES)
        return Checker(connection, await connection.prepare(CHECK, timeout=left_s))
    except BaseException:
        connection.terminate()
        raise


class Checker:
    """A connection with the query of a check prepared on it. Whatever interrupts a check ends the connection.

    The query is sent to asyncpg's protocol itself: what `fetchrow` does around it is a tenth of a check.
    """

    def __init__(self, connection: "Connection", statement: Any) -> None:
        self.connection = connection
        self.version = str(connection.get_settings().server_version).partition(" ")[0]
        """As the server writes it, without what its distribution adds."""
        self.powers = _SUPERUSER if getattr(connection.get_settings(), "is_superuser", "off") == "on" else None
        self._expect = meter_of(connection).expect
        self._tells_position = True
        self._limits = limits()
        self._level_at: float | None = None
        self._use(statement)

    def _use(self, statement: Any) -> None:
        self._statement = statement  # asyncpg gives it up on the server when nobody has it any more
        protocol, state = self.connection._protocol, statement._state  # noqa: SLF001
        self._ask = partial(protocol.bind_execute, state, (), "", 1, True, None)

    async def check(self, left_s: float) -> ServerState:
        """What the server says. Raises TimeoutError after `left_s` seconds, and what asyncpg does."""
        limit = self._limits.begin(left_s, self.connection.terminate)
        self._expect(CHECK_BYTES)
        try:
            seen = await self._seen()
            if not seen.recovering:
                return seen
            seen = self._compared(seen)
            return await self._settled(seen) if is_doubtful(seen) else seen
        except BaseException as error:
            self.connection.terminate()
            if limit.is_over and isinstance(error, Exception):
                raise TimeoutError from error
            raise
        finally:
            self._limits.lift(limit)

    async def _seen(self) -> ServerState:
        try:
            rows, *_ = await self._ask()
        except Exception as error:
            if not self._tells_position or getattr(error, "sqlstate", None) not in _KEPT_TO_ITSELF:
                raise
            self._tells_position = False
            self._use(await self.connection.prepare(CHECK_WITHOUT_POSITION))
            return await self._seen()
        return ServerState(*rows[0])

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
