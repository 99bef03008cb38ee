"""What every engine offers, in one small protocol.

A driver holds at most two connections, made when first needed: one for checks, which stays, and one for a statement.
Whatever was interrupted on a connection, that connection is never used again.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from omnidb_cli.core.health.model import Observation
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ConnectError, ErrorKind, StatementError, WriteRefusedError


def _nobody(_secret: str) -> None:
    """Where nobody keeps secrets from being shown."""


_PART = 0.9
"""Of a check's time limit."""

_LONGEST_S = 60.0
"""Of a check whose time limit is not known."""

_LONGEST_POSITION = 120


class Target(Struct, frozen=True):
    """Where a connection goes. `hosts` are (host, port) pairs, `database` the URL's path without its first slash.

    `path` is the file of an engine that lives in one (absolute), else None. `statement` is the topology's own
    check statement, or None for the engine's default; `timeout_s` bounds a check from outside (None: not known here),
    for a driver to give up shortly before it with a better reason. The password is only ever here, never in a message;
    `learn` is told each one that the driver reads elsewhere, before it is used.
    """

    name: str
    engine: str
    scheme: str
    hosts: tuple[tuple[str, int | None], ...] = ()
    username: str | None = None
    password: str | None = None
    database: str | None = None
    params: Mapping[str, str] = {}
    path: str | None = None
    statement: str | None = None
    timeout_s: float | None = None
    learn: Callable[[str], None] = _nobody

    @property
    def limit_s(self) -> float:
        """How long a driver itself gives a check: less than its time limit, so that it can say what it waited for."""
        return _PART * self.configured_s

    @property
    def configured_s(self) -> float:
        """The time limit of a check as people know it: what messages name."""
        return _LONGEST_S if self.timeout_s is None else self.timeout_s


class Reply(Struct, frozen=True):
    """The answer to one statement, its rows still to be read.

    `columns` is empty for a statement that returns no rows. `batches` yields lists of row tuples and is
    read once. `row_count`, `command` and `notices` are asked after the last batch: rows returned, or changed; what
    was carried out, in the engine's words; and what the server said beside it, each ready to be shown. `status` is
    asked of a statement that returns no rows, where the engine has a status message of its own (`INSERT 0 1`).
    """

    columns: tuple[str, ...]
    batches: AsyncIterator[Sequence[tuple[object, ...]]]
    row_count: Callable[[], int | None]
    command: Callable[[], str]
    notices: Callable[[], Sequence[str]] = tuple
    status: Callable[[], str] | None = None


class Session(Protocol):
    """One connection that was made for one statement. Close it in every case; closing is bounded."""

    async def run(self, statement: str, parameters: Sequence[str]) -> Reply:
        """Sends the statement once.

        Raises StatementError, StatementTimeout, WriteRefusedError, ConnectionLostError. When cancelled it stops
        the statement where the engine can.
        """
        ...

    async def aclose(self) -> None: ...


class Driver(Protocol):
    """One endpoint.

    `on_lost` is set by whoever wants to check at once: it is called, in the event loop, when the connection held for
    checks breaks on its own. Drivers that hold none never call it.
    """

    on_lost: Callable[[], None] | None

    def load(self) -> None:
        """Imports what a check needs, the client library above all, which takes longer than a check.

        Whoever checks several calls it for all of them before: what one imports is no latency of another's server.
        """
        ...

    async def check(self) -> Observation:
        """Checks the server once; changes nothing on it. Raises DriverError with its kind.

        Cancelling it really stops it, and its connection is discarded.
        """
        ...

    async def connect(self, *, read_only: bool, timeout_s: float) -> Session:
        """A session for one statement; read-only by the engine's own switch when asked.

        `timeout_s` bounds what the session may wait for locks. Raises ConnectError or AuthenticationError:
        no statement has reached the server.
        """
        ...

    async def aclose(self) -> None:
        """Gives everything back, in bounded time, whatever state the server is in."""
        ...


def spans_commands(command: str) -> StatementError:
    """The error for a statement that begins or ends a transaction: none is sent, since it would come to nothing."""
    return StatementError(
        "one statement per exec: a transaction cannot span commands",
        hint=f"{command} was not sent. Every statement is committed by itself, and one can do it all: INSERT … SELECT, "
        "UPDATE … WHERE, WITH …",
    )


_WRITE_ELSEWHERE = "wait for the primary to serve again, or allow writes on the backup (--allow-write-on-backup)"


def write_refused(name: str, why: str, hint: str | None = None) -> WriteRefusedError:
    """The error for a statement that is not known to be a read, on the read-only session of connection `name`."""
    return WriteRefusedError(
        f'"{name}" was opened read-only for this statement, and the statement is not a read ({why}); '
        "nothing was changed",
        hint=hint or _WRITE_ELSEWHERE,
    )


_NAME_SERVICE = "see the servers in /etc/resolv.conf; an address instead of the name, or /etc/hosts, needs none of them"

HANGS = "it accepted the connection: the server, or what stands before it, hangs"


def unresponsive(place: str, limit_s: float, hosts: Iterable[str] = (), *, hint: str | None = None) -> ConnectError:
    """The error for a server that says nothing, in the same words for every engine.

    Where the `hosts` of one that was not reached still wait to be looked up, the name service is what did not answer.
    `limit_s` is the time limit as it was configured, whatever part of it was spent on this one; `HANGS` is the hint
    for one that accepted the connection.
    """
    from omnidb_cli.drivers.resolver import is_owed_by_name_service

    limit = format_duration(limit_s)
    if is_owed_by_name_service(hosts):
        said = f"{place}: no answer from the name service within {limit}"
        return ConnectError(said, kind=ErrorKind.DNS, hint=_NAME_SERVICE)
    return ConnectError(f"{place}: no answer within {limit}", kind=ErrorKind.TIMEOUT, hint=hint)


def position(text: str) -> str:
    """How far a server's history goes, fit for a sentence: on one line, and not too long for it."""
    line = text if text.isprintable() else "".join(sign if sign.isprintable() else " " for sign in text)
    return line if len(line) <= _LONGEST_POSITION else f"{line[: _LONGEST_POSITION - 1]}…"
