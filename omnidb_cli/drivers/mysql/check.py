"""One check of a server: what is asked, and what the answers mean."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.drivers._too_much import CHECK_BYTES
from omnidb_cli.drivers.base import position
from omnidb_cli.drivers.mysql.errors import is_denied
from omnidb_cli.errors import StatementError

if TYPE_CHECKING:
    from omnidb_cli.core.health.model import Observation
    from omnidb_cli.drivers.mysql.connection import Answered, Wire

Status = Mapping[str, str | None]

_FACTS = "SELECT @@global.read_only, @@global.innodb_read_only, {position}"
_UNTOLD = "''"
_POWERS = """
SELECT privilege_type FROM information_schema.user_privileges
 WHERE grantee = CONCAT("'", REPLACE(CURRENT_USER(), '@', "'@'"), "'") AND privilege_type IN ('FILE', 'SUPER')
"""
_LOST = (2006, 2013)
_MIGHTY = frozenset({"FILE", "SUPER"})
_UNKNOWN_VARIABLE = 1193
_SERVER_ID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECONDS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)
_OFF = ("0", "OFF")
_MOST_WORDS = 300
_NO_SUCH_STATEMENT = 1064


class ServerState(Struct, frozen=True):
    """What a server said. `sources` is a row for each server it replicates from; None: we may not know.

    `gtid` is the last transaction of its history, empty where it numbers none.
    """

    read_only: bool
    sources: Sequence[Status] | None
    gtid: str = ""
    powers: str | None = None


def preparation(wire: "Wire", timeout_s: float | None) -> str:
    """What makes a connection fit for checks: it only reads, and the server ends what takes too long."""
    limits = ["lock_wait_timeout=1"]
    if wire.is_mariadb:
        limits.append("tx_read_only=1")
        limits.extend([f"max_statement_time={timeout_s:.3f}"] if timeout_s else [])
    else:
        limits.append("transaction_read_only=1")
        limits.extend([f"max_execution_time={timeout_s * 1000:.0f}"] if timeout_s else [])
    return f"SET SESSION {', '.join(limits)}"


def status_statement(wire: "Wire") -> str:
    """How this server is asked whom it replicates from."""
    if wire.is_mariadb:
        return "SHOW ALL SLAVES STATUS"
    return "SHOW REPLICA STATUS" if _version_of(wire) >= (8, 0, 22) else "SHOW SLAVE STATUS"


def position_variable(wire: "Wire") -> str:
    """The variable that tells how far this server's history goes."""
    return "@@global.gtid_current_pos" if wire.is_mariadb else "@@global.gtid_executed"


def _version_of(wire: "Wire") -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", wire.version)[:3])


