"""Which events of the history a command shows, and which of them are new."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omnidb_cli.cli.commands.events.query import EventQuery, Followed, question, saved_events
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.state.store import Store, open_state

AT = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_state(f"sqlite:///{tmp_path}/state.db", "shop")) as store:
        yield store


def happen(store: Store, *minutes: int, name: str = "a") -> None:
    store.update({}, [Event(EventType.CIRCUIT_OPEN, name, AT + timedelta(minutes=one)) for one in minutes])


def minutes(found: object) -> list[int]:
    return [(one.event.at - AT) // timedelta(minutes=1) for one in found]  # type: ignore[attr-defined]


def test_the_limit_counts_what_was_there_at_the_start_alone(store: Store) -> None:
    followed = Followed(store, EventQuery(limit=2))
    assert followed.news() == []
    happen(store, 1, 2, 3)
    assert minutes(followed.news()) == [1, 2, 3]
    late = Followed(store, EventQuery(limit=2))
    assert minutes(late.news()) == [2, 3]
    happen(store, 4, 5, 6)
    assert minutes(late.news()) == minutes(followed.news()) == [4, 5, 6]
    assert late.news() == []


def test_of_some_names_alone(store: Store) -> None:
    followed = Followed(store, EventQuery(names=("b",)))
    happen(store, 1, 2)
    happen(store, 3, name="b")
    assert minutes(followed.news()) == [3]
    happen(store, 4)
    assert followed.news() == []


def test_after_a_reset_nothing_is_lost_and_nothing_comes_twice(store: Store) -> None:
    followed = Followed(store, EventQuery())
    happen(store, 1, 2)
    assert minutes(followed.news()) == [1, 2]
    store.reset()
    assert followed.news() == []
    happen(store, 3)
    assert minutes(followed.news()) == [3]
    assert followed.news() == []


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_file_in_its_place_numbers_anew(store: Store, tmp_path: Path, count: int) -> None:
    followed = Followed(store, EventQuery())
    happen(store, 1, 2)
    followed.news()
    store.close()
    for file in tmp_path.iterdir():
        file.unlink()
    happen(store, *range(10, 10 + count))
    assert minutes(followed.news()) == list(range(10, 10 + count))
    assert followed.news() == []


def test_up_to_a_time(store: Store) -> None:
    happen(store, 1, 2, 3)
    found = saved_events(store, question(AT + timedelta(minutes=2), AT + timedelta(minutes=2), None, (), ()))
    assert [one["at"] for one in found] == ["2026-11-23T07:32:00.000000Z"]


def test_a_time_copied_from_the_table_includes_the_event_that_was_printed_so(store: Store) -> None:
    at = AT + timedelta(microseconds=494_123)
    store.update({}, [Event(EventType.CIRCUIT_OPEN, "a", at), Event(EventType.CIRCUIT_CLOSE, "a", at)])
    printed = AT + timedelta(milliseconds=494)
    assert len(saved_events(store, question(None, printed, None, (), ()))) == 2
    assert saved_events(store, question(None, printed - timedelta(milliseconds=1), None, (), ())) == []
    assert saved_events(store, question(None, at - timedelta(microseconds=1), None, (), ())) == []


def test_an_older_history_under_the_same_numbers_is_not_shown(store: Store, tmp_path: Path) -> None:
    followed = Followed(store, EventQuery())
    happen(store, 4, 5)
    assert minutes(followed.news()) == [4, 5]
    for file in tmp_path.iterdir():
        file.unlink()
    happen(store, 1, 2)
    assert followed.news() == []
