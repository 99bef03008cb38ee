"""What an earlier process remembered, and what another one does meanwhile."""

import asyncio
from time import time
from typing import Any

import pytest
from msgspec.structs import replace

from omnidb_cli import CircuitState, Event, Failover, Health, HealthCheck, Orchestrator
from omnidb_cli.core.circuit.model import Hold, Instant
from omnidb_cli.core.health.model import CheckResult
from omnidb_cli.core.reducer import (
    Action,
    CallCompleted,
    CheckCompleted,
    CloseRequested,
    ConnectionPolicy,
    ConnectionState,
    HoldRequested,
    reduce,
)
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.core.settings import CircuitBreakerConfig
from tests.core.clock import advance, now, settle
from tests.core.fakes import Fleet, Server, check, who

SETTINGS = ConnectionPolicy(CircuitBreakerConfig().rules(jitter=lambda: 0.0))
BAD = CheckCompleted(CheckResult(Health.UNHEALTHY, detail="refused", kind="refused"))
GOOD = CheckCompleted(CheckResult())


def remembered(*inputs: Action, ago_s: float = 0.0) -> ConnectionState:
    """What is remembered after `inputs` that happened so many seconds ago."""
    state = ConnectionState()
    for given in inputs:
        state = reduce(state, given, Instant(now() - ago_s, time() - ago_s), SETTINGS).state
    return state


TRIPPED = [CallCompleted(succeeded=False)] * 5


async def test_restoring_emits_nothing_and_extends_nothing() -> None:
    fleet = Fleet("a", checked=())
    fleet.db.restore("a", remembered(*TRIPPED, ago_s=20))
    assert fleet.said() == []
    assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
    async with fleet:
        assert fleet.said("circuit:open", "circuit:half-open") == []
        await advance(9.9)
        assert fleet.db.stats()["a"].circuit is CircuitState.OPEN
        await advance(0.2)
        assert fleet.said("circuit:half-open") == [("circuit:half-open", "a", "reset-timeout-elapsed")]


async def test_a_wait_that_ran_out_between_processes_is_over_at_once() -> None:
    fleet = Fleet("a", checked=())
    fleet.db.restore("a", remembered(*TRIPPED, ago_s=31))
    async with fleet:
        await settle()
        assert fleet.said("circuit:half-open") == [("circuit:half-open", "a", "reset-timeout-elapsed")]


async def test_restored_twice_is_restored_once() -> None:
    fleet = Fleet("a", checked=())
    state = remembered(*TRIPPED, ago_s=20)
    fleet.db.restore("a", state)
    fleet.db.restore("a", state)
    assert fleet.db.snapshot().connections[0].circuit.failures == 5


async def test_a_restored_hold_holds() -> None:
    fleet = Fleet("a", "b", failover={"a": "b"})
    fleet.db.restore("a", remembered(HoldRequested(Hold(60.0, "upgrade", "ann")), ago_s=20))
    async with fleet:
        assert await fleet.db.execute("a", who) == "b"
        assert fleet.said("circuit:open") == []
        await advance(41)
        assert fleet.said("circuit:half-open") == [("circuit:half-open", "a", "hold-expired")]


async def test_streaks_count_across_processes() -> None:
    fleet = Fleet("a", fall=3)
    settings = replace(SETTINGS, fall=3)
    state = ConnectionState()
    for given in (GOOD, BAD, BAD):
        state = reduce(state, given, Instant(now(), time()), settings).state
    assert state.health.health is Health.DEGRADED
    fleet.db.restore("a", state)
    fleet["a"].down()
    async with fleet:
        assert fleet.db.health()["a"] is Health.UNHEALTHY


async def test_a_restored_failover_is_not_told_again_and_its_end_is_a_recovery() -> None:
    fleet = Fleet("a", "b", failover={"a": "b"})
    fleet.db.restore("a", remembered(BAD), Assignment("b", known=True))
    fleet["a"].down()
    async with fleet:
        assert fleet.said("failover", "no-route", "recovery") == []
        assert await fleet.db.execute("a", who) == "b"
        await fleet.turn("a", up=True)
        await fleet.db.check("a")
        assert [word for word, *_ in fleet.said("failover", "recovery")] == ["recovery"]


async def test_manual_failback_is_remembered() -> None:
    fleet = Fleet("a", "b", failover={"a": Failover("b", failback="manual")})
    fleet.db.restore("a", ConnectionState(), Assignment("b", known=True))
    async with fleet:
        assert await fleet.db.execute("a", who) == "b"
        fleet.db.failback("a")
        assert await fleet.db.execute("a", who) == "a"


async def test_what_another_process_did_is_taken_over_and_told() -> None:
    async with Fleet("a", "b", failover={"a": "b"}) as fleet:
        fleet.forget()
        fleet.db.merge_remote({"a": (remembered(HoldRequested(Hold(60.0, "theirs", "bob"))), None)})
        assert [(word, reason) for word, _, reason in fleet.said("circuit:open")] == [("circuit:open", "manual")]
        assert [word for word, *_ in fleet.said()][-1] == "failover"
        assert await fleet.db.execute("a", who) == "b"
        fleet.forget()
        fleet.db.merge_remote({"a": (remembered(HoldRequested(Hold(60.0, "theirs", "bob")), CloseRequested()), None)})
        assert fleet.said("circuit:close") == [("circuit:close", "a", "manual")]
        assert await fleet.db.execute("a", who) == "a"


