"""Signals within a command: to whom they go, and for how long."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from omnidb_cli.cli.signals import Terminated, as_exception, handling, on_resize


@pytest.fixture(autouse=True)
def before() -> Iterator[list[int]]:
    """What reaches the handlers that were there before; they are put back."""
    reached: list[int] = []
    numbers = (signal.SIGWINCH, signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, lambda got, _frame: reached.append(got)) for number in numbers}
    yield reached
    for number, handler in handlers.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    signal.sigpending()  # a call into the system, after which Python has run the handler


def test_a_resize_is_told_at_once_and_only_meanwhile(before: list[int]) -> None:
    told: list[str] = []
    with on_resize(lambda: told.append("resized")):
        send(signal.SIGWINCH)
        assert (told, before) == (["resized"], [])
    send(signal.SIGWINCH)
    assert (told, before) == (["resized"], [signal.SIGWINCH])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_handed_over_is_not_raised_and_only_meanwhile(
    before: list[int], number: signal.Signals
) -> None:
    handed: list[int] = []
    with handling(handed.append):
        send(number)
        assert (handed, before) == ([number], [])
    send(number)
    assert (handed, before) == ([number], [number])


def test_in_another_thread_signals_are_left_alone(before: list[int]) -> None:
    """Python lets the main thread alone set handlers; a command in another one goes on without."""
    went: list[str] = []

    def work() -> None:
        with on_resize(lambda: went.append("resized")), handling(lambda _number: went.append("handed")):
            went.append("inside")

    thread = Thread(target=work)
    thread.start()
    thread.join()
    send(signal.SIGWINCH)
    assert (went, before) == (["inside"], [signal.SIGWINCH])


CLEANING_UP = """
import asyncio, os, signal
from omnidb_cli.cli.running import run
from omnidb_cli.cli.signals import Terminated, install

async def main():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(1)
        print("cleaned up", flush=True)

install()
try:
    run(main())
except Terminated:
    print("terminated", flush=True)
"""


def test_a_command_that_has_taken_a_signal_up_has_time_to_clean_up() -> None:
    done = subprocess.run([sys.executable, "-c", CLEANING_UP], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["cleaned up", "terminated"], done.stderr


def test_what_each_signal_means_to_the_one_who_waits() -> None:
    assert type(as_exception(signal.SIGINT)) is KeyboardInterrupt
    assert type(as_exception(signal.SIGTERM)) is Terminated
