"""Anything, in any order: breaker, router and health through a real orchestrator, and what must always be true."""

from hypothesis import HealthCheck as Slow
from hypothesis import settings
from hypothesis.stateful import invariant

from omnidb_cli import CircuitState, ConnectionSnapshot, Health
from tests.core.happenings import NAMES, ORDERS, RESET_S, STANDBYS, UNCHECKED, Call, Happenings
from tests.core.ledger import TRIALS_OUT, by_the_rules


class Core(Happenings):
    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "db"):
            self.run(self.looked_over())

    async def looked_over(self) -> None:
        views = {view.name: view for view in self.db.snapshot().connections}
        self.reading_changes_nothing()
        self.what_was_said_is_how_it_stands(views)
        self.holds_hold_and_open_ones_have_a_way_back(views)
        self.permits_are_neither_exceeded_nor_lost(views)
        self.who_serves_is_the_first_by_the_documented_order(views)
        assert all(server.most_at_once <= 1 for server in self.servers.values()), "two looks at a time"

    def what_was_said_is_how_it_stands(self, views: dict[str, ConnectionSnapshot]) -> None:
        self.ledger.read(self.loop.time())
        for view in views.values():
            assert view.health == self.ledger.health[view.name]
            assert view.circuit.state == self.ledger.circuit[view.name]

    def reading_changes_nothing(self) -> None:
        before, said = self.db.snapshot().connections, len(self.ledger.events)
        for name in NAMES:
            self.db.route(name)
        self.db.stats()
        self.db.health()
        assert self.db.snapshot().connections == before
        assert len(self.ledger.events) == said

    def holds_hold_and_open_ones_have_a_way_back(self, views: dict[str, ConnectionSnapshot]) -> None:
        for view in views.values():
            circuit = view.circuit
            held = self.ledger.is_held(view.name, self.loop.time())
            assert circuit.manual is held
            assert not held or circuit.state is CircuitState.OPEN
            if circuit.state is CircuitState.OPEN and not held:
                by_health = self.ledger.opened_by[view.name] == "health" and view.name != UNCHECKED
                assert (circuit.retry_at is None) is by_health
            assert circuit.failures >= 0
            assert 0 <= circuit.successes < self.permits
            assert circuit.state is not CircuitState.CLOSED or circuit.failures < self.threshold

    def permits_are_neither_exceeded_nor_lost(self, views: dict[str, ConnectionSnapshot]) -> None:
        for name, view in views.items():
            out = sum(call.server == name and self.holds_permit(call) for call in self.calls)
            assert out <= self.permits
            if view.circuit.state is CircuitState.HALF_OPEN and view.health is not Health.UNHEALTHY:
                refuses = TRIALS_OUT in self.db.route(name).candidates[0].reason
                assert refuses is (out == self.permits)

    def holds_permit(self, call: Call) -> bool:
        current = call.is_trial and call.epoch == self.ledger.epochs[call.server]
        return current and self.loop.time() < call.began_s + RESET_S

    def who_serves_is_the_first_by_the_documented_order(self, views: dict[str, ConnectionSnapshot]) -> None:
        for head in NAMES:
            route = self.db.route(head)
            assert "".join(one.name for one in route.candidates) == ORDERS[head]
            expected = by_the_rules(route.candidates, views, unchecked=UNCHECKED, before=self.ledger.serving[head])
            assert route.serving == expected
            assert route.is_failover is (expected not in (None, head))
            assert expected is None or views[expected].health is not Health.UNHEALTHY
            lane = self.db._board.lanes.get(head)
            assert lane is None or lane.name == route.serving
            if head in STANDBYS:
                assert self.ledger.serving[head] == head, "a standby has no route to tell of"
            elif not any(TRIALS_OUT in one.reason for one in route.candidates):
                assert self.ledger.serving[head] == route.serving


Core.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[Slow.too_slow, Slow.data_too_large],
    report_multiple_bugs=False,
)
TestCore = Core.TestCase
