"""The public face: the names there are, what is a coroutine, and what the package offers."""

import inspect
from pathlib import Path

import pytest

import omnidb_cli
from omnidb_cli import ConfigurationError, Event, Orchestrator
from tests.core.fakes import Fleet


def test_only_what_may_wait_is_a_coroutine() -> None:
    public = {name for name in dir(Orchestrator) if not name.startswith("_")}
    waiting = {name for name in public if inspect.iscoroutinefunction(getattr(Orchestrator, name))}
    assert waiting == {"connect", "disconnect", "execute", "check", "wait_closed"}


def test_the_documented_methods_are_there() -> None:
    documented = (
        "connect disconnect execute get route health stats snapshot list is_connected record_success record_failure "
        "open_circuit close_circuit check shutdown_on_signal wait_closed on off once events failback"
    )
    assert set(documented.split()) <= set(dir(Orchestrator))


async def test_it_is_a_collection_of_names() -> None:
    fleet = Fleet("b", "a")
    assert list(fleet.db.list()) == ["b", "a"]
    assert (len(fleet.db), "a" in fleet.db, "ghost" in fleet.db, None in fleet.db) == (2, True, False, False)


async def test_entering_gives_the_orchestrator_connected() -> None:
    db = Orchestrator({"a": object()})
    async with db as entered:
        assert entered is db
        assert db.is_connected


async def test_left_out_settings_are_the_defaults() -> None:
    async with Orchestrator({"a": object()}) as db:
        for _ in range(4):
            db.record_failure("a")
        assert db.stats()["a"].circuit == "closed"
        db.record_failure("a")
        assert db.stats()["a"].circuit == "open"


async def test_handlers_are_added_and_taken_off_by_the_word_of_the_event() -> None:
    fleet = Fleet("a")
    heard: list[Event] = []
    first: list[Event] = []
    fleet.db.on("circuit:open", heard.append)
    fleet.db.once("circuit:open", first.append)
    fleet.db.open_circuit("a")
    fleet.db.close_circuit("a")
    fleet.db.open_circuit("a")
    fleet.db.off("circuit:open", heard.append)
    fleet.db.close_circuit("a")
    fleet.db.open_circuit("a")
    assert (len(heard), len(first)) == (2, 1)
    for register in (fleet.db.on, fleet.db.once, fleet.db.off):
        with pytest.raises(ConfigurationError, match="circuit:open"):
            register("circuit:opened", heard.append)


async def test_events_is_read_with_async_for() -> None:
    fleet = Fleet("a")
    stream = fleet.db.events()
    async with fleet:
        async for event in stream:
            assert event.type == "health:changed"
            break


def test_every_name_that_the_package_offers_can_be_imported() -> None:
    for name in omnidb_cli.__all__:
        assert getattr(omnidb_cli, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = omnidb_cli.nonsense


@pytest.mark.parametrize("name", ["Orchestrator", "CircuitBreaker", "HealthMonitor", "FailoverRouter", "Registry"])
def test_the_five_of_the_first_architecture_are_offered(name: str) -> None:
    assert name in omnidb_cli.__all__


def test_the_package_is_typed() -> None:
    assert (Path(omnidb_cli.__file__).parent / "py.typed").exists()


def test_every_error_is_of_one_tree() -> None:
    errors = [name for name in omnidb_cli.__all__ if name.endswith(("Error", "Timeout"))]
    assert len(errors) >= 15
    for name in errors:
        assert issubclass(getattr(omnidb_cli, name), omnidb_cli.OmnidbError)
