"""MongoDB, by the official client library. One check tells the role, the version, and how far a secondary is behind."""

import asyncio
from collections.abc import Callable
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers._url_options import refuse_faulty_options
from omnidb_cli.drivers.base import Session, Target, unresponsive
from omnidb_cli.drivers.check_connection import CheckConnection, OutdatedError
from omnidb_cli.drivers.mongodb.options import is_direct
from omnidb_cli.drivers.mongodb.parameters import PARAMETERS
from omnidb_cli.errors import ConnectError, DriverError, ErrorKind, StatementError
from omnidb_cli.log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from omnidb_cli.drivers.mongodb.check import Behind, ServerState
    from omnidb_cli.drivers.mongodb.connection import Link
    from omnidb_cli.drivers.mongodb.session import MongodbSession

_log = Log("drivers.mongodb")

_NOT_ALLOWED = 13
_NO_SUCH_COMMAND = 59
_NO_SET = (76, 94)  # NoReplicationEnabled, NotYetInitialized


def open_driver(target: Target) -> "MongodbDriver":
    """The driver for the server, or the replica set, of `target`. Raises TopologyError for faulty options."""
    refuse_faulty_options(target, PARAMETERS)
    return MongodbDriver(target)


class _Checker:
    """The link for checks, and what is known of the server as long as it holds."""

    def __init__(self, link: "Link") -> None:
        self.link = link
        self.version: str | None = None
        self.status_allowed = True
        self.behind: Behind | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked once more."""
        return not self.link.broken

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called when the link ends by itself."""

        def ended() -> None:
            self.link.broken = True
            on_end()

        self.link.watch(ended)

    async def aclose(self) -> None:
        """Closes the link, in bounded time."""
        await self.link.aclose()


class MongodbDriver:
    """One endpoint. The connection for checks is kept; each session has one of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._limit_s = target.limit_s
        self._checks: CheckConnection[_Checker] = CheckConnection(self._opened, self._lost)
        self._sessions: set[MongodbSession] = set()
        self.on_lost: Callable[[], None] | None = None

    def load(self) -> None:
        """Imports what a check needs, the client library above all: that is no latency of the server."""
        from omnidb_cli.drivers.mongodb import (
            check,  # noqa: F401
            listener,  # noqa: F401
            measured,  # noqa: F401
        )

        if self._target.statement is not None:
            from omnidb_cli.drivers.mongodb import session  # noqa: F401

    async def check(self) -> Observation:
        """Asks for role, lag and version; runs the topology's own check statement, which may only read.

        Raises ConnectError, AuthenticationError, and DriverError of another kind for what went wrong after.
        """
        if not self._checks.is_held:
            self.load()
        deadline = asyncio.get_running_loop().time() + self._limit_s
        return await self._checks.run(lambda checker, kept: self._check(checker, deadline, kept=kept), deadline)

    async def _opened(self, deadline: float) -> _Checker:
        from omnidb_cli.drivers.mongodb.connection import Link

        return _Checker(Link(self._target, max(deadline - asyncio.get_running_loop().time(), 0.001)))

    async def _check(self, checker: _Checker, deadline: float, *, kept: bool) -> Observation:
        """What the server answers; a link that was kept is outdated when another member may be the primary by now."""
        link = checker.link
        may_move = kept and not is_direct(self._target)
        try:
            async with asyncio.timeout_at(deadline):
                answer = await self._answer(checker)
        except Exception as error:
            link.broken = True
            made = self._why(error, link)
            if made.kind is ErrorKind.ROLE and may_move:
                raise OutdatedError from error
            raise made from error
        if answer.role == "replica" and link.wants_primary and may_move:
            raise OutdatedError
        return answer

    async def _answer(self, checker: _Checker) -> Observation:
        from omnidb_cli.drivers.mongodb.check import answer_of

        link = checker.link
        if checker.version is None:
            checker.version = str((await link.ask({"buildInfo": 1})).get("version"))
            _log.debug("logged in to %s: MongoDB %s", link.place, checker.version)
        started = perf_counter()
        hello = await link.ask({"hello": 1})
        latency_s = perf_counter() - started
        seen = await self._with_status(checker, hello)
        if self._target.statement is not None:
            started = perf_counter()
            await self._ask_statement(link, self._target.statement)
            latency_s += perf_counter() - started
        try:
            return answer_of(seen, latency_s, checker.version, behind=checker.behind, now_s=monotonic())
        except DriverError as error:
            error.args = (f"{link.place}: {error}",)
            raise

    async def _with_status(self, checker: _Checker, hello: "Mapping[str, Any]") -> "ServerState":
        """Asks a secondary for the state of its set, once more only where the login was allowed to read it."""
        from pymongo.errors import OperationFailure

        from omnidb_cli.drivers.mongodb.check import Behind, ServerState, applied_while_behind, wants_status

        if not checker.status_allowed or not wants_status(hello):
            return ServerState(hello)
        try:
            status = await checker.link.ask({"replSetGetStatus": 1})
        except OperationFailure as error:
            if error.code not in {_NOT_ALLOWED, _NO_SUCH_COMMAND, *_NO_SET}:
                raise
            checker.link.broken = False
            checker.status_allowed = error.code in _NO_SET
            return ServerState(hello)
        applied = applied_while_behind(status)
        if applied is None:
            checker.behind = None
        elif checker.behind is None or checker.behind.applied != applied:
            checker.behind = Behind(applied, monotonic())
        return ServerState(hello, status)

    async def _ask_statement(self, link: "Link", statement: str) -> None:
        """Reads the first batch: it proves that the server reads its data."""
        from omnidb_cli.drivers.mongodb.session import first_reply

        try:
            await first_reply(link, statement, self._target.database, limit_s=self._limit_s)
        except Exception as error:
            made = self._why(error, link)
            if isinstance(made, StatementError):
                made.args = (f"the check statement fails: {made}",)
            raise made from error

    def _why(self, error: Exception, link: "Link") -> DriverError:
        from omnidb_cli.drivers.mongodb.errors import checking_error, nobody_suits

        place = link.place
        made = error if isinstance(error, DriverError) else checking_error(error, place)
        if made.kind is not ErrorKind.TIMEOUT or not isinstance(made, ConnectError):
            return made
        if link.nobody_suits():
            return nobody_suits(place)
        return unresponsive(place, self._target.configured_s, link.hosts)

    def _lost(self) -> None:
        if self.on_lost is not None:
            self.on_lost()

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement, on a connection that has logged in.

        `timeout_s` bounds connecting, and is the time limit that the server gets for the statement. Raises
        ConnectError and AuthenticationError.
        """
        from omnidb_cli.drivers.mongodb.session import MongodbSession

        session = await MongodbSession.open(self._target, read_only=read_only, timeout_s=timeout_s)
        self._sessions.add(session)
        session.on_closed = self._sessions.discard
        return session

    async def aclose(self) -> None:
        """Ends every connection, in bounded time."""
        await asyncio.gather(self._checks.aclose(), *[session.aclose() for session in self._sessions])
