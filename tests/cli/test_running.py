"""How a command's coroutine is run."""

import asyncio
import gc
import os
import selectors
import signal
from threading import Event
from typing import Any

import pytest

from omnidb_cli.cli.running import run
from omnidb_cli.cli.signals import Terminated


def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    over = Event()
    returned = []

    async def main() -> str:
        asyncio.get_running_loop().run_in_executor(None, lambda: returned.append(over.wait(5.0)))
        return "done"

    try:
        assert run(main()) == "done"
        assert not returned
    finally:
        over.set()


@pytest.mark.parametrize(("number", "ends_with"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_ends_it_in_an_orderly_way(number: signal.Signals, ends_with: type[BaseException]) -> None:
    went: list[str] = []

    async def main() -> None:
        try:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)  # a second one changes nothing
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            went.append("cleaned up")

    with pytest.raises(ends_with):
        run(main())
    assert went == ["cleaned up"]


def test_a_signal_that_comes_before_the_first_step_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[str] = []
    make: Any = selectors.DefaultSelector

    def interrupted() -> Any:
        os.kill(os.getpid(), signal.SIGINT)  # while the loop is being made
        return make()

    async def main() -> None:
        went.append("began")
        await asyncio.Event().wait()

    monkeypatch.setattr(selectors, "DefaultSelector", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(main())
    assert went == []


def test_a_cancellation_that_no_signal_caused_is_one() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main())


@pytest.mark.parametrize(("error", "is_told"), [(ConnectionError("too late"), False), (ValueError("a defect"), True)])
def test_a_connection_that_nobody_waits_for_any_more_fails_in_silence(
    error: Exception, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave_behind() -> None:
        asyncio.get_running_loop().create_future().set_exception(error)
        gc.collect()

    run(leave_behind())
    assert ("never retrieved" in caplog.text) is is_told
