"""When each connection's turn comes."""

import asyncio

from omnidb_cli import HealthCheck
from omnidb_cli.core.health.schedule import Schedule
from omnidb_cli.core.health.subject import MonitoredConnection
from tests.core.clock import advance, now

INTERVAL_S = 10.0


class Diary:
    """A schedule whose subjects answer at once when they are due, and what it released: (name, when)."""

    def __init__(self, *names: str, answers: bool = True) -> None:
        self.subjects = [MonitoredConnection(name, lambda: True, HealthCheck(interval=INTERVAL_S)) for name in names]
        self.answers = answers
        self.released: list[tuple[str, float]] = []
        self.schedule = Schedule(asyncio.get_running_loop(), self.release)

    def release(self, due: list[MonitoredConnection]) -> None:
        for subject in due:
            self.released.append((subject.name, now()))
            if self.answers:
                self.checked(subject)

    def checked(self, subject: MonitoredConnection) -> None:
        subject.checked_s = now()
        if subject.due_s is None:
            self.schedule.put(subject)

    def timers(self) -> int:
        loop = asyncio.get_running_loop()
        return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]


async def test_everybody_is_due_an_interval_from_the_start_and_then_again_and_again() -> None:
    diary = Diary("a", "b")
    diary.schedule.start(diary.subjects)
    await advance(INTERVAL_S * 0.94)
    assert diary.released == []
    await advance(INTERVAL_S * 0.12)
    assert sorted(name for name, _ in diary.released) == ["a", "b"]
    await advance(INTERVAL_S * 100)
    assert 190 <= len(diary.released) <= 212
    diary.schedule.stop()


async def test_one_that_was_checked_at_meanwhile_is_put_off() -> None:
    diary = Diary("a")
    diary.schedule.start(diary.subjects)
    await advance(INTERVAL_S * 0.8)
    diary.checked(diary.subjects[0])
    checked_s = now()
    await advance(INTERVAL_S * 1.2)
    assert len(diary.released) == 1
    assert 0.95 <= (diary.released[0][1] - checked_s) / INTERVAL_S <= 1.05
    diary.schedule.stop()


async def test_checking_a_thousand_times_in_between_leaves_one_entry() -> None:
    diary = Diary("a")
    diary.schedule.start(diary.subjects)
    for _ in range(1000):
        diary.checked(diary.subjects[0])
    assert len(diary.schedule._entries) == 1
    assert diary.timers() == 1
    diary.schedule.stop()


async def test_one_that_has_not_answered_is_not_due_again() -> None:
    diary = Diary("a", answers=False)
    diary.schedule.start(diary.subjects)
    await advance(INTERVAL_S * 10)
    assert len(diary.released) == 1


async def test_nothing_is_due_after_the_end_and_no_timer_is_left() -> None:
    diary = Diary("a", "b")
    diary.schedule.start(diary.subjects)
    diary.schedule.stop()
    assert diary.timers() == 0
    await advance(INTERVAL_S * 3)
    assert diary.released == []
