"""The one place that acts: it applies what happened to a connection, recomputes routes, and publishes events.

Decisions come from pure functions (`endpoint.reduce`, `router.decide`); what follows from them is done here, always
in the same order: state, routes, events. Every listener finds routes that are up to date (semantics, Circuit 1).
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from omnidb_cli.core.announce import event_of
from omnidb_cli.core.bus import EventBus
from omnidb_cli.core.circuit import Circuit, CircuitState, Moment, Origin
from omnidb_cli.core.connection import Connection
from omnidb_cli.core.endpoint import (
    Change,
    Checked,
    CircuitChange,
    Elapsed,
    HealthChange,
    Input,
    Memory,
    changes_between,
    reduce,
)
from omnidb_cli.core.events import Event, EventType, utc
from omnidb_cli.core.health import Health, observe
from omnidb_cli.core.router import FailoverRouter, Serving, decide
from omnidb_cli.core.routes import Routes
from omnidb_cli.core.settings import Failback, Failover
from omnidb_cli.core.snapshot import Candidate, SplitBrain
from omnidb_cli.core.standing import Stand
from omnidb_cli.core.timers import Timers

# Looking a member up on its enum costs as much as half a check on Python 3.11; every look asks for these.
_CLOSED, _UNHEALTHY = CircuitState.CLOSED, Health.UNHEALTHY


class Journal(Protocol):
    """Who writes down what happens, so that other processes learn of it. Every method is quick and never waits."""

    def record(self, name: str, given: Input, at: Moment) -> None: ...
    def routed(self, name: str, serving: Serving, events: tuple[Event, ...]) -> None: ...
    def published(self, event: Event) -> None: ...


class Switchboard:
    """All connections, and who serves whom.

    `lanes` maps a name to the connection that serves it, where its circuit is closed and has seen no failure: one
    look-up is all that a call needs. It is empty while not live.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        router: FailoverRouter,
        bus: EventBus,
        *,
        now: Callable[[], Moment],
        journal: Journal | None,
    ) -> None:
        self.connections = connections
        self.router = router
        self.now = now
        self.routes = Routes(connections, router, now)
        self.lanes: dict[str, Connection] = {}
        self.refused: dict[str, tuple[Candidate, ...]] = {}
        """Names that nobody can serve, with the verdicts, until something changes."""
        self.unseen: set[str] = set()
        """Names whose first look is still under way: routes that hang on them are not decided yet."""
        self.look_soon: Callable[[str], None] = lambda _name: None
        self._bus = bus
        self._journal = journal
        self._timers = Timers(
            time_is_up=lambda name: self.apply(name, Elapsed()), is_well=lambda head: self.reroute((head,))
        )

    def go_live(self, loop: AbstractEventLoop) -> None:
        """From now on time acts: waits and holds end by themselves."""
        self._timers.start(loop)
        for connection in self.connections.values():
            self._timers.watch(connection)

    def catch_up(self) -> None:
        """Acts on the waits and holds that ended before it was live, so that they are told before what follows."""
        at = self.now()
        for name, connection in self.connections.items():
            ends_at = connection.breaker.circuit.reopens_at
            if ends_at is not None and ends_at <= at.clock:
                self.apply(name, Elapsed(), at)

    def go_dark(self) -> None:
        """Ends `go_live`: no timer is left, and no lane."""
        self._timers.stop()
        self.refused.clear()
        self.lanes.clear()

    def apply(self, name: str, given: Input, at: Moment | None = None) -> bool:
        """Takes in what happened to `name`: state, then routes, then events; whether routes were decided anew."""
        connection = self.connections[name]
        at = at or self.now()
        breaker = connection.breaker
        before, fault, wrote = breaker.circuit, connection.health.fault, connection.health.takes_writes
        outcome = reduce(Memory(connection.health, before), given, at, connection.settings)
        connection.health, breaker.circuit = outcome.memory
        if self._journal is not None:
            self._journal.record(name, given, at)
        health = connection.health
        if not outcome.changes and breaker.circuit is before and (health.fault, health.takes_writes) == (fault, wrote):
            return False
        self._changed(connection, outcome.changes, at)
        return True

    def checked(self, name: str, checked: Checked, at: Moment) -> bool:
        """Takes in a look as `apply` does; quickly, as a good one changes no closed circuit and seldom the health."""
        connection = self.connections[name]
        result, latency_s = checked
        if result.health is _UNHEALTHY or connection.breaker.circuit.state is not _CLOSED:
            return self.apply(name, checked, at)
        before, settings = connection.health, connection.settings
        record = observe(before, result, at.wall, settings.rise, settings.fall, latency_s)
        connection.health = record
        if self._journal is not None:
            self._journal.record(name, checked, at)
        if record.health is not before.health:
            self._announce(name, (HealthChange(before.health, record.health, record.fault),), at)
            return True
        if record.fault != before.fault or record.takes_writes is not before.takes_writes:
            self._announce(name, (), at)
            return True
        return False

    def adopt(self, name: str, memory: Memory, serving: Serving | None = None) -> None:
        """Takes over what somebody else made of `name`; announces what is new in it, and journals nothing."""
        connection = self.connections[name]
        at = self.now()
        changes = changes_between(connection.memory, memory, connection.settings.rules)
        connection.health, connection.breaker.circuit = memory
        if serving is not None:
            self.router.settle(name, serving)
        self._changed(connection, changes, at)

    def restore(self, name: str, memory: Memory, serving: Serving) -> None:
        """Takes over what was saved of `name`; announces nothing."""
        connection = self.connections[name]
        connection.health, connection.breaker.circuit = memory
        self.router.settle(name, serving)

    def emit(self, type: EventType, name: str | None, **fields: Any) -> None:  # noqa: A002 - the field's word
        """Publishes an event that is no change of health, circuit or route."""
        if not self._is_heard:
            return
        event = Event(type, name, utc(self.now().wall), **fields)
        if self._journal is not None:
            self._journal.published(event)
        self._bus.publish(event)

    def reroute(self, names: Iterable[str], at: Moment | None = None) -> None:
        """Decides anew who serves `names`, and announces what changed."""
        at = at or self.now()
        events = [event for name in names for event in self._decide(name, at)]
        if events:
            self._bus.publish(*events)

    def fail_back(self, name: str, actor: str | None) -> None:
        """Lets the primary serve again where it waited for a person's word."""
        at = self.now()
        previous = self.router.serving(name)
        serving = Serving(name, known=True, split_since=previous.split_since)
        events = self._settle(name, previous, serving, at, actor)
        self._push(name, name, self.routes.stand(name, at.clock))
        self._bus.publish(*events)

    @property
    def _is_heard(self) -> bool:
        """Whether anybody would learn of an event: ten thousand first looks make none for nobody."""
        return self._journal is not None or self._bus.has_listeners

    def _announce(self, name: str, changes: tuple[Change, ...], at: Moment) -> None:
        events = [event_of(name, change, at.wall) for change in changes] if self._is_heard else []
        heads = (name, *self.router.heads_of(name))
        events += [event for head in heads for event in self._decide(head, at)]
        if events:
            self._bus.publish(*events)

    def _changed(self, connection: Connection, changes: tuple[Change, ...], at: Moment) -> None:
        name = connection.name
        self._timers.watch(connection)
        self._announce(name, changes, at)
        if any(_tripped_by_calls(change, connection.breaker.circuit) for change in changes):
            self.look_soon(name)

    def _decide(self, head: str, at: Moment) -> tuple[Event, ...]:
        order = self.router.order(head)
        if self.unseen and not self.unseen.isdisjoint(order):
            return ()
        stands = {name: self.routes.stand(name, at.clock) for name in order}
        previous, policy = self.router.serving(head), self.router.policy(head)
        split_since = None
        if self.routes.parting(head) is not None:
            split_since = at.wall if previous.split_since is None else previous.split_since
        serving = decide(order, previous, policy, stands.__getitem__, at.clock, split_since)
        self._push(head, serving.name, Stand.OUT if serving.name is None else stands[serving.name])
        if policy is not None:
            self._timers.fail_back_at(head, _fails_back_at(serving, policy, at.clock))
        return () if serving == previous else self._settle(head, previous, serving, at)

    def _push(self, head: str, serving: str | None, stand: Stand) -> None:
        """Puts the decision to where calls find it."""
        self.refused.pop(head, None)
        connection = self.connections[serving] if serving is not None and stand is Stand.READY else None
        if connection is None or connection.breaker.circuit.failures or not self._timers.running:
            self.lanes.pop(head, None)
        else:
            self.lanes[head] = connection

    def _settle(
        self, head: str, previous: Serving, serving: Serving, at: Moment, actor: str | None = None
    ) -> tuple[Event, ...]:
        """Remembers a decision that differs from the one before; the events that tell of it."""
        self.router.settle(head, serving)
        events: list[Event] = []
        if self._is_heard:
            before = previous.name if previous.known else head
            if serving.name != before:
                events.append(self._route_event(head, before, serving.name, at, actor))
            split = self.routes.split_brain(head) if previous.split_since is None else None
            if split is not None:
                events.append(_split_event(split, at))
        if self._journal is not None and (previous.known or serving != Serving(head, known=True)):
            self._journal.routed(head, serving, tuple(events))
        return tuple(events)

    def _route_event(self, head: str, before: str | None, serving: str | None, at: Moment, actor: str | None) -> Event:
        when = utc(at.wall)
        if serving is None:
            why = self.routes.why_nobody(head, at.clock)
            return Event(EventType.NO_ROUTE, head, when, reason=why, primary=head)
        why = f"{head} {self.routes.reason(head, at.clock)}"
        if serving == head:
            return Event(EventType.RECOVERY, head, when, reason=why, actor=actor, primary=head, backup=before)
        return Event(EventType.FAILOVER, head, when, reason=why, primary=head, backup=serving)


def _split_event(split: SplitBrain, at: Moment) -> Event:
    return Event(
        EventType.SPLIT_BRAIN,
        split.requested,
        utc(at.wall),
        reason=split.sentence,
        primary=split.primary,
        detail={"replicas": list(split.replicas)},
    )


def _fails_back_at(serving: Serving, policy: Failover, clock: float) -> float | None:
    """The clock seconds at which a primary that is held back comes back by itself, or None.

    None too where that time is over and checks are still proving it, and while a split brain lasts: then it is a
    check that leads on, not the clock.
    """
    if serving.eligible_since is None or serving.split_since is not None or policy.failback == Failback.MANUAL:
        return None
    back_at = serving.eligible_since + policy.failback_after_s
    return back_at if back_at > clock else None


def _tripped_by_calls(change: Change, circuit: Circuit) -> bool:
    return (
        isinstance(change, CircuitChange)
        and change.current is CircuitState.OPEN
        and circuit.origin is Origin.CALLS
        and not circuit.held
    )
