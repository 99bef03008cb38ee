"""When connections are looked at: at once, on their own schedules, or on request; never twice at a time.

A look is done by one of at most `limit` workers. Every attempt has a deadline; one shared timer finds those that
ran out, so that a look at ten thousand connections needs no timer for each.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import count
from random import uniform
from time import time

from omnidb_cli.core.circuit import Moment
from omnidb_cli.core.endpoint import Checked
from omnidb_cli.core.health import CheckResult, Health, failed, result_of
from omnidb_cli.core.settings import HealthCheck
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ErrorKind, NotConnectedError

IN_FLIGHT = 64
_GRACE_S = 0.25
"""How long a cancelled check may take to stop before its verdict is given without it."""
_YIELD_EVERY = 64
"""Looks that a worker does before it lets others run, where the checks never wait themselves."""

OnResult = Callable[[str, Checked, Moment], None]


class _Subject:
    """One connection to look at."""

    __slots__ = ("busy", "check", "due", "name", "settings", "sweeps")

    def __init__(self, name: str, check: Callable[[], object], settings: HealthCheck) -> None:
        self.name = name
        self.check = check
        self.settings = settings
        self.busy = False
        self.due: float | None = None
        self.sweeps: list[_Sweep] | None = None


class _Sweep:
    """One caller who waits for looks."""

    __slots__ = ("done", "left")

    def __init__(self, left: int, done: "asyncio.Future[None]") -> None:
        self.left = left
        self.done = done

    def one_less(self) -> None:
        self.left -= 1
        if self.left == 0 and not self.done.done():
            self.done.set_result(None)

    def give_up(self) -> None:
        if not self.done.done():
            self.done.set_exception(NotConnectedError("disconnected while a look was under way"))


class _Worker:
    """One task that looks, and the deadline of the attempt it is at."""

    __slots__ = ("abandoned", "deadline", "expired", "subject", "task")

    subject: _Subject
    task: "asyncio.Task[None]"

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.expired = False
        self.abandoned = False

    def take_back_expiry(self) -> bool:
        """Undoes the cancellation by the deadline; whether somebody else wants the task to end as well."""
        self.expired = False
        return self.task.uncancel() > 0


class HealthMonitor:
    """Looks at connections and tells `on_result(name, checked, moment)` of each answer.

    `checks` maps names to functions without parameters (sync or async); `settings` gives intervals, timeouts and
    retries, `settings.overrides` those of single names. Use it as `async with monitor:`; leaving cancels what is
    under way, and no result comes after that.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], object]],
        settings: HealthCheck,
        on_result: OnResult,
        *,
        limit: int = IN_FLIGHT,
    ) -> None:
        overrides = settings.overrides
        self._subjects = {name: _Subject(name, check, overrides.get(name, settings)) for name, check in checks.items()}
        self._on_result = on_result
        self._limit = limit
        self._queue: deque[_Subject] = deque()
        self._workers: set[_Worker] = set()
        self._starting = 0
        self._schedule: list[tuple[float, int, _Subject]] = []
        self._tickets = count()
        self._timer: asyncio.TimerHandle | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._group: asyncio.TaskGroup | None = None
        self._periodic = False

    async def __aenter__(self) -> "HealthMonitor":
        self._loop = asyncio.get_running_loop()
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        group, self._group = self._group, None
        self._periodic = False
        for timer in (self._timer, self._wake):
            if timer is not None:
                timer.cancel()
        for worker in self._workers:
            worker.task.cancel()
        for subject in self._subjects.values():
            for sweep in subject.sweeps or ():
                sweep.give_up()
        if group is not None:
            await group.__aexit__(None, None, None)

    def __contains__(self, name: str) -> bool:
        return name in self._subjects

    @property
    def in_flight(self) -> Iterator[str]:
        """The names that are being looked at now."""
        return (name for name, subject in self._subjects.items() if subject.busy)

    def settings_of(self, name: str) -> HealthCheck:
        """The settings under which `name` is checked."""
        return self._subjects[name].settings

    async def look(self, names: Iterable[str] | None = None) -> None:
        """Looks at the named connections (all of them: None) now, and returns when each has an answer.

        One that is being looked at already is not looked at twice: its answer is waited for.
        """
        wanted = self._subjects if names is None else names
        subjects = [self._subjects[name] for name in wanted if name in self._subjects]
        if not subjects:
            return
        sweep = _Sweep(len(subjects), self._loop.create_future())
        for subject in subjects:
            if subject.sweeps is None:
                subject.sweeps = []
            subject.sweeps.append(sweep)
            self._enqueue(subject)
        self._staff()
        await sweep.done

    def request(self, name: str) -> None:
        """Looks at `name` as soon as possible; nothing waits for it."""
        if self._group is not None and name in self._subjects:
            self._enqueue(self._subjects[name])
            self._staff()

    def start(self) -> None:
        """From now on looks at every connection on its own schedule."""
        if self._periodic:
            return
        self._periodic = True
        for subject in self._subjects.values():
            self._plan(subject)
        self._set_wake()

    def _enqueue(self, subject: _Subject) -> None:
        if not subject.busy:
            subject.busy = True
            self._queue.append(subject)

    def _staff(self) -> None:
        """Puts a worker to each waiting connection, as far as there are places: one that works may work for long."""
        if self._group is None:
            return
        for _ in range(min(len(self._queue) - self._starting, self._limit - len(self._workers))):
            worker = _Worker()
            self._workers.add(worker)
            self._starting += 1
            worker.task = self._group.create_task(self._work(worker))

    async def _work(self, worker: _Worker) -> None:
        self._starting -= 1
        try:
            done = 0
            while self._queue and not worker.abandoned:
                subject = worker.subject = self._queue.popleft()
                checked = await self._attempt(subject, worker)
                if subject.settings.retries and checked.result.health is Health.UNHEALTHY:
                    checked = await self._retry(subject, worker, checked)
                if not worker.abandoned:
                    self._report(subject, checked)
                subject.busy = False
                done += 1
                if done % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        finally:
            self._workers.discard(worker)

    async def _retry(self, subject: _Subject, worker: _Worker, checked: Checked) -> Checked:
        for _ in range(subject.settings.retries):
            if worker.abandoned or checked.result.health is not Health.UNHEALTHY:
                break
            await asyncio.sleep(subject.settings.retry_delay_s)
            checked = await self._attempt(subject, worker)
        return checked

    async def _attempt(self, subject: _Subject, worker: _Worker) -> Checked:
        started = self._loop.time()
        worker.deadline = deadline = started + subject.settings.timeout_s
        if self._timer is None or self._timer.when() > deadline:
            self._set_timer(deadline)
        try:
            answer = subject.check()
            if hasattr(answer, "__await__"):
                answer = await answer
            result = result_of(answer)
        except asyncio.CancelledError:
            if not worker.expired:
                raise
            result = _timed_out(subject)
        except Exception as error:  # noqa: BLE001 - whatever a check raises is its verdict
            result = failed(error)
        finally:
            worker.deadline = None
        if worker.expired:
            if worker.take_back_expiry():
                raise asyncio.CancelledError
            return Checked(_timed_out(subject))
        if result.health is Health.UNHEALTHY:
            return Checked(result)
        return Checked(result, self._loop.time() - started)

    def _report(self, subject: _Subject, checked: Checked) -> None:
        if self._group is None:
            return
        if self._periodic:
            self._plan(subject)
            self._set_wake()
        self._on_result(subject.name, checked, Moment(self._loop.time(), time()))
        if subject.sweeps is not None:
            sweeps, subject.sweeps = subject.sweeps, None
            for sweep in sweeps:
                sweep.one_less()

    def _set_timer(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        """Cancels the attempts whose time is up, and gives up on those that do not stop."""
        self._timer = None
        now = self._loop.time()
        upcoming: list[float] = []
        for worker in tuple(self._workers):
            if worker.deadline is None:
                continue
            if worker.deadline <= now:
                self._overdue(worker, now)
            if worker.deadline is not None:
                upcoming.append(worker.deadline)
        if upcoming and self._group is not None:
            self._set_timer(min(upcoming))

    def _overdue(self, worker: _Worker, now: float) -> None:
        if not worker.expired:
            worker.expired = True
            worker.deadline = now + _GRACE_S
            worker.task.cancel()
            return
        worker.deadline = None
        worker.abandoned = True  # it ignores its cancellation: its connection stays busy, its place is filled
        self._workers.discard(worker)
        self._report(worker.subject, Checked(_timed_out(worker.subject)))
        self._staff()

    def _plan(self, subject: _Subject) -> None:
        subject.due = self._loop.time() + subject.settings.interval_s * uniform(0.95, 1.05)  # noqa: S311 - no secret
        heappush(self._schedule, (subject.due, next(self._tickets), subject))

    def _set_wake(self) -> None:
        due = self._schedule[0][0] if self._schedule else None
        if due is None or (self._wake is not None and self._wake.when() <= due):
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake = self._loop.call_at(due, self._release)

    def _release(self) -> None:
        """Queues every connection whose look is due."""
        self._wake = None
        now = self._loop.time()
        while self._schedule and self._schedule[0][0] <= now:
            due, _, subject = heappop(self._schedule)
            if due != subject.due:
                continue  # looked at meanwhile, and planned anew
            if subject.busy:
                self._plan(subject)
            else:
                self._enqueue(subject)
        self._staff()
        self._set_wake()


def _timed_out(subject: _Subject) -> CheckResult:
    limit = format_duration(subject.settings.timeout_s)
    return CheckResult(Health.UNHEALTHY, detail=f"no answer within {limit}", kind=ErrorKind.TIMEOUT)
