"""Signals within a command: to whom they go, and for how long."""

import os
import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from omnidb_cli.cli.signals import Terminated, end_of, handed_to, on_resize


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
    with handed_to(handed.append):
        send(number)
        assert (handed, before) == ([number], [])
    send(number)
    assert (handed, before) == ([number], [number])


def test_in_another_thread_signals_are_left_alone(before: list[int]) -> None:
    """Python lets the main thread alone set handlers; a command in another one goes on without."""
    went: list[str] = []

    def work() -> None:
        with on_resize(lambda: went.append("resized")), handed_to(lambda _number: went.append("handed")):
            went.append("inside")

    thread = Thread(target=work)
    thread.start()
    thread.join()
    send(signal.SIGWINCH)
    assert (went, before) == (["inside"], [signal.SIGWINCH])


def test_what_each_signal_means_to_the_one_who_waits() -> None:
    assert type(end_of(signal.SIGINT)) is KeyboardInterrupt
    assert type(end_of(signal.SIGTERM)) is Terminated
