"""The way back to the primary: at once, after a while, or when a person says so."""

import pytest

from omnidb_cli import (
    CircuitState,
    Failover,
    PreconditionError,
)
from tests.core.clock import advance
from tests.core.fakes import Fleet, who


async def test_a_primary_being_proved_does_not_keep_the_loop_busy() -> None:
    async with Fleet("a", "b", failover={"a": "b"}, interval="1h") as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        await advance(1800)  # a loop that spins fails here: see the clock
        assert fleet.db.route("a").serving == "b"


async def test_failback_after_waits_for_unbroken_eligibility() -> None:
    rule = Failover("b", failback_after="60s")
    async with Fleet("a", "b", failover={"a": rule}, interval="5h") as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        await fleet.db.check("a")
        assert fleet.db.stats()["a"].circuit is CircuitState.CLOSED
        await advance(50)
        assert await fleet.db.execute("a", who) == "b"
        assert "failing back at" in fleet.db.route("a").candidates[0].reason
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        await fleet.db.check("a")
        await advance(50)
        assert await fleet.db.execute("a", who) == "b"
        fleet.forget()
        await advance(11)
        assert [word for word, *_ in await fleet.moves()] == ["recovery"]
        assert await fleet.db.execute("a", who) == "a"


async def test_a_failback_that_waits_is_no_lane_for_the_primary_nor_a_gap_when_the_backup_fails() -> None:
    rule = Failover("b", failback_after="60s")
    async with Fleet("a", "b", failover={"a": rule}, interval="5h") as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("a", up=True)
        await fleet.db.check("a")
        await fleet.turn("b", up=False)
        assert await fleet.db.execute("a", who) == "a"


async def well_again(fleet: Fleet) -> None:
    """Lets `a` go down, come back, and be proved."""
    await fleet.turn("a", up=False)
    await fleet.turn("a", up=True)
    await fleet.db.check("a")


async def test_failback_manual_waits_for_a_persons_word() -> None:
    async with Fleet("a", "b", failover={"a": Failover("b", failback="manual")}) as fleet:
        await well_again(fleet)
        await advance(5000)
        assert await fleet.db.execute("a", who) == "b"
        route = fleet.db.route("a")
        assert (route.serving, route.is_failover) == ("b", True)
        assert route.candidates[0].eligible
        assert "failback is manual" in route.candidates[0].reason
        fleet.forget()
        fleet.db.failback("a")
        assert await fleet.moves() == [("recovery", "a", "a", "b")]
        assert await fleet.db.execute("a", who) == "a"
        fleet.db.failback("a")
        assert len(await fleet.moves()) == 1


async def test_failback_of_one_that_is_not_eligible_is_refused_with_the_reason() -> None:
    async with Fleet("a", "b", failover={"a": Failover("b", failback="manual")}) as fleet:
        await fleet.turn("a", up=False)
        with pytest.raises(PreconditionError, match="unhealthy: a refused"):
            fleet.db.failback("a")
        await fleet.turn("a", up=True)
        with pytest.raises(PreconditionError, match="proved by checks"):
            fleet.db.failback("a")
        assert await fleet.db.execute("a", who) == "b"


async def test_failback_where_the_primary_serves_is_nothing() -> None:
    async with Fleet("a", "b", failover={"a": Failover("b", failback="manual")}) as fleet:
        fleet.db.failback("a")
        fleet.db.failback("b")
        assert await fleet.moves() == []


async def test_failback_auto_may_be_hastened_by_hand() -> None:
    async with Fleet("a", "b", failover={"a": Failover("b", failback_after="1h")}) as fleet:
        await well_again(fleet)
        fleet.db.failback("a")
        assert await fleet.db.execute("a", who) == "a"
        fleet.forget()
        await advance(4000)
        assert await fleet.moves() == []


async def test_manual_failback_applies_to_the_last_one_standing_too() -> None:
    async with Fleet("a", "b", failover={"a": Failover("b", failback="manual")}) as fleet:
        await fleet.turn("a", up=False)
        await fleet.turn("b", up=False)
        await fleet.turn("a", up=True)
        assert fleet.db.route("a").serving == "a"  # nobody served: there is nobody to leave it to
