"""What several watchers saw is told once."""

from datetime import UTC, datetime, timedelta

import pytest

from omnidb_cli.cli.commands.watch import event_merging
from omnidb_cli.cli.commands.watch.event_merging import NEAR_S, SharedEvents
from omnidb_cli.core.events.model import Event, EventType

AT = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def failover(after_s: float = 0.0, *, to: str = "replica", reason: str = "mine") -> Event:
    at = AT + timedelta(seconds=after_s)
    return Event(EventType.FAILOVER, "primary", at, reason=reason, primary="primary", backup=to)


@pytest.fixture
def shared() -> SharedEvents:
    return SharedEvents()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> "list[float]":
    """The clock by which tellings are apart; the last one counts."""
    clock = [0.0]
    monkeypatch.setattr(event_merging, "monotonic", lambda: clock[-1])
    return clock


def test_ones_own_comes_back_from_the_history_however_late(shared: SharedEvents, later: "list[float]") -> None:
    assert shared.own([failover()]) == [failover()]
    later.append(3600.0)
    assert shared.saved([failover()]) == []


def test_what_both_saw_is_told_by_the_first(shared: SharedEvents) -> None:
    assert shared.own([failover(0.2)]) == [failover(0.2)]
    assert shared.saved([failover(0.0, reason="theirs")]) == []
    assert shared.saved([failover(30.0, reason="theirs")]) == [failover(30.0, reason="theirs")]
    assert shared.own([failover(30.3)]) == []


def test_what_only_another_one_saw_is_told(shared: SharedEvents) -> None:
    assert shared.saved([failover()]) == [failover()]


def test_what_happens_twice_is_told_twice(shared: SharedEvents) -> None:
    twice = [failover(0.0), failover(1.0)]
    assert shared.own(twice) == twice
    assert shared.saved(twice) == []
    assert shared.saved(twice) == twice


def test_another_backup_is_another_event(shared: SharedEvents) -> None:
    assert shared.own([failover()]) == [failover()]
    assert shared.saved([failover(to="archive")]) == [failover(to="archive")]


def test_what_is_apart_in_both_times_is_no_second_telling(shared: SharedEvents, later: "list[float]") -> None:
    assert shared.own([failover()]) == [failover()]
    later.append(2 * NEAR_S)
    assert shared.saved([failover(2 * NEAR_S)]) == [failover(2 * NEAR_S)]


def test_what_never_comes_back_is_not_kept_for_ever(shared: SharedEvents) -> None:
    for number in range(1000):
        shared.own([failover(number * 100.0)])
    assert sum(map(len, shared._waiting.values())) < 100
