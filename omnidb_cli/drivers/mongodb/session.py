"""One connection for one statement."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from omnidb_cli.drivers._too_much import MESSAGE_BYTES
from omnidb_cli.drivers.base import Reply, Target, unresponsive, write_refused
from omnidb_cli.drivers.batching import ENOUGH, MOST_ROWS, length_of
from omnidb_cli.drivers.mongodb.command import Command, only_reads, parse, with_limits
from omnidb_cli.drivers.mongodb.connection import GRACE_S, Document, Link, codec
from omnidb_cli.errors import ConnectError, DriverError, ErrorKind, StatementError
from omnidb_cli.log import Log

if TYPE_CHECKING:
    from pymongo.asynchronous.client_session import AsyncClientSession

T = TypeVar("T")

STOP_S = 0.3
"""How long an interrupted statement's end on the server is waited for, seconds."""

_log = Log("drivers.mongodb")

_AT_A_TIME = 25
_DEFAULT_DATABASE = "test"  # as MongoDB's shell has it


class MongodbSession:
    """Runs one statement, in a logical session of its own, by which it can be stopped."""

    def __init__(self, target: Target, link: Link, *, read_only: bool, deadline: float) -> None:
        self._target = target
        self._link = link
        self._read_only = read_only
        self._deadline = deadline
        self._session: AsyncClientSession | None = None
        self._cursor: Any = None
        self.on_closed: Callable[[MongodbSession], object] | None = None

    @classmethod
    async def open(cls, target: Target, *, read_only: bool, timeout_s: float) -> "MongodbSession":
        """A session that has connected and logged in. Raises ConnectError and AuthenticationError."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        link = Link(target, timeout_s, MESSAGE_BYTES)
        self = cls(target, link, read_only=read_only, deadline=deadline)
        try:
            async with asyncio.timeout_at(deadline):
                await link.ask({"ping": 1})
            _log.debug("logged in to %s", link.place)
        except Exception as error:
            made = _not_connected(error, link, min(timeout_s, target.configured_s))
            await link.aclose()
            raise made from error
        except BaseException:
            await link.aclose()
            raise
        self._session = _logical_session(link)
        return self

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Sends exactly one command.

        Documents are fetched as they are asked for. Raises StatementError, WriteRefusedError, StatementTimeout and
        ConnectionLostError; when cancelled it stops the statement on the server, and waits `STOP_S` at most for it.
        """
        command = parse(statement, parameters)
        if self._read_only and not only_reads(command):
            raise write_refused(self._target.name, f"{command.name} may change data")
        left_s = self._deadline - asyncio.get_running_loop().time()
        sending = send(self._link, command, self._target.database, limit_s=left_s, session=self._session)
        return await self._guarded(self._replied(command, sending))

    async def _replied(self, command: Command, sending: Awaitable[Any]) -> Reply:
        from omnidb_cli.drivers.mongodb.reply import change_reply, cursor_reply, document_reply, refuse_hidden_errors

        answer = await sending
        if command.gives_cursor:
            self._cursor = answer
            return cursor_reply(command, await self._documents(), self._more)
        refuse_hidden_errors(answer, self._link.place)
        return change_reply(command, answer) if command.changes else document_reply(command, answer)

    async def _more(self) -> Sequence[Document]:
        if not self._cursor.alive:
            return ()
        return await self._guarded(self._documents())

    async def _documents(self) -> list[Document]:
        """The next documents, none when there are no more: many where they are short, few where they are long."""
        documents: list[Document] = []
        length = 0
        while len(documents) < MOST_ROWS and length < ENOUGH:
            some: list[Document] = await self._cursor.to_list(_AT_A_TIME)
            if not some:
                break
            documents += some
            length += length_of(some[-1].values()) * len(some)
        return documents

    async def _guarded(self, work: Awaitable[T]) -> T:
        """What `work` returns. Its errors become ours; whatever interrupts it ends the statement on the server."""
        from omnidb_cli.drivers.mongodb.errors import running_error

        try:
            return await self._link.doing(work)
        except DriverError:
            raise
        except Exception as error:
            raise running_error(error, self._link.place) from error
        except BaseException:
            await self._stop()
            raise

    async def _stop(self) -> None:
        """Has the server end all that runs in this session, by another connection: this one is busy."""
        if self._session is None:
            return
        other = Link(self._target, STOP_S)
        try:
            with contextlib.suppress(Exception):  # the server does not answer: it has the time limit, too
                async with asyncio.timeout(STOP_S):
                    await other.ask({"killSessions": [self._session.session_id]})
        finally:
            await other.aclose()

    async def aclose(self) -> None:
        """Closes, in bounded time; a cursor that was not read to its end is given back first."""
        try:
            if self._cursor is not None and self._cursor.alive and not self._link.broken:
                with contextlib.suppress(Exception):  # the server forgets it with the session
                    async with asyncio.timeout(GRACE_S):
                        await self._cursor.close()
            if self._session is not None:
                await self._session.end_session()  # asks nobody: the link tells the server when it closes
        finally:
            await self._link.aclose()
            if self.on_closed is not None:
                self.on_closed(self)


async def send(
    link: Link,
    command: Command,
    database: str | None,
    *,
    limit_s: float,
    session: "AsyncClientSession | None" = None,
) -> Any:
    """Sends the command once: a cursor whose first documents have arrived, or the reply itself."""
    from pymongo import ReadPreference

    place = link.database(command.database or database or _DEFAULT_DATABASE)
    document = _as_the_url_wants(link, command, with_limits(command, limit_s))
    preference = link.client.read_preference if only_reads(command) else ReadPreference.PRIMARY
    carry_out = place.cursor_command if command.gives_cursor else place.command
    return await carry_out(document, read_preference=preference, codec_options=codec(), session=session)


def _as_the_url_wants(link: Link, command: Command, document: Document) -> Document:
    """With the URL's `w` and `readConcernLevel`, which the library does not apply to commands."""
    write, read = link.client.write_concern, link.client.read_concern
    if command.changes and write.document and write.acknowledged:
        document.setdefault("writeConcern", write.document)
    if command.name in {"find", "aggregate", "count", "distinct"} and read.document:
        document.setdefault("readConcern", read.document)
    return document


async def first_reply(link: Link, statement: str, database: str | None, *, limit_s: float) -> None:
    """Runs a check statement, which may only read, and reads its first documents."""
    command = parse(statement, ())
    if not only_reads(command):
        raise StatementError(f"it may only read, and {command.name} may change data")

    async def ask() -> None:
        answer = await send(link, command, database, limit_s=limit_s)
        if command.gives_cursor:
            await answer.to_list(1)
            await answer.close()

    await link.doing(ask())


def _logical_session(link: Link) -> "AsyncClientSession | None":
    from pymongo.errors import PyMongoError

    try:
        return link.client.start_session(causal_consistency=False)
    except PyMongoError:  # a server without sessions
        return None


def _not_connected(error: Exception, link: Link, limit_s: float) -> ConnectError:
    from omnidb_cli.drivers.mongodb.errors import connect_error, nobody_suits

    made = connect_error(error, link.place)
    if made.kind is not ErrorKind.TIMEOUT:
        return made
    return nobody_suits(link.place) if link.nobody_suits() else unresponsive(link.place, limit_s, link.hosts)
