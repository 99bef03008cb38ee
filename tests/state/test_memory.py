"""The store that keeps nothing."""

from datetime import UTC, datetime

import pytest

from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state.memory import open_store
from omnidb_cli.state.store import StoredConnection

SAVED = StoredConnection(ConnectionState(), "f1")


def event(name: str, second: int = 0) -> Event:
    return Event(EventType.ERROR, name, datetime(2026, 11, 23, 7, 30, second, tzinfo=UTC))


def test_it_remembers_as_long_as_it_lives_and_no_longer() -> None:
    store = open_store("memory:", "shop")
    assert store.update({"primary": lambda saved: (SAVED, [event("primary", 2)])}, [event("x", 1)]) == {
        "primary": SAVED
    }
    assert store.load() == {"primary": SAVED}
    assert [(one.id, one.event.name) for one in store.events()] == [(1, "x"), (2, "primary")]
    assert (store.info().exists, store.info().connections, store.info().events) == (False, 1, 2)
    assert store.remembers is False
    assert open_store("memory:", "shop").load() == {}
    assert store.reset() is None
    assert (store.load(), list(store.events())) == ({}, [])


def test_events_are_chosen() -> None:
    store = open_store("memory:", "shop")
    store.update({}, [event("a"), event("b", 1), event("a", 2)])
    assert [one.id for one in store.events(after_id=1)] == [2, 3]
    assert [one.id for one in store.events(names=["a"], types=["error"])] == [1, 3]
    assert [one.id for one in store.events(since=event("", 1).at)] == [2, 3]
    assert list(store.events(types=["failover"])) == []


def test_an_update_that_fails_changes_nothing() -> None:
    store = open_store("memory:", "shop")
    with pytest.raises(ZeroDivisionError):
        store.update({"a": lambda _: (SAVED, []), "b": lambda _: (SAVED, [event("b", 1 // 0)])})
    assert store.load() == {}


def test_another_url_is_refused() -> None:
    with pytest.raises(StateStoreError):
        open_store("memory:backup", "shop")
