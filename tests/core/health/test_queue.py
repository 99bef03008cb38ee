"""Whose check is next, where many endpoints hang."""

from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli import HealthCheck
from omnidb_cli.core.health.queue import CheckQueue
from omnidb_cli.core.health.subject import MonitoredConnection

PLACES = 8
KEPT = 2


def subject(name: str, *, late: bool = False) -> MonitoredConnection:
    one = MonitoredConnection(name, lambda: True, HealthCheck())
    one.late = late
    return one


def taken(turns: CheckQueue, times: int) -> list[str]:
    """The names of the next ones, as far as there are any; their checks go on."""
    found = (turns.take() for _ in range(times))
    return [one.name for one in found if one is not None]


def filled(*, prompt: int, late: int) -> CheckQueue:
    turns = CheckQueue(PLACES)
    for number in range(prompt):
        turns.put(subject(f"prompt-{number}"))
    for number in range(late):
        turns.put(subject(f"late-{number}", late=True))
    return turns


def test_first_come_first_served() -> None:
    assert taken(filled(prompt=3, late=0), 9) == ["prompt-0", "prompt-1", "prompt-2"]


def test_the_late_never_take_the_last_places() -> None:
    assert len(taken(filled(prompt=0, late=20), 99)) == PLACES - KEPT


def test_the_late_have_places_of_their_own_before_anybody_else() -> None:
    names = taken(filled(prompt=20, late=20), PLACES)
    assert names[:KEPT] == ["late-0", "late-1"]
    assert [name for name in names if name.startswith("prompt")] == [f"prompt-{n}" for n in range(PLACES - KEPT)]


def test_one_that_is_done_leaves_its_place_to_the_next_late_one() -> None:
    turns = filled(prompt=0, late=20)
    first = turns.take()
    assert first is not None
    taken(turns, 99)
    turns.done(first)
    assert taken(turns, 99) == [f"late-{PLACES - KEPT}"]


def test_a_single_place_serves_everybody() -> None:
    turns = CheckQueue(1)
    turns.put(subject("late", late=True))
    turns.put(subject("prompt"))
    first = turns.take()
    assert first is not None
    turns.done(first)
    assert {first.name, *taken(turns, 1)} == {"late", "prompt"}


@given(st.lists(st.sampled_from(["prompt", "late", "take", "done"])), st.integers(1, 16))
def test_as_many_as_it_says_wait_and_nobody_is_lost(steps: list[str], places: int) -> None:
    turns, under_way, put, got = CheckQueue(places), [], 0, 0
    for step in steps:
        match step:
            case "take":
                before = turns.waiting
                one = turns.take()
                assert (one is not None) == (before > 0)
                if one is not None:
                    assert turns.waiting <= before
                    under_way.append(one)
                    got += 1
            case "done" if under_way:
                turns.done(under_way.pop(0))
            case "prompt" | "late":
                turns.put(subject(f"{put}", late=step == "late"))
                put += 1
        assert sum(one.late for one in under_way) <= max(places - places // 4, 1)
    for one in under_way:
        turns.done(one)
    while (one := turns.take()) is not None:
        turns.done(one)
        got += 1
    assert got == put
