"""The connection on which a server is checked again and again.

It is kept between checks, opened once more when it broke unnoticed, and never used again once it was interrupted.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from omnidb_cli.errors import ConnectError, ConnectionLostError, DriverError, ErrorKind


class Checkable(Protocol):
    """A connection that can be kept between checks."""

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked once more."""
        ...

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called, in the event loop, when it ends by itself."""
        ...

    async def aclose(self) -> None:
        """Ends it, in bounded time, whatever state it is in."""
        ...


class OutdatedError(Exception):
    """Raised by a check when what a kept connection says is true of the past: a new one is to be asked."""


C = TypeVar("C", bound=Checkable)
T = TypeVar("T")


class CheckConnection(Generic[C]):
    """Keeps one connection of `open_one`; `on_lost` is called when it ends by itself while nothing is asked on it."""

    def __init__(self, open_one: Callable[[float], Awaitable[C]], on_lost: Callable[[], None]) -> None:
        self._open_one = open_one
        self._on_lost = on_lost
        self._held: C | None = None
        self._is_closed = False

    @property
    def is_held(self) -> bool:
        """Whether the next check needs no new connection, as far as is known."""
        return self._held is not None and self._held.is_usable

    async def run(self, check: Callable[[C, bool], Awaitable[T]], deadline: float) -> T:
        """What `check` returns, which gets the connection and whether it was kept; a new one is open by `deadline`.

        Raises what opening and the check raise, but for the news that a kept connection had broken before.
        """
        held, self._held = self._held, None
        if held is not None and not held.is_usable:
            await held.aclose()
        elif held is not None:
            try:
                return await self._run_on(held, check, kept=True)
            except OutdatedError:
                pass
            except DriverError as error:
                if not _broke(error):
                    raise
        return await self._run_on(await self._open_one(deadline), check, kept=False)

    async def _run_on(self, connection: C, check: Callable[[C, bool], Awaitable[T]], *, kept: bool) -> T:
        try:
            answer = await check(connection, kept)
        except DriverError:  # the check itself ends what must not be used again
            await self._hold(connection)
            raise
        except BaseException:
            await connection.aclose()
            raise
        await self._hold(connection)
        return answer

    async def _hold(self, connection: C) -> None:
        if self._is_closed or self._held is not None or not connection.is_usable:
            await connection.aclose()
            return
        self._held = connection
        connection.watch(lambda: self._ended(connection))

    def _ended(self, connection: C) -> None:
        if connection is self._held:
            self._on_lost()

    async def aclose(self) -> None:
        """Ends the kept connection; one that is in use ends after its check."""
        self._is_closed = True
        held, self._held = self._held, None
        if held is not None:
            await held.aclose()


def _broke(error: DriverError) -> bool:
    return isinstance(error, ConnectError | ConnectionLostError) and error.kind is ErrorKind.RESET
