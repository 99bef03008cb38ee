"""What every driver promises, as tests: an engine says how it is asked, and passes them all.

In `test_<engine>_contract.py`: a class that inherits `DriverContract` and has a fixture `subject`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Driver, Session, Target
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    DriverError,
    ErrorKind,
    StatementError,
    WriteRefusedError,
)

PATIENCE_S = 30
"""Nothing here may take longer: not a measurement, but the difference between slow and never."""

Order = tuple[str, Sequence[str]]
"""A statement and its parameters."""


class Subject(Struct, frozen=True):
    """One engine, and how it is asked for what the contract is about. What an engine does not have is None.

    `written` counts, by other means than the driver, how often `write` has taken effect; `is_running` says whether
    the server works on `endless`. `hang` and `resume` stop and continue the server of `target`.
    """

    target: Target
    nobody_there: Target
    wrong_password: Target | None
    read: Order
    read_gives: tuple[tuple[str, ...], list[tuple[object, ...]]]
    echo: Callable[[str], Order]
    write: Order
    written: Callable[[], int]
    rejected: Order
    many: Order | None
    many_rows: int
    endless: Order | None
    is_running: Callable[[], bool] | None
    hang: Callable[[], None] | None = None
    resume: Callable[[], None] | None = None
    role: str | None = "primary"


class Outcome(NamedTuple):
    """All that a statement brought."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    row_count: int | None
    command: str


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[Driver]:
    """The driver for `target`; when the last of them is closed, they have left no socket behind in the event loop."""
    if not _open:
        _before[:] = [sockets()]
    driver = open_driver(target)
    _open.append(driver)
    try:
        yield driver
    finally:
        _open.remove(driver)
        async with asyncio.timeout(PATIENCE_S):
            await driver.aclose()
            while not _open and sockets() > _before[0]:  # the end of a TLS connection takes a few turns of the loop
                await asyncio.sleep(0.001)


_open: list[Driver] = []
_before: list[int] = []


def sockets() -> int:
    """How many the event loop waits for."""
    return len(asyncio.get_running_loop()._selector.get_map())  # type: ignore[attr-defined]


@asynccontextmanager
async def session_of(
    driver: Driver, *, read_only: bool = False, timeout_s: float = PATIENCE_S
) -> AsyncIterator[Session]:
    async with asyncio.timeout(PATIENCE_S):
        session = await driver.connect(read_only=read_only, timeout_s=timeout_s)
    try:
        yield session
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await session.aclose()


async def outcome(driver: Driver, order: Order, *, read_only: bool = False) -> Outcome:
    """Runs one statement in a session of its own and reads all of it."""
    async with asyncio.timeout(PATIENCE_S), session_of(driver, read_only=read_only) as session:
        reply = await session.run(*order)
        rows = [row async for batch in reply.batches for row in batch]
        return Outcome(reply.columns, rows, reply.row_count(), reply.command())


async def check(driver: Driver) -> Observation:
    async with asyncio.timeout(PATIENCE_S):
        return await driver.check()


async def fault_of(driver: Driver) -> DriverError:
    """Why a check fails."""
    with pytest.raises(DriverError) as raised:
        await check(driver)
    return raised.value


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it is so, as seen from outside."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)


async def _connected_and_closed(driver: Driver) -> None:
    session = await driver.connect(read_only=True, timeout_s=PATIENCE_S)
    await session.aclose()