async def test_taking_over_what_is_known_already_is_silent() -> None:
    async with Fleet("a") as fleet:
        state = remembered(GOOD, HoldRequested(Hold()))
        fleet.db.merge_remote({"a": (state, None)})
        fleet.forget()
        fleet.db.merge_remote({"a": (state, None)})
        assert fleet.said() == []


async def test_an_adopted_wait_ends_by_itself() -> None:
    async with Fleet("a", checked=()) as fleet:
        fleet.db.merge_remote({"a": (remembered(*TRIPPED, ago_s=20), None)})
        fleet.forget()
        await advance(10.1)
        assert fleet.said("circuit:half-open") == [("circuit:half-open", "a", "reset-timeout-elapsed")]


async def test_a_call_from_before_an_adopted_circuit_says_nothing_about_it() -> None:
    gate = asyncio.Event()

    async def late(_: Server) -> None:
        await gate.wait()
        raise OSError("late")

    async with Fleet("a", checked=()) as fleet:
        calls = [asyncio.create_task(fleet.db.execute("a", late)) for _ in range(6)]
        await settle()
        fleet.db.merge_remote({"a": (remembered(*TRIPPED, CallCompleted(succeeded=True), ago_s=31), None)})
        gate.set()
        await asyncio.wait(calls)
        assert [type(call.exception()) for call in calls] == [OSError] * 6
        assert fleet.db.stats()["a"].circuit is CircuitState.HALF_OPEN


class Journal:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.inputs: list[tuple[str, Action]] = []
        self.routes: list[tuple[str, Assignment, Event | None]] = []
        self.events: list[Event] = []

    def record(self, name: str, given: Action, at: Instant) -> None:
        self.inputs.append((name, given))

    def routed(self, name: str, serving: Assignment, events: tuple[Event, ...]) -> None:
        self.routes.append((name, serving, events))

    def published(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture
def journal() -> Journal:
    return Journal()


def kept(journal: Journal, **more: Any) -> tuple[Orchestrator, dict[str, Server]]:
    servers = {"a": Server("a"), "b": Server("b")}
    checks = HealthCheck(checks=dict.fromkeys(servers, check))
    return Orchestrator(servers, {"a": "b"}, checks, journal=journal, **more), servers


async def test_a_journal_hears_every_input_and_every_decision(journal: Journal) -> None:
    db, servers = kept(journal)
    async with db:
        servers["a"].answer = False
        await db.check("a")
        db.open_circuit("b", reason="x")
        db.close_circuit("b")
        db.record_failure("b")
    assert [(name, type(given)) for name, given in journal.inputs] == [
        ("a", CheckCompleted),
        ("b", CheckCompleted),
        ("a", CheckCompleted),
        ("b", HoldRequested),
        ("b", CloseRequested),
        ("b", CallCompleted),
    ]
    moves = [(name, serving.name, one.type.value) for name, serving, events in journal.routes for one in events]
    assert ("a", "b", "failover") in moves
    assert ("a", None, "no-route") in moves
    assert {event.type.value for event in journal.events} == {"connected", "disconnected"}


async def test_replayed_inputs_lead_to_the_same_memory(journal: Journal) -> None:
    db, servers = kept(journal)
    async with db:
        for answer in (False, True, True, False):
            servers["a"].answer = answer
            await db.check("a")
        state = ConnectionState()
        for name, given in journal.inputs:
            if name == "a":
                state = reduce(state, given, Instant(now(), time()), SETTINGS).state
        view = db.snapshot().connections[0]
        assert (state.health.health, state.circuit.state) == (view.health, view.circuit.state)


async def test_what_is_restored_or_adopted_is_not_journaled_again(journal: Journal) -> None:
    db, _ = kept(journal)
    db.restore("a", remembered(BAD))
    assert journal.inputs == []
    async with db:
        before = len(journal.inputs)
        db.merge_remote({"b": (remembered(HoldRequested(Hold())), None)})
        assert len(journal.inputs) == before


async def test_rows_that_are_taken_over_together_move_a_service_once() -> None:
    async with Fleet("a", "b", "c", failover={"a": ["b", "c"]}) as fleet:
        fleet.forget()
        down = remembered(BAD)
        fleet.db.merge_remote(dict.fromkeys("ab", (down, None)))
        assert await fleet.moves() == [("failover", "a", "a", "c")]


async def test_a_candidate_that_drops_out_behind_one_that_is_ready_is_noticed_when_that_one_goes() -> None:
    async with Fleet("a", "b", "c", failover={"a": ["b", "c"]}) as fleet:
        await fleet.turn("c", up=False)
        await fleet.turn("b", up=False)
        fleet.forget()
        await fleet.turn("a", up=False)
        assert ("no-route", "a", "a", None) in await fleet.moves()
        await fleet.turn("c", up=True)
        assert fleet.db.route("a").serving == "c"
