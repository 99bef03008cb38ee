"""Anything that may happen to breaker, router and health, in any order, through a real orchestrator."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from omnidb_cli import (
    CircuitBreakerConfig,
    CircuitState,
    ConnectionSnapshot,
    ConnectionUnavailableError,
    EventType,
    Failover,
    Health,
    HealthCheck,
    Orchestrator,
    PreconditionError,
)
from tests.core.clock import JumpingLoop, advance, settle
from tests.core.fakes import DownError, Server, check
from tests.core.ledger import Ledger

ORDERS = {"a": "abcd", "b": "bd", "c": "c", "d": "d"}
NAMES = tuple(ORDERS)
STANDBYS = ("c", "d")
UNCHECKED = "d"
"""The one without a check, at the end of a chain: only calls can prove it."""
RESET_S, TIMEOUT_S = 30.0, 5.0

names = st.sampled_from(NAMES)
ANSWERS = {"good": True, "bad": DownError("down"), "degraded": "degraded", "hangs": True}


class IgnoredError(Exception):
    """What the predicate does not count."""


def is_counted(error: BaseException) -> bool:
    return not isinstance(error, IgnoredError)


ENDS = {"ok": str, "fails": DownError, "ignored": IgnoredError, "cancelled": asyncio.CancelledError}


@dataclass
class Call:
    """A call under way: where it runs, and which stretch of that circuit's life admitted it."""

    task: "asyncio.Task[str]"
    gate: "asyncio.Future[None]"
    server: str
    epoch: int
    began_s: float
    is_trial: bool


