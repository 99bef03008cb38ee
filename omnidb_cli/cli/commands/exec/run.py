"""Carries out one statement: who is asked, in which order, what is allowed there, and what came of it.

Only connecting moves on to the next candidate: what may have been sent never runs twice (semantics, Failover 4).
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from omnidb_cli.cli.commands.exec.request import ExecRequest, ExecTarget
from omnidb_cli.cli.recheck import check_again
from omnidb_cli.cli.saved_state import restore, write_or_warn
from omnidb_cli.cli.signals import Alarm
from omnidb_cli.cli.wiring import failed_check, open_drivers, orchestrator, redacted
from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.drivers.base import unresponsive
from omnidb_cli.drivers.network_errors import not_connected, trouble_of
from omnidb_cli.drivers.resolver import is_owed_by_name_service
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectionUnavailableError,
    DriverError,
    ErrorKind,
    OmnidbError,
    StatementError,
    StatementTimeout,
    WriteRefusedError,
    is_local,
)
from omnidb_cli.log import Log, about
from omnidb_cli.output.results.model import ResultSummary, receipt_sentence
from omnidb_cli.output.results.writer import open_result_writer
from omnidb_cli.topology.secrets.redaction import Redactor

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import Candidate
    from omnidb_cli.drivers.base import Driver, Reply, Session
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.state.recorder import Recorder
    from omnidb_cli.topology import Topology

_log = Log("cli")


class _Attempt(Struct, frozen=True):
    service: ExecTarget
    session: "Session"
    others_failed: bool


class Execution:
    """One order, the core that decides who serves it, and the state that remembers how that went.

    Raises StateStoreError when the state cannot be read: a hold could be overlooked.
    """

    def __init__(self, context: "Context", topology: "Topology", order: ExecRequest, recorder: "Recorder") -> None:
        self._context = context
        self._topology = topology
        self._order = order
        self.recorder = recorder
        self._drivers = open_drivers(topology)
        self._db = orchestrator(topology, self._drivers, recorder)
        restore(self._db, recorder, recorder.restore())

    async def carry_out(self) -> None:
        """Runs the order and writes its result."""
        db, order = self._db, self._order
        deadline = asyncio.get_running_loop().time() + order.timeout_s
        await db.connect(check=False, keep_checking=False)
        try:
            await self._check_again(deadline)
            attempt = await _connect(db, self._drivers, order, self._topology, deadline)
            try:
                if attempt.others_failed:
                    await asyncio.to_thread(
                        write_or_warn, self._context, self.recorder.flush
                    )  # others need not try them too
                await _run(db, attempt, order, deadline, self._context.streams)
            finally:
                await _close(attempt)
        finally:
            await db.disconnect()

    async def _check_again(self, deadline: float) -> None:
        order = self._order
        try:
            async with asyncio.timeout_at(deadline):
                await check_again(self._db, order.name, self._topology, alone=not order.failover)
        except TimeoutError:
            raise _out_of_time(order, order.name, "it was checked; nothing was sent") from None


async def _connect(
    db: "Orchestrator", drivers: "Mapping[str, Driver]", order: ExecRequest, topology: "Topology", deadline: float
) -> _Attempt:
    """A session with the first candidate that can be connected to; each failure counts as a failed check.

    Trouble of this host ends it: no other candidate would do better, and it says nothing about this one.
    """
    redact = Redactor(topology.secrets)
    tried: dict[str, ConnectError] = {}
    while (service := next_service(db, order, topology, tried)) is not None:
        try:
            with about(service.name):
                _log.debug("%s is routed here: %s", order.name, service.reason)
                session = await _open(drivers[service.name], service, order, topology, deadline)
            return _Attempt(service, session, bool(tried))
        except ConnectError as error:
            error.connection = service.name
            redacted(error, redact)
            tried[service.name] = error
            db.record_check(service.name, failed_check(error, redact))
            if is_local(error):
                break
    candidates = db.route(order.name).candidates
    candidates = candidates if order.failover else candidates[:1]
    if tried:
        raise _last_of(tried, candidates)
    raise ConnectionUnavailableError(order.name, candidates)


def _last_of(tried: "dict[str, ConnectError]", candidates: "Sequence[Candidate]") -> ConnectError:
    """The error of the one tried last, which names each that was tried, and why the other candidates were not."""
    error = tried[next(reversed(tried))]
    said = [f'"{name}": {one}' for name, one in tried.items()]
    if not is_local(error):
        said += [f'"{one.name}" {one.reason}' for one in candidates if one.name not in tried]
    error.args = (f"could not connect to {'; '.join(said)}",)
    return error


def next_service(
    db: "Orchestrator", order: ExecRequest, topology: "Topology", tried: Collection[str]
) -> ExecTarget | None:
    """Whom to try next, and on which terms; None when nobody is left. Changes nothing."""
    name = order.name
    route = db.route(name, without=tried)
    itself = name if route.candidates[0].eligible else None
    serving = route.serving if order.failover else itself
    if serving is None and name not in tried and db.stats()[name].circuit is CircuitState.DISABLED:
        serving = name  # the last resort: no circuit forbids it
    if serving is None:
        return None
    rule = topology.failover.get(name)
    allowed_to_all = rule is not None and rule.writes == "allow" and route.split_brain is None
    may_write = order.write_on_backup or allowed_to_all
    is_failover = serving != name
    return ExecTarget(serving, is_failover, is_failover and not may_write, route.reason)


async def _open(
    driver: "Driver", service: ExecTarget, order: ExecRequest, topology: "Topology", deadline: float
) -> "Session":
    """A session. Raises ConnectError, and StatementTimeout where the order leaves less time than a check may take.

    To run out of that says nothing against the server.
    """
    loop = asyncio.get_running_loop()
    connection = topology.connections[service.name]
    hosts = [host for host, _ in connection.url.hosts]
    until = min(deadline, loop.time() + connection.health_check.timeout_s)
    try:
        async with asyncio.timeout_at(until):
            return await driver.connect(read_only=service.read_only, timeout_s=max(deadline - loop.time(), 0.001))
    except TimeoutError:
        failure = unresponsive(connection.address, connection.health_check.timeout_s, hosts)
    except ConnectError as error:
        failure = error
    except (OSError, MemoryError, RuntimeError) as error:
        trouble = trouble_of(error)
        if trouble is None or not trouble.is_local:
            raise
        failure = not_connected(trouble, connection.address)
    if until == deadline and (failure.kind is ErrorKind.TIMEOUT or is_owed_by_name_service(hosts)):
        raise _out_of_time(order, service.name, "it was connected to; nothing was sent") from failure
    raise failure


async def _close(attempt: _Attempt) -> None:
    """Ends the session; what goes wrong with that is about the one who served."""
    try:
        await attempt.session.aclose()
    except OmnidbError as error:
        error.connection = attempt.service.name
        raise


async def _run(db: "Orchestrator", attempt: _Attempt, order: ExecRequest, deadline: float, streams: "Streams") -> None:
    service, session = attempt.service, attempt.session

    async def run(_driver: Any) -> tuple[ResultSummary, str | None]:
        alarm = Alarm(deadline - asyncio.get_running_loop().time())
        try:
            with alarm:
                async with asyncio.timeout_at(deadline):
                    return await _stream(session, service, order, streams, alarm)
        except DriverError as error:
            redacted(error, streams.hide)
            raise
        except TimeoutError:
            happened = "the statement ran; it was told to stop, and its outcome is unknown"
            if alarm.rang:
                streams.abandon()
                happened = "its rows were not read; the statement was told to stop, and its outcome is unknown"
            late = _out_of_time(order, service.name, happened)
            late.counts_as_failure = not alarm.rang  # the reader's fault is no server's
            raise late from None

    try:
        summary, status = await db.execute(service.name, run, failover=False)
    except asyncio.CancelledError:
        unknown = "interrupted while the statement ran; it was told to stop, and its outcome is unknown"
        streams.warning(unknown, connection=service.name)
        raise
    except OmnidbError as error:
        error.connection = service.name
        match error:
            case WriteRefusedError():
                raise _refusal(error, service, order) from error
            case ConnectionLostError():
                error.args = (f'the outcome of the statement on "{service.name}" is unknown: {error}',)
                error.hint = "it was sent and is not retried: check whether it took effect before you repeat it"
            case StatementError():
                error.args = (f'"{service.name}" rejected the statement: {error}',)
        raise
    streams.receipt(summary, receipt_sentence(summary, status))


async def _stream(
    session: "Session", service: ExecTarget, order: ExecRequest, streams: "Streams", alarm: Alarm
) -> tuple[ResultSummary, str | None]:
    """Passes the rows on as they come; the status is that of a statement without rows.

    Whoever reads them may stop reading: writing is what `alarm` guards.
    """
    started = perf_counter()
    writer = open_result_writer(streams)
    _log.debug("the statement is sent", connection=service.name)
    reply = await session.run(order.statement, order.parameters)
    _log.debug("the statement is answered", connection=service.name)
    with alarm.guarding():
        writer.begin(reply.columns)
    is_whole = True
    async for batch in reply.batches:
        with alarm.guarding():
            is_whole = writer.rows(batch)
        if not is_whole:
            break
    summary = ResultSummary(
        requested=order.name,
        served_by=service.name,
        failover=service.is_failover,
        reason=service.reason,
        statement_ms=round((perf_counter() - started) * 1000, 3),
        row_count=reply.row_count() if is_whole else None,
        command=streams.hide(reply.command()),
    )
    with alarm.guarding():
        writer.end(summary)
    for notice in reply.notices():
        streams.warning(streams.hide(notice), connection=service.name)
    return summary, None if reply.columns else streams.hide(_status(reply, summary))


def _status(reply: "Reply", summary: ResultSummary) -> str:
    """What a statement without rows did: `INSERT 0 3` in the engine's own words, else `INSERT 3`."""
    if reply.status is not None:
        return reply.status()
    return summary.command if summary.row_count is None else f"{summary.command} {summary.row_count}"


def _refusal(error: WriteRefusedError, service: ExecTarget, order: ExecRequest) -> WriteRefusedError:
    refused = WriteRefusedError(
        f'a write was refused: "{service.name}" serves "{order.name}" as a backup ({service.reason}): {error}',
        hint="if the backup itself accepts writes, --allow-write-on-backup permits this statement; "
        "`writes: allow` in the topology permits all",
    )
    refused.connection = service.name
    return refused


def _out_of_time(order: ExecRequest, name: str, happened: str) -> StatementTimeout:
    error = StatementTimeout(
        f'the time limit of {format_duration(order.timeout_s)} ran out on "{name}" while {happened}',
        hint="give it longer with --timeout",
    )
    error.connection = name
    return error
