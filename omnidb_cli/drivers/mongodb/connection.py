"""One connection to MongoDB through the client library, whose every wait has an end."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from omnidb_cli.drivers._too_much import CHECK_BYTES
from omnidb_cli.drivers.mongodb.monitoring import Watch
from omnidb_cli.drivers.mongodb.options import make_client, place_of
from omnidb_cli.drivers.mongodb.private_api import (
    forget_sessions,
    idle_socket_of,
    keep_log_from_stderr,
    limit_scram_rounds,
)
from omnidb_cli.log import Log

if TYPE_CHECKING:
    from bson.codec_options import CodecOptions
    from pymongo import AsyncMongoClient
    from pymongo.asynchronous.database import AsyncDatabase

    from omnidb_cli.drivers.base import Target

T = TypeVar("T")

_log = Log("drivers.mongodb")
Document = dict[str, Any]

GRACE_S = 0.1
"""How long each step of letting go may take, seconds."""


class Link:
    """A client of the library that keeps one connection, and one more to see whether a server is there at all.

    Made where it is used, in a running event loop; whoever makes it closes it. A message of more than `most_bytes`
    ends its connection. `broken` is true after anything went
    wrong on it: it is not used again then.
    """

    def __init__(self, target: "Target", limit_s: float, most_bytes: int = CHECK_BYTES) -> None:
        from omnidb_cli.drivers.mongodb.listener import FirstFailures

        _log.debug("connecting to %s, logging in as %s", place_of(target), target.username or "nobody")
        limit_scram_rounds()
        keep_log_from_stderr()
        self.place = place_of(target)
        self.hosts = [host for host, _ in target.hosts]
        self.broken = False
        self._most_bytes = most_bytes
        self._listener = FirstFailures()
        self.client: AsyncMongoClient[Document] = make_client(target, limit_s, [self._listener])
        self._watch: Watch | None = None

    def database(self, name: str) -> "AsyncDatabase[Document]":
        """The database `name`, its values read as exec shows them."""
        return self.client.get_database(name, codec_options=codec())

    async def ask(self, command: Mapping[str, Any], *, database: str = "admin") -> Document:
        """The reply to one command. Raises what the library raises."""
        client = self.client
        asking = client[database].command(dict(command), read_preference=client.read_preference, codec_options=codec())
        return await self.doing(asking)

    async def doing(self, work: Awaitable[T]) -> T:
        """What `work` on this client returns.

        The library tries again and again to reach a server until its time is over; here the first refusal of the one
        server, or of all of them, is the answer. When cancelled it returns at once.
        """
        from omnidb_cli.drivers.mongodb.measured import messages_of

        self.unwatch()
        with messages_of(self._most_bytes):
            task = asyncio.ensure_future(work)
        unreachable = self._listener.unreachable(self._servers)
        try:
            waiting: list[asyncio.Future[Any]] = [task, unreachable]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise unreachable.result()
            return task.result()
        except BaseException as error:
            if not _is_the_server_s_word(error):
                self.broken = True
            raise
        finally:
            unreachable.cancel()
            await _ended(task)

    def _servers(self) -> Collection[object]:
        """The addresses of all that the library knows by now."""
        return self.client.topology_description.server_descriptions()

    @property
    def wants_primary(self) -> bool:
        """Whether the URL asks for the primary of a set, as it does when it says nothing."""
        return self.client.read_preference.name == "Primary"

    def nobody_suits(self) -> bool:
        """Whether members of the set answer, and none is what the URL asks for: mostly, the set has no primary."""
        from pymongo.server_type import SERVER_TYPE

        seen = self.client.topology_description
        known = [one for one in seen.server_descriptions().values() if one.server_type != SERVER_TYPE.Unknown]
        return bool(known) and not seen.has_readable_server(self.client.read_preference)

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called when the connection, now idle, is ended by the other side."""
        self.unwatch()
        number = idle_socket_of(self.client)
        if number is not None:
            self._watch = Watch(number, on_end)

    def unwatch(self) -> None:
        """Stops telling of a loss."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    async def aclose(self) -> None:
        """Closes, in bounded time; a server that does not answer is not told."""
        self.unwatch()
        if self.broken or not await self._closed():
            self.broken = True
            forget_sessions(self.client)
            await self._closed()

    async def _closed(self) -> bool:
        """Whether the library's own closing comes to its end in time."""
        try:
            async with asyncio.timeout(GRACE_S):
                await self.client.close()
        except TimeoutError:
            return False
        return True


def codec() -> "CodecOptions[Document]":
    """How values become Python's: moments with their zone, and whatever Python cannot hold as it is."""
    from bson.binary import UuidRepresentation
    from bson.codec_options import CodecOptions, DatetimeConversion

    return CodecOptions(
        tz_aware=True,
        uuid_representation=UuidRepresentation.STANDARD,
        unicode_decode_error_handler="backslashreplace",
        datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    )


def _is_the_server_s_word(error: BaseException) -> bool:
    """Whether the connection is as good as before: the server answered, if with an error of the statement."""
    from omnidb_cli.drivers.mongodb.errors import CODES, code_of

    return isinstance(error, Exception) and code_of(error) not in {0, *CODES}


async def _ended(task: "asyncio.Future[Any]") -> None:
    """Returns when the task has ended, `GRACE_S` after its cancellation at the latest."""
    task.add_done_callback(_forgotten)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=GRACE_S)


def _forgotten(task: "asyncio.Future[Any]") -> None:
    """Its error has been raised, or nobody wants to know any more: asyncio would tell of it on stderr."""
    if not task.cancelled():
        task.exception()