class Happenings(RuleBasedStateMachine):
    """The rules. What must be true after each is its heirs' to say."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.loop = self.runner.get_loop()
        self.servers = {name: Server(name) for name in NAMES}
        self.calls: list[Call] = []

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        return self.loop.run_until_complete(main)

    @initialize(
        circuits=st.booleans() | st.just(value=True),
        threshold=st.integers(1, 3),
        permits=st.integers(1, 3),
        rise=st.integers(1, 2),
        fall=st.integers(1, 2),
        failback=st.sampled_from([("auto", 0.0), ("auto", 20.0), ("manual", 0.0)]),
    )
    def begin(self, circuits: bool, threshold: int, permits: int, rise: int, fall: int, failback: Any) -> None:
        self.enabled, self.threshold, self.permits = circuits, threshold, permits
        self.circuits = CircuitBreakerConfig(threshold, RESET_S, permits, counts_as_failure=is_counted)
        checks = {name: check for name in NAMES if name != UNCHECKED}
        self.checks = HealthCheck(interval="60s", timeout=TIMEOUT_S, rise=rise, fall=fall, checks=checks)
        self.failover = {"a": Failover(("b", "c"), *failback), "b": Failover("d")}
        self.ledger = Ledger(NAMES, CircuitState.CLOSED if circuits else CircuitState.DISABLED)
        self.db = self.built()
        self.run(self.db.connect())

    def built(self) -> Orchestrator:
        circuits = self.circuits if self.enabled else None
        db = Orchestrator(self.servers, self.failover, self.checks, circuits)
        for word in EventType:
            db.on(word, self.ledger.events.append)
        return db

    def teardown(self) -> None:
        if hasattr(self, "db"):
            for call in self.calls:
                call.task.cancel()
            self.run(self.db.disconnect())
            left = asyncio.all_tasks(self.loop)
            assert not left, left
        self.runner.close()

    @rule(name=names, how=st.sampled_from(["ok", "fails", "ignored"]), times=st.integers(1, 4), failover=st.booleans())
    def call(self, name: str, how: str, times: int, failover: bool) -> None:
        for _ in range(times):
            self.run(self.called(name, how, failover=failover))

    @rule(name=names, waited=st.booleans(), tried=st.integers(0, 1))
    def trip(self, name: str, waited: bool, tried: int) -> None:
        """The way to a half-open circuit, that single steps would seldom find."""
        self.call(name, "fails", self.threshold, failover=False)
        if waited:
            self.time_passes(34.0)
            self.call(name, "ok", tried, failover=False)

    @rule(name=names, checks=st.integers(1, 3))
    def fall_and_rise(self, name: str, checks: int) -> None:
        """The way to a circuit that checks are proving."""
        for answer in ("bad", "good"):
            self.server_changes(name, answer, check_now=False)
            for _ in range(checks):
                self.check(name)

    @precondition(lambda self: len(self.calls) < 12)
    @rule(name=names, how=st.sampled_from(sorted(ENDS)), tried=st.integers(0, 1))
    def outlive(self, name: str, how: str, tried: int) -> None:
        """The way to a result that comes late: its circuit tripped, and is half-open by now."""
        before = len(self.calls)
        self.begin_calls(name, 1)
        self.trip(name, waited=True, tried=tried)
        if len(self.calls) > before:
            self.run(self.ended(self.calls.pop(), how))

    async def called(self, name: str, how: str, *, failover: bool) -> None:
        may_run, before = self.may_run(name, failover=failover), self.view(name).circuit
        ran: list[str] = []

        async def fn(server: Server) -> None:
            ran.append(server.name)
            if how != "ok":
                raise DownError("failing") if how == "fails" else IgnoredError

        try:
            await self.db.execute(name, fn, failover=failover)
        except (DownError, IgnoredError):
            assert how != "ok"
        except ConnectionUnavailableError:
            assert not ran
        if ran and how == "fails":
            view = self.view(ran[0]).circuit
            assert view.failures > 0 or view.state is CircuitState.DISABLED
            assert name in ran or self.view(name).circuit == before, "recorded against the one that was asked for"
        await settle()
        self.ledger.read(self.loop.time())
        assert ran == ([may_run] if may_run else [])

    def may_run(self, name: str, *, failover: bool) -> str | None:
        """Who has to run a call now, by what the orchestrator itself says of its routes."""
        route = self.db.route(name)
        chosen = route.serving if failover else (name if route.candidates[0].eligible else None)
        if chosen is None and self.view(name).circuit.state is CircuitState.DISABLED:
            return name  # the last resort
        return chosen

    @precondition(lambda self: len(self.calls) < 12)
    @rule(name=names, count=st.integers(1, 4))
    def begin_calls(self, name: str, count: int) -> None:
        for _ in range(count):
            self.run(self.begun(name))

    async def begun(self, name: str) -> None:
        may_run = self.may_run(name, failover=True)
        gate: asyncio.Future[None] = self.loop.create_future()
        ran: list[str] = []

        async def fn(server: Server) -> str:
            ran.append(server.name)
            await gate
            return server.name

        task = asyncio.create_task(self.db.execute(name, fn))
        await asyncio.sleep(0)
        assert ran == ([may_run] if may_run else [])
        if not ran:
            assert isinstance(task.exception(), ConnectionUnavailableError)
            return
        self.ledger.read(self.loop.time())
        is_trial = self.view(ran[0]).circuit.state is CircuitState.HALF_OPEN
        self.calls.append(Call(task, gate, ran[0], self.ledger.epochs[ran[0]], self.loop.time(), is_trial))

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 11), count=st.integers(1, 4), how=st.sampled_from(sorted(ENDS)))
    def end_calls(self, which: int, count: int, how: str) -> None:
        for _ in range(min(count, len(self.calls))):
            self.run(self.ended(self.calls.pop(which % len(self.calls)), how))

    async def ended(self, call: Call, how: str) -> None:
        self.ledger.read(self.loop.time())
        before, said = self.view(call.server).circuit, len(self.ledger.events)
        match how:
            case "ok":
                call.gate.set_result(None)
            case "fails":
                call.gate.set_exception(DownError("failing"))
            case "ignored":
                call.gate.set_exception(IgnoredError())
            case "cancelled":
                call.task.cancel()
        result = (await asyncio.gather(call.task, return_exceptions=True))[0]
        assert isinstance(result, ENDS[how])
        if call.epoch != self.ledger.epochs[call.server] or how in ("ignored", "cancelled"):
            assert self.view(call.server).circuit == before, "a late or undecided result changed the circuit"
            assert len(self.ledger.events) == said
        await settle()

    @rule(seconds=st.sampled_from([0.0, 0.5, 4.0, 19.0, 28.0, 34.0, 70.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.run(advance(seconds))

    @rule(name=names, answer=st.sampled_from(sorted(ANSWERS)), check_now=st.booleans())
    def server_changes(self, name: str, answer: str, check_now: bool) -> None:
        self.servers[name].answer = ANSWERS[answer]
        self.servers[name].hangs = answer == "hangs"
        if check_now:
            self.check(name)

    @rule(name=st.none() | names)
    def check(self, name: str | None) -> None:
        self.run(self.db.check(name))
        self.run(settle())

    @rule(name=names, hold_s=st.sampled_from([None, 10.0, 100.0]))
    def hold(self, name: str, hold_s: float | None) -> None:
        self.ledger.held_until[name] = float("inf") if hold_s is None else self.loop.time() + hold_s
        self.run(self.acted(lambda: self.db.open_circuit(name, hold_for=hold_s)))

    @rule(name=names)
    def close(self, name: str) -> None:
        self.run(self.closed(name))

    async def closed(self, name: str) -> None:
        self.ledger.read(self.loop.time())
        self.ledger.close(name)
        self.db.close_circuit(name)
        self.ledger.read(self.loop.time())
        assert (self.view(name).health, self.view(name).circuit.failures) == (Health.UNKNOWN, 0)
        await settle()

    @rule(name=names, succeeded=st.booleans())
    def report(self, name: str, succeeded: bool) -> None:
        self.run(self.reported(name, succeeded=succeeded))

    async def reported(self, name: str, *, succeeded: bool) -> None:
        before = self.view(name).circuit
        (self.db.record_success if succeeded else self.db.record_failure)(name)
        assert before.state is not CircuitState.OPEN or self.view(name).circuit == before, "an open one was moved"
        await settle()

    @rule(name=names)
    def fail_back(self, name: str) -> None:
        try:
            self.run(self.acted(lambda: self.db.failback(name)))
        except PreconditionError:
            return

    async def acted(self, act: Callable[[], object]) -> None:
        act()
        await settle()

    @precondition(lambda self: not self.calls)
    @rule(check_first=st.booleans())
    def reconnect(self, check_first: bool) -> None:
        self.run(self.reconnected(check_first=check_first))

    async def reconnected(self, *, check_first: bool) -> None:
        old = self.db
        await old.disconnect()
        before = [(view.health, view.circuit) for view in old.snapshot().connections]
        self.db = self.built()
        said = len(self.ledger.events)
        for name, connection in old._board.connections.items():
            self.db.restore(name, connection.state, old._router.serving(name))
        assert [(view.health, view.circuit) for view in self.db.snapshot().connections] == before
        assert len(self.ledger.events) == said
        await self.db.connect(check=check_first)
        await settle()

    def view(self, name: str) -> ConnectionSnapshot:
        return self.db.snapshot().connections[NAMES.index(name)]
