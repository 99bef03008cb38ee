"""`failover=False`, handlers that are taken off, and a hold that takes no place: what each leaves to the others."""

import pytest

from omnidb_cli import ConnectionUnavailableError, Event
from tests.core.fakes import DownError, Fleet, broken, who

PAIR = {"a": "b"}


async def test_a_failure_without_failover_is_booked_on_the_one_that_ran_it() -> None:
    async with Fleet("a", "b", failover=PAIR) as fleet:
        await fleet.fail("b", 5)  # so that whoever serves "a" would be nobody else
        with pytest.raises(DownError):
            await fleet.db.execute("a", broken, failover=False)
        assert fleet.db.stats()["a"].failures == 1
        assert fleet.db.stats()["b"].failures == 5


async def test_a_success_without_failover_is_booked_on_it_too_while_another_serves() -> None:
    failover = {"a": "b", "b": "c"}
    async with Fleet("a", "b", "c", failover=failover) as fleet:
        await fleet.fail("a", 2)
        await fleet.fail("b", 2)
        assert await fleet.db.execute("a", who, failover=False) == "a"
        assert {name: fleet.db.stats()[name].failures for name in "ab"} == {"a": 0, "b": 2}


async def test_without_failover_it_is_refused_with_its_own_verdict_alone() -> None:
    async with Fleet("a", "b", failover=PAIR) as fleet:
        fleet.db.open_circuit("a", reason="new disk", actor="ann")
        fleet.db.open_circuit("b", actor="bob")
        with pytest.raises(ConnectionUnavailableError) as caught:
            await fleet.db.execute("a", who, failover=False)
        assert [(one.name, one.reason) for one in caught.value.candidates] == [("a", "held by ann: new disk")]
        with pytest.raises(ConnectionUnavailableError) as caught:
            await fleet.db.execute("a", who)
        assert [one.name for one in caught.value.candidates] == ["a", "b"]


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_after_one_handler_is_taken_off_the_others_still_hear(gone: int) -> None:
    fleet = Fleet("a")
    heard: list[list[Event]] = [[], [], []]
    handlers = [list_.append for list_ in heard]
    for handler in handlers:
        fleet.db.on("circuit:open", handler)
    fleet.db.off("circuit:open", handlers[gone])
    fleet.db.open_circuit("a")
    assert [len(list_) for list_ in heard] == [0 if number == gone else 1 for number in range(3)]


async def test_a_hold_that_takes_nobodys_place_leaves_another_actors() -> None:
    async with Fleet("a") as fleet:
        fleet.db.open_circuit("a", actor="ann", hold_for="1h")
        fleet.db.open_circuit("a", actor="bob", takes_over=False)
        assert fleet.db.circuit("a")[0].actor == "ann"
        fleet.db.open_circuit("a", actor="ann", takes_over=False)
        assert fleet.db.snapshot().connections[0].circuit.held_until is None
        fleet.db.open_circuit("a", actor="bob")
        assert fleet.db.circuit("a")[0].actor == "bob"