class Checker:
    """Checks one server through one connection, again and again.

    With `together` in one round trip each, several statements in a message. A connection that ever carries the
    topology's own statement allows no second one in a message: a guard that it walks past must find nothing behind it.
    """

    def __init__(self, wire: "Wire", timeout_s: float | None, *, together: bool = True) -> None:
        self.wire = wire
        self._together = together
        self._first = preparation(wire, timeout_s)
        self._status = status_statement(wire)
        self._position = position_variable(wire)
        self._asks_powers = True
        self._powers: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether its connection can be asked once more."""
        return not self.wire.is_over

    def watch(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` called when the connection ends by itself."""
        self.wire.when_lost(on_end)

    async def aclose(self) -> None:
        """Says goodbye to the server, and waits for nobody."""
        self.wire.leave()
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn

    async def check(self) -> ServerState:
        """Raises what the client library raises."""
        from asyncmy.errors import Error

        self.wire.expect(CHECK_BYTES)
        try:
            (facts,) = await (await self._facts()).all()
        except Error as error:
            if error.args[0] != _UNKNOWN_VARIABLE or self._position == _UNTOLD:
                raise
            self._position = _UNTOLD  # a server that numbers no transactions, or a relative of MySQL
            return await self.check()
        *switches, gtid = facts
        read_only = any(str(switch) not in _OFF for switch in switches)
        sources = await self._sources() if self._status else None
        if self._asks_powers:
            await self._learn_powers(told=sources is not None or not self._together)
        return ServerState(read_only, sources, _text(gtid) or "", self._powers)

    async def _facts(self) -> "Answered":
        """Asks for the facts, and with `together` for all the rest; the answer to the first of the questions."""
        facts = _FACTS.format(position=self._position)
        if not self._together:
            if self._first:
                await self._run(self._first)
                self._first = ""
            return await self.wire.ask(facts)
        powers = _POWERS if self._asks_powers else ""
        parts = (self._first, facts, self._status, powers)
        answered = await self.wire.ask("; ".join(part for part in parts if part))
        if self._first:
            self._first = ""
            return await self.wire.next()
        return answered

    async def _sources(self) -> Sequence[Status] | None:
        from asyncmy.errors import Error

        try:
            answered = await (self.wire.next() if self._together else self.wire.ask(self._status))
        except Error as error:
            if not is_denied(error) and error.args[0] != _NO_SUCH_STATEMENT:
                raise
            self._status = ""  # it will not be granted to this connection any more
            return None
        names = answered.columns
        rows = await answered.all()
        return [dict(zip(names, map(_text, row), strict=True)) for row in rows]

    async def _learn_powers(self, *, told: bool) -> None:
        """What the account may do that no transaction holds back; `told` is False where an error came in between."""
        from asyncmy.errors import Error

        self._asks_powers = False
        try:
            if told:
                rows = await (await (self.wire.next() if self._together else self.wire.ask(_POWERS))).all()
                names = sorted({str(name) for (name,) in rows} & _MIGHTY)
                self._powers = f"its account has {' and '.join(names)}" if names else None
        except Error as error:
            if error.args[0] in _LOST:
                raise

    async def ask(self, statement: str) -> None:
        """Runs the topology's own check statement, alone in its message, and reads its answer to the end.

        It runs in a read-only transaction that is rolled back. Raises StatementError for one that may do more than
        read.
        """
        from omnidb_cli.drivers.mysql.statement import why_not_a_read

        why = why_not_a_read(statement)
        if why is not None:
            raise StatementError(f"the check statement may only read: {why}")
        await self._run("START TRANSACTION READ ONLY")
        try:
            await self._run(statement)
        except Exception:
            await self._run("ROLLBACK")  # the connection is used again
            raise
        await self._run("ROLLBACK")

    async def _run(self, statement: str) -> None:
        await (await self.wire.ask(statement)).skip()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def answer(check: ServerState, *, latency_s: float, version: str) -> "Observation":
    """What the server is: who takes writes is a primary, who does not and replicates is a replica.

    A read-only server that we may not ask, or that replicates from nobody, has no role that could be told.
    """
    from omnidb_cli.core.health.model import Observation

    sources = check.sources or ()
    lags = [_lag_s(source) for source in sources]
    known = [lag for lag in lags if lag is not None]
    return Observation(
        latency_s,
        role="primary" if not check.read_only else "replica" if sources else None,
        writable=not check.read_only,
        lag_s=max(known) if known and len(known) == len(lags) else None,
        stalled=next((why for why in map(stalled, sources) if why), None),
        version=version,
        position=None if check.read_only or not check.gtid else _position(check.gtid),
        powers=check.powers,
    )


def _position(gtid: str) -> str:
    """The GTIDs on one line, each server's long number by its beginning."""
    short = _SERVER_ID.sub(r"\1…", " ".join(gtid.split()))
    return position(f"GTID {short}")


def _of(source: Status, *names: str) -> str:
    """A field by its old or its new name; MySQL 8.0.22 renamed them, MariaDB did not."""
    return next((value for name in names if (value := source.get(name))), "")


def _lag_s(source: Status) -> float | None:
    lag = _of(source, "Seconds_Behind_Master", "Seconds_Behind_Source")
    return float(lag) if _SECONDS.fullmatch(lag) else None


def stalled(source: Status) -> str | None:
    """Why replication from this source has stopped; None when it runs."""
    applying = _of(source, "Slave_SQL_Running", "Replica_SQL_Running")
    receiving = _of(source, "Slave_IO_Running", "Replica_IO_Running")
    if applying == "Yes" and receiving == "Yes":
        return None
    where = f"{_of(source, 'Master_Host', 'Source_Host')}:{_of(source, 'Master_Port', 'Source_Port')}"
    said = []
    if applying != "Yes":
        said.append(_because("the SQL thread is stopped", _of(source, "Last_SQL_Error", "Last_Error")))
    if receiving == "No":
        said.append(_because("the I/O thread is stopped", _of(source, "Last_IO_Error")))
    elif receiving != "Yes":
        said.append(_because("the I/O thread has no connection", _of(source, "Last_IO_Error")))
    return f"replication from {where} stopped: {', '.join(said)}"


def _because(what: str, error: str) -> str:
    reason = " ".join(error.split())
    short = reason if len(reason) <= _MOST_WORDS else f"{reason[:_MOST_WORDS]}…"
    return f"{what} ({short})" if short else what
