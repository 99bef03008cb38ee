"""SIGINT and SIGTERM end every command, wherever it waits. Signals belong to the process, and so does this."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)
_UNNOTICED_S = 0.5
"""After this long a signal that Python has not taken up has found it waiting in the system, or in SQLite."""

_CLEANING_UP_S = 2.0
"""How long what was told of a signal may take to end in an orderly way."""

_noticed = Event()


class Terminated(BaseException):
    """SIGTERM arrived. Not an error: nothing may swallow it on its way out."""


def arm() -> None:
    """From now on SIGINT raises KeyboardInterrupt and SIGTERM Terminated.

    Where that comes to nothing in time, because the main thread hangs in a lock, a pipe or a dead file system, the
    process ends all the same, with 130 or 143.
    """
    for number in _ENDING:
        signal.signal(number, _raise)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    Thread(target=_last_resort, args=(reading,), name="omnidb-signals", daemon=True).start()


@contextmanager
def handed_to(react: Callable[[int], None]) -> Iterator[None]:
    """Meanwhile a signal is not raised, but given to `react` by its number. Does nothing outside the main thread."""
    if current_thread() is not main_thread():
        yield
        return

    def take(number: int, _frame: FrameType | None) -> None:
        _noticed.set()
        react(number)

    before = {number: signal.signal(number, take) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def on_resize(react: Callable[[], object]) -> Iterator[None]:
    """Meanwhile calls `react` when the terminal has got another size. Does nothing outside the main thread."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: react())
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def end_of(number: int) -> BaseException:
    """What a signal means to the one who waits."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated()


def _raise(number: int, _frame: FrameType | None) -> None:
    _noticed.set()
    raise end_of(number)


def _last_resort(reading: int) -> None:
    number = 0
    while number not in _ENDING:
        number = os.read(reading, 1)[0]
    if _noticed.wait(_UNNOTICED_S):
        select([], [], [], _CLEANING_UP_S)
    os._exit(128 + number)
