"""SIGINT, SIGTERM and SIGHUP end every command, wherever it waits. Signals belong to the process, and so does this."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from threading import Event, Thread, current_thread, main_thread
from types import FrameType
from typing import Any, Self

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNNOTICED_S = 0.5
"""After this long a signal that Python has not taken up has found it waiting in the system, or in SQLite."""

_CLEANING_UP_S = 2.0
"""How long what was told of a signal may take to end in an orderly way."""

_SOON_S = 0.1
"""After this long an alarm rings again: what it guards may have begun only then."""

_noticed = Event()


class Terminated(BaseException):
    """SIGTERM arrived, or SIGHUP: the terminal is gone. Not an error: nothing may swallow it on its way out.

    `number` is the signal's.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.number = number


def end_at_once() -> None:
    """Until `arm` is called, an ending signal ends the process without a word, with 128 and its number.

    While a command starts there is nothing to clean up; a traceback of half an import would help nobody.
    """
    for number in _handled():
        signal.signal(number, lambda received, _frame: os._exit(128 + received))


def install() -> None:
    """From now on SIGINT raises KeyboardInterrupt, SIGTERM and SIGHUP raise Terminated.

    Where that comes to nothing in time, because the main thread hangs in a lock, a pipe or a dead file system, the
    process ends all the same, with 130, 143 or 129.
    """
    for number in _handled():
        signal.signal(number, _raise)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    Thread(target=_last_resort, args=(reading,), name="omnidb-signals", daemon=True).start()


@contextmanager
def handling(react: Callable[[int], None]) -> Iterator[None]:
    """Meanwhile a signal is not raised, but given to `react` by its number. Does nothing outside the main thread."""
    if current_thread() is not main_thread():
        yield
        return

    def take(number: int, _frame: FrameType | None) -> None:
        _noticed.set()
        react(number)

    before = {number: signal.signal(number, take) for number in _handled()}
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


@contextmanager
def off_terminal(leave: Callable[[], object], come_back: Callable[[], object]) -> Iterator[None]:
    r"""Meanwhile a screen leaves the terminal before Ctrl-Z or Ctrl-\ stops or ends the process, and comes back.

    What is stopped comes back by `fg`, and is told of a resize, so that it draws; SIGQUIT ends the process as it always
    does. Both are called wherever the program is, in the midst of a write too. Does nothing outside the main thread,
    and nothing to a signal that is ignored from the start.
    """
    if current_thread() is not main_thread():
        yield
        return

    def take(number: int, _frame: FrameType | None) -> None:
        leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here it stops, or ends
        signal.signal(number, take)
        come_back()
        os.kill(os.getpid(), signal.SIGWINCH)

    taken = [one for one in (signal.SIGTSTP, signal.SIGQUIT) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, take) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Alarm:
    """A time limit for what holds the main thread up inside a system call, where the event loop cannot end it.

    While it `guards` a piece of work whose time is up, TimeoutError is raised there, and `rang` is true. Does nothing
    outside the main thread.
    """

    def __init__(self, limit_s: float) -> None:
        self.rang = False
        self._limit_s = max(limit_s, _SOON_S)
        self._guards = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if current_thread() is main_thread():
            self._before = signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, self._limit_s, _SOON_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Guards what is done inside."""
        self._guards = True
        try:
            yield
        finally:
            self._guards = False

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._guards:
            self._guards, self.rang = False, True
            raise TimeoutError


def as_exception(number: int) -> BaseException:
    """What a signal means to the one who waits."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


def _handled() -> list[signal.Signals]:
    """Those that end a command; a SIGHUP that is ignored from the start (`nohup`) is none."""
    return [one for one in _ENDING if one != signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN]


def _raise(number: int, _frame: FrameType | None) -> None:
    _noticed.set()
    raise as_exception(number)


def _last_resort(reading: int) -> None:
    number = 0
    while number not in _ENDING:
        number = os.read(reading, 1)[0]
    if _noticed.wait(_UNNOTICED_S):
        select([], [], [], _CLEANING_UP_S)
    os._exit(128 + number)
