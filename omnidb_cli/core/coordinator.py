"""The one place that acts: it applies what happened to a connection, recomputes routes, and publishes events.

Decisions come from pure functions (`endpoint.reduce`, `router.decide`); what follows from them is done here, always
in the same order: state, routes, events. Every listener finds routes that are up to date (semantics, Circuit 1).
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from omnidb_cli.core.circuit.model import Circuit, CircuitState, Instant, OpenedBy
from omnidb_cli.core.connection import Connection
from omnidb_cli.core.events.bus import EventBus
from omnidb_cli.core.events.mapping import Journal, event_of, split_brain_event
from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.reducer import (
    Action,
    Change,
    CircuitChange,
    ConnectionState,
    TimeElapsed,
    changes_between,
    reduce,
)
from omnidb_cli.core.routing.eligibility import Eligibility
from omnidb_cli.core.routing.router import Assignment, FailoverRouter, decide, fails_back_at
from omnidb_cli.core.routing.routes import Routes
from omnidb_cli.core.snapshot import Candidate
from omnidb_cli.core.timers import Timers

# Looking a member up on its enum costs as much as half a check on Python 3.11; every look asks for these.
_CLOSED, _UNHEALTHY = CircuitState.CLOSED, Health.UNHEALTHY


class Coordinator:
    """All connections, and who serves whom.

    `fast_routes` maps a name to the connection that serves it, where its circuit is closed and has seen no failure: one
    look-up is all that a call needs. It is empty while not live.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        router: FailoverRouter,
        bus: EventBus,
        *,
        now: Callable[[], Instant],
        journal: Journal | None,
    ) -> None:
        self.connections = connections
        self.router = router
        self.now = now
        self.routes = Routes(connections, router, now)
        self.fast_routes: dict[str, Connection] = {}
        self.refused: dict[str, tuple[Candidate, ...]] = {}
        """Names that nobody can serve, with the verdicts, until something changes."""
        self.unseen: set[str] = set()
        """Names whose first check is still under way: routes that hang on them are not decided yet."""
        self.request_check: Callable[[str], None] = lambda _name: None
        self._bus = bus
        self._journal = journal
        self._timers = Timers(
            time_is_up=lambda name: self.dispatch(name, TimeElapsed()), is_well=lambda head: self.reroute((head,))
        )

    def start(self, loop: AbstractEventLoop) -> None:
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
                self.dispatch(name, TimeElapsed(), at)

    def stop(self) -> None:
        """Ends `start`: no timer is left, and no fast route."""
        self._timers.stop()
        self.refused.clear()
        self.fast_routes.clear()

    def dispatch(self, name: str, action: Action, at: Instant | None = None) -> bool:
        """Takes in what happened to `name`: state, then routes, then events; whether routes were decided anew."""
        connection = self.connections[name]
        at = at or self.now()
        before = connection.state
        reduction = reduce(before, action, at, connection.settings)
        after, changes = reduction.state, reduction.changes
        connection.health, connection.breaker.circuit = after.health, after.circuit
        if self._journal is not None:
            self._journal.record(name, action, at)
        if not changes and not _bears_on_routes(before, after):
            return False
        if after.circuit is not before.circuit:
            self._timers.watch(connection)
        self._announce(name, changes, at)
        return True

    def merge_remote(self, rows: Mapping[str, tuple[ConnectionState, Assignment | None]]) -> None:
        """Takes over what somebody else made of these; announces what is new in them, and journals no input.

        All of them change before any route is decided anew: a row that is read later must not move a service twice.
        """
        at = self.now()
        changed: list[tuple[Connection, tuple[Change, ...]]] = []
        for name, (state, serving) in rows.items():
            connection = self.connections[name]
            before = connection.state
            changes = changes_between(before, state, connection.settings.rules)
            connection.health, connection.breaker.circuit = state.health, state.circuit
            self._timers.watch(connection)
            is_moved = serving is not None and serving != self.router.serving(name)
            if serving is not None:
                self.router.settle(name, serving)
            if changes or is_moved or _bears_on_routes(before, state):
                changed.append((connection, changes))
        if changed:
            self._announce_all(changed, at)

    def restore(self, name: str, state: ConnectionState, serving: Assignment) -> None:
        """Takes over what was saved of `name`; announces nothing."""
        connection = self.connections[name]
        connection.health, connection.breaker.circuit = state.health, state.circuit
        self.router.settle(name, serving)

    def emit(self, type: EventType, name: str | None, **fields: Any) -> None:  # noqa: A002 - the field's word
        """Publishes an event that is no change of health, circuit or route."""
        if not self._is_heard:
            return
        event = Event(type, name, utc(self.now().wall), **fields)
        if self._journal is not None:
            self._journal.published(event)
        self._bus.publish(event)

    def reroute(self, names: Iterable[str], at: Instant | None = None) -> None:
        """Decides anew who serves `names`, and announces what changed."""
        at = at or self.now()
        events = [event for name in names for event in self._decide(name, at)]
        if events:
            self._bus.publish(*events)

    def fail_back(self, name: str, actor: str | None) -> None:
        """Lets the primary serve again where it waited for a person's word."""
        at = self.now()
        previous = self.router.serving(name)
        serving = Assignment(name, known=True, split_since=previous.split_since)
        events = self._settle(name, previous, serving, at, actor)
        self._push(name, name, at.clock)
        self._bus.publish(*events)

    @property
    def _is_heard(self) -> bool:
        """Whether anybody would learn of an event: ten thousand first checks make none for nobody."""
        return self._journal is not None or self._bus.has_listeners

    def _announce(self, name: str, changes: tuple[Change, ...], at: Instant) -> None:
        self._announce_all([(self.connections[name], changes)], at)

    def _announce_all(self, changed: Sequence[tuple[Connection, tuple[Change, ...]]], at: Instant) -> None:
        """Publishes what changed, and the routes that follow from all of it."""
        events: list[Event] = []
        heads: dict[str, None] = {}
        for connection, changes in changed:
            name = connection.name
            if self._is_heard:
                events += [event_of(name, change, at.wall) for change in changes]
            heads[name] = None
            heads.update(dict.fromkeys(self._moved_by(name, at.clock)))
        events += [event for head in heads for event in self._decide(head, at)]
        if events:
            self._bus.publish(*events)
        for connection, changes in changed:
            if any(_tripped_by_calls(change, connection.breaker.circuit) for change in changes):
                self.request_check(connection.name)

    def _moved_by(self, name: str, clock: float) -> Iterable[str]:
        """The other connections whose route may change with that of `name`.

        One that drops out changes nothing for whoever is served by another that is ready: a chain of hundreds would
        else be decided anew from end to end at each loss.
        """
        heads = self.router.heads_of(name)
        if not heads or self.unseen or self.routes.eligibility(name, clock) is not Eligibility.INELIGIBLE:
            return heads
        return [head for head in heads if not self._is_served_by_another(head, name, clock)]

    def _is_served_by_another(self, head: str, name: str, clock: float) -> bool:
        serving = self.router.serving(head)
        if serving.name in (None, name) or serving.split_since is not None:
            return False
        return self.routes.eligibility(serving.name, clock) is Eligibility.ELIGIBLE

    def _decide(self, head: str, at: Instant) -> tuple[Event, ...]:
        order = self.router.order(head)
        if self.unseen and not self.unseen.isdisjoint(order):
            return ()
        previous, policy = self.router.serving(head), self.router.policy(head)
        split_since = None
        if self.routes.parting(head) is not None:
            split_since = at.wall if previous.split_since is None else previous.split_since
        serving = decide(
            order, previous, policy, lambda name: self.routes.eligibility(name, at.clock), at.clock, split_since
        )
        self._push(head, serving.name, at.clock)
        if policy is not None:
            self._timers.fail_back_at(head, fails_back_at(serving, policy, at.clock))
        return () if serving == previous else self._settle(head, previous, serving, at)

    def _push(self, head: str, serving: str | None, clock: float) -> None:
        """Puts the decision to where calls find it."""
        self.refused.pop(head, None)
        if (
            serving is not None
            and self._timers.running
            and self.routes.eligibility(serving, clock) is Eligibility.ELIGIBLE
        ):
            connection = self.connections[serving]
            if not connection.breaker.circuit.failures:
                self.fast_routes[head] = connection
                return
        self.fast_routes.pop(head, None)

    def _settle(
        self, head: str, previous: Assignment, serving: Assignment, at: Instant, actor: str | None = None
    ) -> tuple[Event, ...]:
        """Remembers a decision that differs from the one before; the events that tell of it.

        Of a standby its health and its circuit say it all (semantics, Failover 9).
        """
        self.router.settle(head, serving)
        if self.routes.is_standby(head):
            return ()
        events: list[Event] = []
        if self._is_heard:
            before = previous.name if previous.known else head
            if serving.name != before:
                events.append(self._route_event(head, before, serving.name, at, actor))
            split = self.routes.split_brain(head) if previous.split_since is None else None
            if split is not None:
                events.append(split_brain_event(split, at.wall))
        if self._journal is not None and (previous.known or serving != Assignment(head, known=True)):
            self._journal.routed(head, serving, tuple(events))
        return tuple(events)

    def _route_event(self, head: str, before: str | None, serving: str | None, at: Instant, actor: str | None) -> Event:
        when = utc(at.wall)
        if serving is None:
            why = self.routes.why_nobody(head, at.clock)
            return Event(EventType.NO_ROUTE, head, when, reason=why, primary=head)
        why = f"{head} {self.routes.reason(head, at.clock)}"
        if serving == head:
            return Event(EventType.RECOVERY, head, when, reason=why, actor=actor, primary=head, backup=before)
        return Event(EventType.FAILOVER, head, when, reason=why, primary=head, backup=serving)


def _bears_on_routes(before: ConnectionState, after: ConnectionState) -> bool:
    """Whether the new state may lead to another route although it announces nothing."""
    if after.circuit is not before.circuit and after.circuit != before.circuit:
        return True
    old, new = before.health, after.health
    return old.fault != new.fault or old.takes_writes is not new.takes_writes


def _tripped_by_calls(change: Change, circuit: Circuit) -> bool:
    return (
        isinstance(change, CircuitChange)
        and change.current is CircuitState.OPEN
        and circuit.origin is OpenedBy.CALLS
        and not circuit.held
    )
