"""The one place that acts: it applies what happened to a connection, recomputes routes, and publishes events.

Decisions come from pure functions (`endpoint.reduce`, `router.decide`); what follows from them is done here, always
in the same order: state, routes, events. Every listener finds routes that are up to date (semantics, Circuit 1).
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from omnidb_cli.core.announce import event_of
from omnidb_cli.core.breaker import CircuitBreaker
from omnidb_cli.core.bus import EventBus
from omnidb_cli.core.circuit import Circuit, CircuitState, Moment, Origin, state_at
from omnidb_cli.core.endpoint import (
    Change,
    Checked,
    CircuitChange,
    Elapsed,
    Input,
    Memory,
    Settings,
    changes_between,
    reduce,
)
from omnidb_cli.core.events import Event, EventType, utc
from omnidb_cli.core.health import NEVER_OBSERVED, Health, HealthRecord, observe
from omnidb_cli.core.router import FailoverRouter, Serving, choose, decide, is_held_back
from omnidb_cli.core.snapshot import Candidate, Route
from omnidb_cli.core.standing import Stand, clock_time, reason_of, stand_of
from omnidb_cli.errors import CircuitOpenError, ConnectionUnavailableError


class Journal(Protocol):
    """Who writes down what happens, so that other processes learn of it. Every method is quick and never waits."""

    def record(self, name: str, given: Input, at: Moment) -> None: ...
    def routed(self, name: str, serving: Serving, event: Event | None) -> None: ...
    def published(self, event: Event) -> None: ...


class Endpoint:
    """One connection as the switchboard holds it."""

    __slots__ = ("breaker", "client", "has_check", "health", "name", "settings", "timer")

    def __init__(self, name: str, client: Any, breaker: CircuitBreaker, settings: Settings, *, has_check: bool) -> None:
        self.name = name
        self.client = client
        self.breaker = breaker
        self.settings = settings
        self.has_check = has_check
        self.health: HealthRecord = NEVER_OBSERVED
        self.timer: asyncio.TimerHandle | None = None

    @property
    def memory(self) -> Memory:
        """What is known of it now."""
        return Memory(self.health, self.breaker.circuit)


class Switchboard:
    """All endpoints, and who serves whom.

    `lanes` maps a name to the endpoint that serves it, where its circuit is closed: one look-up is all that a call
    needs. It is empty while not connected.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        router: FailoverRouter,
        bus: EventBus,
        *,
        now: Callable[[], Moment],
        journal: Journal | None,
    ) -> None:
        self.endpoints = endpoints
        self.router = router
        self.bus = bus
        self.now = now
        self.journal = journal
        self.lanes: dict[str, Endpoint] = {}
        self.unseen: set[str] = set()
        """Names whose first look is still under way: routes that hang on them are not decided yet."""
        self.look_soon: Callable[[str], None] = lambda _name: None
        self.refused: dict[str, tuple[Candidate, ...]] = {}
        """Names that nobody can serve, with the verdicts, until something changes."""
        self._failbacks: dict[str, asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def go_live(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on time acts: waits and holds end by themselves."""
        self._loop = loop
        for endpoint in self.endpoints.values():
            self._arm(endpoint)

    def go_dark(self) -> None:
        """Ends `go_live`: no timer is left, and no lane."""
        self._loop = None
        for endpoint in self.endpoints.values():
            if endpoint.timer is not None:
                endpoint.timer.cancel()
                endpoint.timer = None
        for timer in self._failbacks.values():
            timer.cancel()
        self._failbacks.clear()
        self.refused.clear()
        self.lanes.clear()

    def apply(self, name: str, given: Input, at: Moment | None = None) -> None:
        """Takes in what happened to `name`: state, then routes, then events."""
        endpoint = self.endpoints[name]
        at = at or self.now()
        breaker = endpoint.breaker
        before, fault = breaker.circuit, endpoint.health.fault
        outcome = reduce(Memory(endpoint.health, before), given, at, endpoint.settings)
        endpoint.health, breaker.circuit = outcome.memory
        if self.journal is not None:
            self.journal.record(name, given, at)
        if outcome.changes or breaker.circuit is not before or endpoint.health.fault != fault:
            self._changed(endpoint, outcome.changes, at)

    def checked(self, name: str, checked: Checked, at: Moment) -> None:
        """Takes in a look; one that finds a healthy connection healthy, its circuit closed, changes only its record."""
        endpoint = self.endpoints[name]
        before, settings = endpoint.health, endpoint.settings
        quiet = checked.result.health is Health.HEALTHY is before.health
        if not quiet or endpoint.breaker.circuit.state is not CircuitState.CLOSED:
            self.apply(name, checked, at)
            return
        endpoint.health = observe(before, checked.result, at.wall, settings.rise, settings.fall, checked.latency_s)
        if self.journal is not None:
            self.journal.record(name, checked, at)

    def adopt(self, name: str, memory: Memory, serving: Serving | None = None) -> None:
        """Takes over what somebody else made of `name`; announces what is new in it, and journals nothing."""
        endpoint = self.endpoints[name]
        at = self.now()
        changes = changes_between(endpoint.memory, memory, at, endpoint.settings.rules)
        endpoint.health, endpoint.breaker.circuit = memory
        if serving is not None:
            self.router.settle(name, serving)
        self._changed(endpoint, changes, at)

    def restore(self, name: str, memory: Memory, serving: Serving) -> None:
        """Takes over what was saved of `name`; announces nothing."""
        endpoint = self.endpoints[name]
        endpoint.health, endpoint.breaker.circuit = memory
        self.router.settle(name, serving)

    def emit(self, event: Event) -> None:
        """Publishes an event that is no change of health, circuit or route."""
        if self.journal is not None:
            self.journal.published(event)
        self.bus.publish(event)

    def reroute(self, names: Iterable[str]) -> None:
        """Decides anew who serves `names`, and announces what changed."""
        at = self.now()
        self.bus.publish(*(event for name in names if (event := self._decide(name, at)) is not None))

    def fail_back(self, name: str) -> None:
        """Lets the primary serve again where it waited for a person's word."""
        at = self.now()
        previous = self.router.serving(name)
        serving = Serving(name, known=True)
        self.router.settle(name, serving)
        self.refused.pop(name, None)
        self._push(name, serving, at.clock)
        event = self._route_event(name, previous, serving, at)
        if self.journal is not None:
            self.journal.routed(name, serving, event)
        if event is not None:
            self.bus.publish(event)

    def _changed(self, endpoint: Endpoint, changes: tuple[Change, ...], at: Moment) -> None:
        events = [event_of(endpoint.name, change, at.wall) for change in changes]
        self._arm(endpoint)
        heads = (endpoint.name, *self.router.heads_of(endpoint.name))
        events += [event for head in heads if (event := self._decide(head, at)) is not None]
        self.bus.publish(*events)
        if any(_tripped_by_calls(change, endpoint.breaker.circuit) for change in changes):
            self.look_soon(endpoint.name)

    def _decide(self, head: str, at: Moment) -> Event | None:
        order = self.router.order(head)
        if self.unseen and not self.unseen.isdisjoint(order):
            return None
        previous = self.router.serving(head)
        serving = decide(order, previous, self.router.policy(head), lambda name: self.stand(name, at.clock), at.clock)
        self.router.settle(head, serving)
        self.refused.pop(head, None)
        self._push(head, serving, at.clock)
        self._plan_failback(head, serving)
        if serving == previous:
            return None
        event = self._route_event(head, previous, serving, at)
        if self.journal is not None:
            self.journal.routed(head, serving, event)
        return event

    def _push(self, head: str, serving: Serving, clock: float) -> None:
        if self._loop is None or serving.name is None or self.stand(serving.name, clock) is not Stand.READY:
            self.lanes.pop(head, None)
        else:
            self.lanes[head] = self.endpoints[serving.name]

    def _route_event(self, head: str, previous: Serving, serving: Serving, at: Moment) -> Event | None:
        before = previous.name if previous.known else head
        if serving.name == before:
            return None
        when, why = utc(at.wall), f"{head} {self.reason(head, at.clock)}"
        if serving.name is None:
            return Event(EventType.NO_ROUTE, head, when, reason=self._nobody(head, at.clock), primary=head)
        if serving.name == head:
            return Event(EventType.RECOVERY, head, when, reason=why, primary=head, backup=before)
        return Event(EventType.FAILOVER, head, when, reason=why, primary=head, backup=serving.name)

    def stand(self, name: str, clock: float, *, with_permits: bool = False) -> Stand:
        """Where `name` stands. With permits, a half-open circuit that has none left is out."""
        endpoint = self.endpoints[name]
        left = endpoint.breaker.permits_left(clock) if with_permits else 1
        return stand_of(
            endpoint.memory, clock, endpoint.settings.rules, has_check=endpoint.has_check, permits_left=left
        )

    def reason(self, name: str, clock: float) -> str:
        """Why `name` stands where it stands, in words that follow its name."""
        endpoint = self.endpoints[name]
        left = endpoint.breaker.permits_left(clock)
        return reason_of(
            endpoint.memory, clock, endpoint.settings.rules, has_check=endpoint.has_check, permits_left=left
        )

    def route(self, name: str, *, without: Collection[str] = ()) -> Route:
        """Who would serve `name` now, and every candidate's verdict. Changes nothing."""
        clock = self.now().clock
        order = self.router.order(name)
        held_back = self._held_back(name, clock)

        def stand(one: str) -> Stand:
            return Stand.OUT if one in without else self.stand(one, clock, with_permits=True)

        serving = choose(order, stand, held_back=held_back is not None)
        candidates = self._candidates(order, stand, clock, held_back if serving != name else None)
        reason = self._why(candidates, serving)
        return Route(name, serving, serving not in (None, name), reason, candidates)

    def _candidates(
        self, order: tuple[str, ...], stand: Callable[[str], Stand], clock: float, held_back: str | None
    ) -> tuple[Candidate, ...]:
        candidates = [Candidate(one, stand(one) is not Stand.OUT, self.reason(one, clock)) for one in order]
        if held_back is not None and candidates[0].eligible:
            candidates[0] = Candidate(order[0], eligible=True, reason=f"{candidates[0].reason}, {held_back}")
        return tuple(candidates)

    def _why(self, candidates: tuple[Candidate, ...], serving: str | None) -> str:
        if serving is None:
            return _nobody_serves(candidates)
        return f"{candidates[0].name} {candidates[0].reason}"

    def _nobody(self, head: str, clock: float) -> str:
        order = self.router.order(head)
        return _nobody_serves(self._candidates(order, lambda one: self.stand(one, clock), clock, None))

    def _held_back(self, name: str, clock: float) -> str | None:
        """Why a primary that could serve leaves it to its backup for now, or None."""
        serving, policy = self.router.serving(name), self.router.policy(name)
        if policy is None or not is_held_back(serving.eligible_since, policy, clock):
            return None
        if serving.eligible_since is None or policy.failback == "manual":
            return "failback is manual"
        back_at = self.now().wall + serving.eligible_since + policy.failback_after_s - clock
        return f"failing back at {clock_time(back_at)}"

    def admit(self, name: str, *, failover: bool) -> tuple[Endpoint, int | None]:
        """The endpoint that takes a call for `name` now, and its permit when that is half-open.

        Raises ConnectionUnavailableError when nobody is eligible.
        """
        clock = self.now().clock
        chosen = self._chosen(name, clock, failover=failover)
        if chosen is None:
            raise self._unavailable(name, clock, failover=failover)
        endpoint = self.endpoints[chosen]
        rules = endpoint.settings.rules
        if state_at(endpoint.breaker.circuit, clock, rules) is not CircuitState.HALF_OPEN:
            return endpoint, None
        self.apply(chosen, Elapsed())
        return endpoint, endpoint.breaker.take_permit(clock)

    def serving_endpoint(self, name: str) -> Endpoint:
        """The endpoint that serves `name` now; no permit is taken.

        Raises CircuitOpenError when nobody is eligible.
        """
        clock = self.now().clock
        chosen = self._chosen(name, clock, failover=True)
        if chosen is not None:
            return self.endpoints[chosen]
        breaker = self.endpoints[name].breaker
        raise CircuitOpenError(
            name,
            breaker.retry_after_s(clock),
            breaker.last_error,
            self.route(name).candidates,
        )

    def _chosen(self, name: str, clock: float, *, failover: bool) -> str | None:
        order = self.router.order(name) if failover else (name,)
        held_back = failover and self._held_back(name, clock) is not None
        chosen = choose(order, lambda one: self.stand(one, clock, with_permits=True), held_back=held_back)
        if chosen is not None:
            return chosen
        endpoint = self.endpoints[name]
        state = state_at(endpoint.breaker.circuit, clock, endpoint.settings.rules)
        return name if state is CircuitState.DISABLED else None  # the last resort: no circuit forbids it

    def _unavailable(self, name: str, clock: float, *, failover: bool) -> ConnectionUnavailableError:
        route = self.route(name)
        if not failover:
            return ConnectionUnavailableError(name, route.candidates[:1])
        order = self.router.order(name)
        if all(self.stand(one, clock) is Stand.OUT for one in order):
            self.refused[name] = route.candidates  # until something changes; permits alone are no such standstill
        return ConnectionUnavailableError(name, route.candidates)

    def _arm(self, endpoint: Endpoint) -> None:
        if endpoint.timer is not None:
            endpoint.timer.cancel()
            endpoint.timer = None
        deadline = endpoint.breaker.circuit.reopens_at
        if self._loop is not None and deadline is not None:
            endpoint.timer = self._loop.call_at(deadline, self._time_is_up, endpoint)

    def _time_is_up(self, endpoint: Endpoint) -> None:
        self.apply(endpoint.name, Elapsed())
        self._arm(endpoint)  # a loop may call a moment early

    def _plan_failback(self, head: str, serving: Serving) -> None:
        if (timer := self._failbacks.pop(head, None)) is not None:
            timer.cancel()
        policy = self.router.policy(head)
        if self._loop is None or policy is None or serving.eligible_since is None or policy.failback == "manual":
            return
        at = serving.eligible_since + policy.failback_after_s
        self._failbacks[head] = self._loop.call_at(at, self.reroute, (head,))


def _tripped_by_calls(change: Change, circuit: Circuit) -> bool:
    return (
        isinstance(change, CircuitChange)
        and change.current is CircuitState.OPEN
        and circuit.origin is Origin.CALLS
        and not circuit.held
    )


def _nobody_serves(candidates: tuple[Candidate, ...]) -> str:
    return "; ".join(f"{one.name} {one.reason}" for one in candidates)