class DriverContract:
    @pytest.fixture
    def subject(self) -> Subject:
        raise NotImplementedError

    @pytest.fixture
    async def driver(self, subject: Subject) -> AsyncIterator[Driver]:
        async with opened(subject.target) as driver:
            yield driver

    async def test_a_check_tells_role_version_and_latency(self, subject: Subject, driver: Driver) -> None:
        for _ in range(2):
            answer = await check(driver)
            assert (answer.role, answer.writable) == (subject.role, None if subject.role is None else True)
            assert answer.version
            assert answer.latency_s > 0

    async def test_opening_a_driver_touches_nothing_and_closing_it_twice_is_fine(self, subject: Subject) -> None:
        driver = open_driver(subject.nobody_there)
        await driver.aclose()
        await driver.aclose()

    async def test_nobody_there_is_a_failure_that_counts(self, subject: Subject) -> None:
        async with opened(subject.nobody_there) as driver:
            fault = await fault_of(driver)
            assert isinstance(fault, ConnectError)
            assert fault.kind in {ErrorKind.REFUSED, ErrorKind.NOT_FOUND}
            assert fault.counts_as_failure
            with pytest.raises(ConnectError) as raised:
                await driver.connect(read_only=False, timeout_s=PATIENCE_S)
            assert raised.value.kind is fault.kind

    async def test_a_wrong_password_is_auth_and_nobody_is_told_it(self, subject: Subject) -> None:
        if subject.wrong_password is None:
            pytest.skip("the engine knows no passwords")
        async with opened(subject.wrong_password) as driver:
            fault = await fault_of(driver)
            assert isinstance(fault, AuthenticationError)
            with pytest.raises(AuthenticationError) as raised:
                await driver.connect(read_only=False, timeout_s=PATIENCE_S)
        assert subject.wrong_password.password
        for error in (fault, raised.value):
            assert error.kind is ErrorKind.AUTH
            assert subject.wrong_password.password not in f"{error} {error.hint}"

    async def test_the_way_to_the_server_is_logged(self, subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "omnidb")
        for step in ("a check", "a session"):
            caplog.clear()
            async with opened(subject.target) as driver:
                await (check(driver) if step == "a check" else _connected_and_closed(driver))
            told = [one.getMessage() for one in caplog.records if one.name.startswith("omnidb.drivers.")]
            kinds = {"opening"} if subject.target.path else {"connecting to", "logged in to"}
            assert all(any(message.startswith(kind) for message in told) for kind in kinds), (step, told)

    async def test_the_log_has_no_password(self, subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
        if subject.wrong_password is None:
            pytest.skip("the engine knows no passwords")
        caplog.set_level(logging.DEBUG, "omnidb")
        async with opened(subject.wrong_password) as driver:
            await fault_of(driver)
        assert caplog.messages
        assert subject.wrong_password.password
        assert subject.wrong_password.password not in caplog.text

    @pytest.mark.parametrize("read_only", [False, True])
    async def test_a_read_gives_typed_rows(self, subject: Subject, driver: Driver, *, read_only: bool) -> None:
        found = await outcome(driver, subject.read, read_only=read_only)
        columns, rows = subject.read_gives
        assert (found.columns, found.rows) == (columns, rows)
        assert found.row_count == len(rows)
        assert found.command
        assert [[type(value) for value in row] for row in found.rows] == [
            [type(value) for value in row] for row in rows
        ]

    @pytest.mark.parametrize(
        "text", ["plain", "", "it's", '"', "\\", "'; DROP TABLE nothing; --", "$1", "ä☃𝄞", " a\n\tb "]
    )
    async def test_a_parameter_arrives_as_it_is(self, subject: Subject, driver: Driver, text: str) -> None:
        assert (await outcome(driver, subject.echo(text))).rows == [(text,)]

    async def test_a_write_takes_effect_once(self, subject: Subject, driver: Driver) -> None:
        before = subject.written()
        await outcome(driver, subject.write)
        assert subject.written() == before + 1

    async def test_a_write_in_a_read_only_session_is_refused_and_changes_nothing(
        self, subject: Subject, driver: Driver
    ) -> None:
        before = subject.written()
        with pytest.raises(WriteRefusedError) as raised:
            await outcome(driver, subject.write, read_only=True)
        assert subject.written() == before
        assert not raised.value.counts_as_failure
        assert raised.value.hint

    @pytest.mark.parametrize("read_only", [False, True])
    async def test_a_rejected_statement_says_nothing_against_the_server(
        self, subject: Subject, driver: Driver, *, read_only: bool
    ) -> None:
        with pytest.raises(StatementError) as raised:
            await outcome(driver, subject.rejected, read_only=read_only)
        assert raised.value.kind is ErrorKind.STATEMENT
        assert not raised.value.counts_as_failure
        await check(driver)

    async def test_many_rows_come_in_batches(self, subject: Subject, driver: Driver) -> None:
        if subject.many is None:
            pytest.skip("the engine answers with one value")
        async with session_of(driver) as session:
            reply = await session.run(*subject.many)
            sizes = [len(batch) async for batch in reply.batches]
            assert sum(sizes) == reply.row_count() == subject.many_rows
            assert len(sizes) > 1

    async def test_reading_may_end_early(self, subject: Subject, driver: Driver) -> None:
        if subject.many is None:
            pytest.skip("the engine answers with one value")
        async with session_of(driver) as session:
            reply = await session.run(*subject.many)
            async for batch in reply.batches:
                assert reply.row_count() == len(batch)
                break
        await check(driver)

    async def test_a_cancelled_statement_really_stops(self, subject: Subject, driver: Driver) -> None:
        if subject.endless is None or subject.is_running is None:
            pytest.skip("the engine has no statement that runs for long")
        async with session_of(driver) as session:
            running = asyncio.create_task(session.run(*subject.endless))  # type: ignore[arg-type]
            await until(subject.is_running)
            running.cancel()
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(asyncio.CancelledError):
                    await running
            await until(lambda: not subject.is_running())  # type: ignore[misc]
        await check(driver)

    async def test_checks_at_the_same_time_do_not_disturb_each_other(self, driver: Driver) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(driver.check() for _ in range(3)))

    async def test_a_server_that_hangs_is_a_timeout_and_forgotten_when_it_goes_on(self, subject: Subject) -> None:
        if subject.hang is None or subject.resume is None:
            pytest.skip("the engine has no server")
        target = replace(subject.target, timeout_s=0.5)
        async with opened(target) as held, opened(target) as fresh:
            await check(held)
            subject.hang()
            try:
                faults: list[DriverError] = [await fault_of(driver) for driver in (held, fresh)]
                with pytest.raises(ConnectError) as raised:
                    await fresh.connect(read_only=False, timeout_s=0.5)
                for fault in (*faults, raised.value):
                    assert fault.kind is ErrorKind.TIMEOUT
                    assert str(fault).endswith(": no answer within 500ms")  # the limit as it was configured
            finally:
                subject.resume()
            for driver in (held, fresh):
                await until_well(driver)

    async def test_cancelling_and_closing_do_not_wait_for_a_server_that_hangs(self, subject: Subject) -> None:
        if subject.hang is None or subject.resume is None or subject.endless is None or subject.is_running is None:
            pytest.skip("the engine has no server")
        async with opened(subject.target) as driver, session_of(driver) as session:
            await check(driver)
            running = asyncio.create_task(session.run(*subject.endless))  # type: ignore[arg-type]
            await until(subject.is_running)
            subject.hang()
            try:
                checking = asyncio.create_task(driver.check())  # type: ignore[arg-type]
                await asyncio.sleep(0)
                for task in (checking, running):
                    task.cancel()
                async with asyncio.timeout(PATIENCE_S):
                    await asyncio.wait([checking, running])
                    await session.aclose()
                    await driver.aclose()
                assert checking.cancelled()
                assert running.cancelled()
            finally:
                subject.resume()
            await until(lambda: not subject.is_running())  # type: ignore[misc]


async def until_well(driver: Driver) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await driver.check()
            except DriverError:
                await asyncio.sleep(0.05)
            else:
                return
