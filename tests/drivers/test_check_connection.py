"""The connection that is kept for checks: used again, opened once more, never again after an interruption."""

import asyncio
from collections.abc import Callable

import pytest

from omnidb_cli.drivers.check_connection import CheckConnection, OutdatedError
from omnidb_cli.errors import ConnectError, ConnectionLostError, DriverError, ErrorKind, StatementError

SOON = 0.0
BROKE = ConnectionLostError("it broke")


class Line:
    """A connection that fails with the next of `failures`, if there is one."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.is_usable = True
        self.checks = 0
        self.on_end: Callable[[], None] | None = None

    def watch(self, on_end: Callable[[], None]) -> None:
        self.on_end = on_end

    def end(self) -> None:
        """It ends by itself."""
        self.is_usable = False
        if self.on_end is not None:
            self.on_end()

    async def aclose(self) -> None:
        self.is_usable = False


class Lines:
    """Opens the given connections in turn; `kept` is what the checks were told of each."""

    def __init__(self, *lines: Line) -> None:
        self.left = list(lines)
        self.losses = 0
        self.kept: list[bool] = []
        self.checks = CheckConnection(self._open, self._lose)

    async def _open(self, _deadline: float) -> Line:
        return self.left.pop(0)

    def _lose(self) -> None:
        self.losses += 1

    async def check(self) -> Line:
        return await self.checks.run(self._ask, SOON)

    async def _ask(self, line: Line, kept: bool) -> Line:
        self.kept.append(kept)
        line.checks += 1
        await asyncio.sleep(0)
        if line.checks > 1 and line.failures:
            error = line.failures.pop(0)
            line.is_usable = not isinstance(error, ConnectionLostError)
            raise error
        return line


async def test_it_is_used_again() -> None:
    lines = Lines(Line())
    assert await lines.check() is await lines.check()
    assert lines.kept == [False, True]
    assert lines.checks.is_held


@pytest.mark.parametrize("news", [BROKE, OutdatedError(), ConnectError("it broke", kind=ErrorKind.RESET)])
async def test_one_that_broke_unnoticed_is_opened_once_more(news: Exception) -> None:
    first, second = Line(news), Line()
    lines = Lines(first, second)
    assert await lines.check() is first
    assert await lines.check() is second
    assert lines.kept == [False, True, False]


async def test_one_that_is_known_to_have_ended_is_not_asked() -> None:
    first, second = Line(), Line()
    lines = Lines(first, second)
    await lines.check()
    first.end()
    assert lines.losses == 1
    assert not lines.checks.is_held
    assert await lines.check() is second
    assert first.checks == 1


async def test_a_new_one_that_breaks_is_the_server_s_trouble() -> None:
    second = Line(BROKE)
    second.checks = 1  # so that its first check fails
    lines = Lines(Line(BROKE), second)
    await lines.check()
    with pytest.raises(ConnectionLostError):
        await lines.check()
    assert not lines.checks.is_held


@pytest.mark.parametrize("kind", [ErrorKind.TIMEOUT, ErrorKind.LOCAL, ErrorKind.ROLE])
async def test_other_errors_open_no_second_one(kind: ErrorKind) -> None:
    lines = Lines(Line(DriverError("no", kind=kind)), Line())
    await lines.check()
    with pytest.raises(DriverError):
        await lines.check()
    assert len(lines.left) == 1


async def test_one_that_answered_with_an_error_is_kept() -> None:
    line = Line(StatementError("no such table"))
    lines = Lines(line)
    await lines.check()
    with pytest.raises(StatementError):
        await lines.check()
    assert await lines.check() is line


@pytest.mark.parametrize("stop", [ValueError("not ours"), asyncio.CancelledError()])
async def test_what_was_interrupted_is_never_used_again(stop: BaseException) -> None:
    first, second = Line(stop), Line()
    lines = Lines(first, second)
    await lines.check()
    with pytest.raises(type(stop)):
        await lines.check()
    assert not first.is_usable
    assert await lines.check() is second


async def test_one_that_is_in_use_when_the_driver_closes_ends_after_its_check() -> None:
    line = Line()
    lines = Lines(line)
    running = asyncio.create_task(lines.check())
    await asyncio.sleep(0)
    await lines.checks.aclose()
    assert await running is line
    assert not line.is_usable
    assert not lines.checks.is_held


async def test_of_two_checks_at_once_one_connection_is_kept() -> None:
    first, second = Line(), Line()
    lines = Lines(first, second)
    await asyncio.gather(lines.check(), lines.check())
    assert [first.is_usable, second.is_usable].count(True) == 1


async def test_a_loss_in_use_is_told_by_the_check_alone() -> None:
    first, second = Line(), Line()
    lines = Lines(first, second)
    await lines.check()
    running = asyncio.create_task(lines.check())
    await asyncio.sleep(0)
    first.end()
    await running
    assert lines.losses == 0
