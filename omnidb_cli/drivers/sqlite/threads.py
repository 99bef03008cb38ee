"""Blocking work in daemon threads, so that a file system that hangs delays nobody else, nor the end of the process.

asyncio's default executor does neither: its threads are joined at exit, and hung ones use up its places.
"""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread
from time import sleep
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FEW_THREADS = 2
MOST_THREADS = 64
HELD_UP_S = 0.005
GRACE_S = 0.5
"""How long a cancelled call waits for its thread to stop, seconds. One that hangs in the kernel cannot be stopped."""


class Job(Generic[T]):
    """One piece of work that was handed to a thread.

    `ended` turns true in the event loop when the result has arrived there, `returned` in the thread when it is done
    with it; `lost` says that it was given up as hanging.
    """

    __slots__ = ("_dropped", "_error", "_loop", "_result", "_started", "_waiter", "_work", "ended", "lost", "returned")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] = self._loop.create_future()
        self._result: T
        self._error: BaseException | None = None
        self._started = self._dropped = False
        self.ended = False
        self.lost = False
        self.returned = False

    async def result(self, stop: Callable[[], None]) -> T:
        """What the work returned or raised.

        When cancelled it asks the work to `stop`, waits until it has, at most `GRACE_S`, and lets the
        cancellation go on.
        """
        try:
            await self._waiter
        except asyncio.CancelledError:
            self._dropped = True  # before `_started` is read: the thread sets and reads them the other way round
            stop()
            if self._started:
                await self.ended_within(GRACE_S)
            raise
        if self._error is None:
            return self._result
        try:
            raise self._error
        finally:
            self._error = None  # its traceback refers to this frame

    async def ended_within(self, limit_s: float) -> bool:
        """Whether the work ends in time. One that does not is written off: its thread no longer counts."""
        try:
            async with asyncio.timeout(limit_s):
                while not self.ended:
                    self._waiter = self._loop.create_future()
                    await self._waiter
        except TimeoutError:
            return False
        finally:
            if not self.ended:
                _threads.write_off(self)
        return True

    def run(self) -> None:
        """Does the work; called in a thread."""
        self._started = True
        work, self._work = self._work, None
        if work is not None and not self._dropped:
            try:
                self._result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                self._error = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        self.ended = True
        if not self._waiter.done():
            self._waiter.set_result(None)


class _Threads:
    """A few threads, and up to `MOST_THREADS` while these are held up; those that hang are not counted."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job[Any]] = SimpleQueue()
        self._lock = Lock()
        self._alive = 0
        self._lost = 0
        self._free = 0  # threads that wait for work, less the jobs that wait for a thread
        self._returned = 0
        self._held_up: Event | None = None

    def submit(self, job: Job[Any]) -> None:
        with self._lock:
            if self._free < 1:
                self._grow(FEW_THREADS)
            self._free -= 1
            if self._free < 0:
                self._call_foreman()
        self._jobs.put(job)

    def write_off(self, job: Job[Any]) -> None:
        with self._lock:
            if not job.returned and not job.lost:
                job.lost = True
                self._lost += 1

    def _grow(self, most: int) -> bool:
        if self._alive - self._lost >= most:
            return False
        try:
            Thread(target=self._serve, name="omnidb-sqlite", daemon=True).start()
        except RuntimeError:  # the system allows no more threads
            if self._alive == self._lost:
                raise
            return False
        self._alive += 1
        self._free += 1
        return True

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            job.run()
            with self._lock:
                job.returned = True
                self._returned += 1
                self._lost -= job.lost
                if self._free >= FEW_THREADS or self._alive - self._lost > MOST_THREADS:
                    self._alive -= 1
                    return
                self._free += 1
            del job

    def _call_foreman(self) -> None:
        if self._held_up is None:
            held_up = Event()
            with contextlib.suppress(RuntimeError):  # the system allows no more threads, so there is none to add
                Thread(target=self._relieve, args=(held_up,), name="omnidb-sqlite-foreman", daemon=True).start()
                self._held_up = held_up
        if self._held_up is not None:
            self._held_up.set()

    def _relieve(self, held_up: Event) -> None:
        """Gives the jobs that wait threads of their own, when none has come to an end for a moment.

        Quick work is quickest with few threads: 64 that fight for the interpreter's lock take longer, and each
        one's measured latency is many times the true one.
        """
        while held_up.wait():
            returned = self._returned
            sleep(HELD_UP_S)
            with self._lock:
                while self._free < 0 and self._returned == returned and self._grow(MOST_THREADS):
                    pass
                if self._free >= 0:
                    held_up.clear()


_threads = _Threads()


def start(work: Callable[[], T]) -> Job[T]:
    """Hands `work` to a thread. Call it in a running event loop."""
    job = Job(work)
    _threads.submit(job)
    return job
