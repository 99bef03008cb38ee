"""What a call costs while all is well: one coroutine, no clock, no event, and no wall time anywhere."""

import asyncio
import sys
from types import FrameType

import pytest

from omnidb_cli import CircuitState
from omnidb_cli.core import clock
from tests.core.clock import advance
from tests.core.fakes import Fleet, Server, who


async def test_a_call_is_one_coroutine_level_above_the_function() -> None:
    frames: list[str] = []

    async def fn(_: Server) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not this:
            frames.append(frame.f_code.co_name)
            frame = frame.f_back

    this = sys._getframe().f_code
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.db.execute("a", fn)
    assert frames == ["execute"]


async def test_a_call_reads_no_clock_while_closed_and_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden() -> float:
        raise AssertionError("a clock was read")

    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        await fleet.turn("b", up=False)
        call = fleet.db.execute("a", who)
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "time", forbidden)
            patch.setattr(clock, "time", forbidden)
            with pytest.raises(StopIteration) as done:
                call.send(None)
        assert done.value.value == "a"


async def test_a_call_that_goes_well_leaves_no_trace() -> None:
    async with Fleet("a") as fleet:
        before = fleet.db._board.connections["a"].state
        fleet.forget()
        for _ in range(100):
            await fleet.db.execute("a", who)
        assert fleet.db._board.connections["a"].state is not None
        assert fleet.db._board.connections["a"].state == before
        assert fleet.said() == []


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0], ids=["back", "ahead"])
async def test_a_wall_clock_that_jumps_neither_ends_nor_extends_a_wait(
    jump_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Fleet("tripped", "held", checked=()) as fleet:
        await fleet.fail("tripped", 5)
        fleet.db.open_circuit("held", hold_for="60s")
        usual = clock.time
        monkeypatch.setattr(clock, "time", lambda: usual() + jump_s)
        await advance(26)
        assert {one.circuit for one in fleet.db.stats().values()} == {CircuitState.OPEN}
        await advance(8)
        assert fleet.db.stats()["tripped"].circuit is CircuitState.HALF_OPEN
        assert fleet.db.stats()["held"].circuit is CircuitState.OPEN
        await advance(27)
        assert fleet.db.stats()["held"].circuit is CircuitState.HALF_OPEN
