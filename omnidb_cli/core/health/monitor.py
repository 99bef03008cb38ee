"""When connections are checked: at once, on their own schedules, or on request; never twice at a time.

A check is done by one of at most `limit` workers. There are only as many as there are checks that wait: while checks
answer at once, a single worker does them all, and lets others run between.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import time

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.health.deadlines import Deadlines, Worker
from omnidb_cli.core.health.model import CheckResult, Health, failed, to_check_result
from omnidb_cli.core.health.queue import CheckQueue
from omnidb_cli.core.health.schedule import Schedule
from omnidb_cli.core.health.subject import CheckBatch, MonitoredConnection
from omnidb_cli.core.reducer import CheckCompleted
from omnidb_cli.core.settings import HealthCheck
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ErrorKind, NotConnectedError

IN_FLIGHT = 64
_BREATH = 64
"""Checks after which the loop's other tasks get their turn, where the checks never wait themselves."""

# Every check asks for these; looking a member up on its enum costs as much as half a check on Python 3.11.
_UNHEALTHY, _TIMEOUT = Health.UNHEALTHY, ErrorKind.TIMEOUT

OnResult = Callable[[str, CheckCompleted, Instant], object]


class HealthMonitor:
    """Checks connections and tells `on_result(name, checked, moment)` of each answer.

    `checks` maps names to functions without parameters (sync or async); `settings` gives intervals, timeouts and
    retries, `settings.overrides` those of single names. Use it as `async with monitor:`; leaving cancels what is
    under way, and no result comes after that.
    """

    _loop: asyncio.AbstractEventLoop
    _group: asyncio.TaskGroup
    _deadlines: Deadlines
    _schedule: Schedule

    def __init__(
        self,
        checks: Mapping[str, Callable[[], object]],
        settings: HealthCheck,
        on_result: OnResult,
        *,
        limit: int = IN_FLIGHT,
    ) -> None:
        overrides = settings.overrides
        self._subjects = {
            name: MonitoredConnection(name, check, overrides.get(name, settings)) for name, check in checks.items()
        }
        self.on_result = on_result
        self._limit = limit
        self._turns = CheckQueue(limit)
        self._workers: set[Worker] = set()
        self._hanging: set[Worker] = set()
        self._at_hand = 0
        """Workers that will take a turn as soon as the loop lets them."""
        self._breath = _BREATH
        self._relief_called = False
        self._running = False

    async def __aenter__(self) -> "HealthMonitor":
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines(self._loop, self._workers, self._abandon)
        self._schedule = Schedule(self._loop, self._release)
        self._group = await asyncio.TaskGroup().__aenter__()
        self._running = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.stop()
        await self._group.__aexit__(None, None, None)

    def stop(self) -> None:
        """Cancels what is under way; no result comes any more, and whoever waits for one hears that."""
        if not self._running:
            return
        self._running = False
        self._deadlines.stop()
        self._schedule.stop()
        for worker in (*self._workers, *self._hanging):
            worker.task.cancel()
        for subject in self._subjects.values():
            subject.give_up()

    def __contains__(self, name: str) -> bool:
        return name in self._subjects

    @property
    def in_flight(self) -> Iterator[str]:
        """The names that are being checked now, or wait for their turn."""
        return (name for name, subject in self._subjects.items() if subject.busy)

    async def check(self, names: Iterable[str] | None = None) -> None:
        """Checks the named connections (all of them: None) now, and returns when each has an answer.

        One that is being checked already is not checked twice: its answer is waited for. Raises
        NotConnectedError outside `async with`.
        """
        wanted = self._subjects if names is None else names
        subjects = [self._subjects[name] for name in wanted if name in self._subjects]
        if not self._running:
            raise NotConnectedError("the monitor is not running")
        if not subjects:
            return
        sweep = CheckBatch(len(subjects), self._loop.create_future())
        alone = (sweep,)
        for subject in subjects:
            subject.waiting = (*subject.waiting, sweep) if subject.waiting else alone
        self._release(subjects)
        await sweep.done

    def request(self, name: str) -> None:
        """Checks `name` as soon as possible; nothing waits for it."""
        if name in self._subjects:
            self._release((self._subjects[name],))

    def start(self) -> None:
        """From now on checks every connection on its own schedule."""
        if self._running and not self._schedule.running:
            self._schedule.start(self._subjects.values())

    def _release(self, subjects: Iterable[MonitoredConnection]) -> None:
        """Has each of them wait for its turn, unless it is being checked already."""
        if not self._running:
            return
        for subject in subjects:
            if subject.hangs:
                self._give_verdict_on_hanging(subject)
            elif not subject.busy:
                subject.busy = True
                self._turns.put(subject)
        self._staff()

    def _staff(self) -> None:
        """Starts workers, unless somebody is at hand; each time as many again as there are, as far as places go."""
        if self._at_hand or not self._running:
            return
        if not self._workers:
            self._breath = _BREATH
        present = len(self._workers)
        for _ in range(min(self._turns.waiting, present or 1, self._limit - present)):
            worker = Worker()
            self._workers.add(worker)
            self._at_hand += 1
            worker.task = self._group.create_task(self._work(worker))

    def _relieve(self) -> None:
        """In the loop's next round: all workers may have come to wait in their checks."""
        self._relief_called = False
        self._breath = _BREATH
        self._staff()

    async def _work(self, worker: Worker) -> None:
        self._at_hand -= 1
        try:
            while self._running and (subject := self._turns.take()) is not None:
                worker.subject = subject
                if not self._relief_called:
                    self._relief_called = True
                    self._loop.call_soon(self._relieve)
                checked = await self._attempt(subject, worker)
                if checked.result.health is _UNHEALTHY and subject.settings.retries:
                    checked = await self._retry(subject, worker, checked)
                if worker.abandoned:
                    subject.busy = subject.hangs = False
                    return
                if self._turns.late_under_way:
                    self._turns.done(subject)
                self._report(subject, checked)
                subject.busy = False
                self._breath -= 1
                if self._breath <= 0 and not await self._breathe():
                    return
        finally:
            self._workers.discard(worker)
            self._hanging.discard(worker)

    async def _breathe(self) -> bool:
        """Lets others run; False when another worker is at hand to go on, so that this one may leave."""
        if self._at_hand:
            return False
        self._at_hand += 1
        await asyncio.sleep(0)
        self._at_hand -= 1
        return True

    async def _retry(self, subject: MonitoredConnection, worker: Worker, checked: CheckCompleted) -> CheckCompleted:
        for _ in range(subject.settings.retries):
            if worker.abandoned or checked.result.health is not _UNHEALTHY:
                break
            await asyncio.sleep(subject.settings.retry_delay_s)
            checked = await self._attempt(subject, worker)
        return checked

    async def _attempt(self, subject: MonitoredConnection, worker: Worker) -> CheckCompleted:
        began_s = self._loop.time()
        worker.deadline_s = deadline_s = began_s + subject.settings.timeout_s
        if deadline_s < self._deadlines.next_s:
            self._deadlines.watch(deadline_s)
        try:
            answer = subject.check()
            if hasattr(answer, "__await__"):
                answer = await answer
            result = to_check_result(answer)
        except asyncio.CancelledError as error:
            if not worker.expired and worker.task.cancelling():
                raise
            result = _timed_out(subject) if worker.expired else failed(error)  # the check's own work was cancelled
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its verdict
            result = failed(error)
        finally:
            worker.deadline_s = None
        if worker.expired:
            if worker.take_back_expiry():
                raise asyncio.CancelledError
            result = _timed_out(subject)
        subject.checked_s = self._loop.time()
        return CheckCompleted(result, None if result.health is _UNHEALTHY else subject.checked_s - began_s)

    def _report(self, subject: MonitoredConnection, checked: CheckCompleted) -> None:
        if not self._running:
            return
        kind = checked.result.kind
        subject.late = kind is not None and kind == _TIMEOUT
        if subject.due_s is None and self._schedule.running:
            self._schedule.put(subject)
        self.on_result(subject.name, checked, Instant(subject.checked_s, time()))
        if subject.waiting:
            waiting, subject.waiting = subject.waiting, ()
            for sweep in waiting:
                sweep.one_less()

    def _abandon(self, worker: Worker) -> None:
        """A check ignores its cancellation: it is not waited for, and its place is filled."""
        subject = worker.subject
        subject.hangs = True
        self._workers.discard(worker)
        self._hanging.add(worker)
        self._turns.done(subject)
        self._give_verdict_on_hanging(subject)
        self._staff()

    def _give_verdict_on_hanging(self, subject: MonitoredConnection) -> None:
        subject.checked_s = self._loop.time()
        self._report(subject, CheckCompleted(_timed_out(subject)))


def _timed_out(subject: MonitoredConnection) -> CheckResult:
    limit = format_duration(subject.settings.timeout_s)
    return CheckResult(Health.UNHEALTHY, detail=f"no answer within {limit}", kind=ErrorKind.TIMEOUT)
