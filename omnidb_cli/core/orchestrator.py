"""The face of the library: named clients, checked, guarded by circuits, and routed around when they fail."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from signal import SIGINT, SIGTERM, Signals
from types import TracebackType
from typing import Any, Self, TypeVar

from omnidb_cli.core import admission
from omnidb_cli.core.circuit.breaker import checked_hold
from omnidb_cli.core.circuit.model import Circuit, CircuitPolicy, Hold
from omnidb_cli.core.clock import clock, now
from omnidb_cli.core.connection import Connection, connections_of
from omnidb_cli.core.coordinator import Coordinator
from omnidb_cli.core.events.bus import EventBus, EventStream, Handler
from omnidb_cli.core.events.mapping import Journal
from omnidb_cli.core.events.model import EventType
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.lifecycle import Lifecycle, not_connected
from omnidb_cli.core.reducer import CallCompleted, CheckCompleted, CloseRequested, ConnectionState, HoldRequested
from omnidb_cli.core.registry import Registry
from omnidb_cli.core.routing.eligibility import Eligibility
from omnidb_cli.core.routing.router import Assignment, FailoverRouter, FailoverSpec
from omnidb_cli.core.settings import CircuitBreakerConfig, Duration, HealthCheck
from omnidb_cli.core.snapshot import Route, Snapshot
from omnidb_cli.core.views import ConnectionStats, health_of, snapshot_of, stats_of
from omnidb_cli.errors import CircuitOpenError, ConfigurationError, ConnectionUnavailableError, PreconditionError

T = TypeVar("T")


class Orchestrator:
    """Named clients behind health checks, circuit breakers and failover.

    Use it as `async with Orchestrator(...) as db`, or with `connect()` and `disconnect()`. `circuit_breaker=None`
    turns the automatic part of the circuits off. Clients are opaque: they are handed to checks and to the functions
    given to `execute`, and closed at the end where they have `aclose` or `close`.

    Raises ConfigurationError (a ValueError) for settings that cannot work.
    """

    def __init__(
        self,
        connections: Mapping[str, Any],
        failover: Mapping[str, FailoverSpec] | None = None,
        health_check: HealthCheck | None = None,
        circuit_breaker: CircuitBreakerConfig | None = CircuitBreakerConfig(),  # noqa: B008 - frozen
        *,
        journal: Journal | None = None,
    ) -> None:
        self._registry: Registry[Any] = Registry(connections)
        self._router = FailoverRouter(failover or {}, self._registry)
        checks = health_check or HealthCheck()
        for name in (*checks.checks, *checks.overrides, *checks.roles):
            if name not in self._registry:
                raise ConfigurationError(f'a check or role is given for "{name}", which is not a connection')
        if circuit_breaker is not None and not isinstance(circuit_breaker, CircuitBreakerConfig):
            raise ConfigurationError(f"circuit_breaker must be a CircuitBreakerConfig or None, not {circuit_breaker!r}")
        self._bus = EventBus()
        held = connections_of(self._registry, checks, circuit_breaker)
        self._board = Coordinator(held, self._router, self._bus, now=now, journal=journal)
        self._fast_routes: dict[str, Connection] = {}  # the coordinator's own, once connected
        self._refused = self._board.refused
        self._lifetime = Lifecycle(self._registry, checks, self._board, self._bus)

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.disconnect()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()

    async def connect(self, *, check: bool = True, keep_checking: bool = True) -> None:
        """Begins: returns after the first check of every connection.

        Without `check` nothing is checked first; without `keep_checking` nothing is checked by itself later.
        Connecting what is connected does nothing. Raises NotConnectedError when disconnected meanwhile.
        """
        await self._lifetime.connect(check=check, keep_checking=keep_checking)
        if self._lifetime.is_connected:
            self._fast_routes = self._board.fast_routes

    async def disconnect(self) -> None:
        """Ends: no result comes after it, every client is closed, in bounded time even if one fails or hangs.

        Doing it twice, or at the same time, is one ending.
        """
        await self._lifetime.disconnect()

    async def wait_closed(self) -> None:
        """Returns when `disconnect()` has done its work, whoever called it. At once when not connected."""
        await self._lifetime.wait_closed()

    async def execute(self, name: str, fn: Callable[[Any], Awaitable[T]], failover: bool = True) -> T:
        """What `fn(client)` returns, called with the client of whoever serves `name`. Its own exception passes through.

        With `failover=False`: that one or nobody. Raises UnknownConnectionError, NotConnectedError, and
        ConnectionUnavailableError when nobody is eligible.
        """
        # `failover` may come by position because a keyword-only default makes every call a tenth dearer.
        connection = self._fast_routes.get(name) if failover else None
        permit = None
        if connection is None:
            if failover and name in self._refused:
                raise ConnectionUnavailableError(name, self._refused[name])
            connection, permit = self._admit(name, failover=failover)
        breaker = connection.breaker
        circuit = breaker.circuit
        try:
            result = await fn(connection.client)
        except BaseException as error:
            if breaker.ended(permit, error):
                self._board.dispatch(connection.name, CallCompleted(succeeded=False, generation=circuit.generation))
            raise
        if breaker.circuit is not circuit or permit is not None:
            breaker.ended(permit, None)
            self._board.dispatch(connection.name, CallCompleted(succeeded=True, generation=circuit.generation))
        return result

    def _admit(self, name: str, *, failover: bool) -> tuple[Connection, int | None]:
        self._require(name)
        return admission.admit(self._board, name, failover=failover)

    def _require(self, name: str) -> None:
        self._registry.require(name)
        if not self._lifetime.is_connected:
            raise not_connected()

    def get(self, name: str) -> Any:
        """The client of whoever serves `name`; takes no permit of a half-open circuit.

        Raises UnknownConnectionError, NotConnectedError, and CircuitOpenError (also emitted as `error`) when nobody
        is eligible.
        """
        self._require(name)
        try:
            return admission.serving(self._board, name).client
        except CircuitOpenError as error:
            self._board.emit(EventType.ERROR, name, reason=str(error), error=error)
            raise

    def route(self, name: str, *, without: Collection[str] = ()) -> Route:
        """Who would serve `name` now (leaving out `without`), every candidate with its verdict. Changes nothing."""
        self._registry.require(name)
        return self._board.routes.route(name, without=without)

    async def check(self, name: str | Iterable[str] | None = None) -> None:
        """Checks `name` now (one, several, or all: None), and returns when each has answered or run out of time.

        Raises UnknownConnectionError, NotConnectedError.
        """
        names = [name] if isinstance(name, str) else name if name is None else list(name)
        for one in names or ():
            self._registry.require(one)
        await self._lifetime.check(names)

    def record_check(self, name: str, result: CheckResult) -> None:
        """Takes in a check of `name` that somebody else made: a connect that failed is one (semantics, Failover 4)."""
        self._registry.require(name)
        self._board.dispatch(name, CheckCompleted(result))

    def request_check(self, name: str) -> None:
        """Has `name` checked as soon as possible: a driver saw its connection break (semantics, Health 7)."""
        self._registry.require(name)
        self._board.request_check(name)

    def record_success(self, name: str) -> None:
        """Records a call that went well and was made with a client from `get`."""
        self._registry.require(name)
        self._board.dispatch(name, CallCompleted(succeeded=True))

    def record_failure(self, name: str, error: BaseException | None = None) -> None:
        """Records a call that failed; with an `error`, `counts_as_failure` is asked whether it counts."""
        self._registry.require(name)
        if error is None or self._board.connections[name].breaker.ended(None, error):
            self._board.dispatch(name, CallCompleted(succeeded=False))

    def open_circuit(
        self,
        name: str,
        *,
        reason: str | None = None,
        hold_for: Duration | None = None,
        actor: str | None = None,
        takes_over: bool = True,
    ) -> None:
        """Takes `name` out of rotation until `close_circuit`, or until `hold_for` is over.

        With `takes_over=False` a hold of another `actor` stays as it is.
        """
        self._registry.require(name)
        hold_s = None if hold_for is None else checked_hold(hold_for)
        self._board.dispatch(name, HoldRequested(Hold(hold_s, reason, actor, takes_over)))

    def close_circuit(self, name: str, *, actor: str | None = None) -> None:
        """Puts `name` back in rotation; its counters and the verdict of its last check are cleared."""
        self._registry.require(name)
        self._board.dispatch(name, CloseRequested(actor))

    def failback(self, name: str, *, actor: str | None = None, accept_split_brain: bool = False) -> None:
        """Lets the primary serve again, where `failback="manual"` or a split brain keeps it waiting.

        Raises UnknownConnectionError; PreconditionError when it is not eligible, and during a split brain without
        `accept_split_brain`.
        """
        self._registry.require(name)
        serving = self._router.serving(name)
        if not serving.known or serving.name == name:
            return
        routes, at = self._board.routes, clock()
        if routes.eligibility(name, at) not in {Eligibility.ELIGIBLE, Eligibility.TRIAL}:
            raise PreconditionError(f'"{name}" cannot serve again yet: {routes.reason(name, at)}')
        split = routes.split_brain(name)
        if split is not None and not accept_split_brain:
            raise PreconditionError(f'"{name}" must not serve again yet: {split.sentence}')
        self._board.fail_back(name, actor)

    def restore(self, name: str, state: ConnectionState, serving: Assignment = Assignment()) -> None:  # noqa: B008 - frozen
        """Takes over what an earlier process remembered of `name`, before `connect()`; announces nothing."""
        self._registry.require(name)
        self._board.restore(name, state, serving)

    def merge_remote(self, rows: Mapping[str, tuple[ConnectionState, Assignment | None]]) -> None:
        """Takes over what another process made of these connections meanwhile, and announces what changed.

        A serving of None leaves who serves as it is decided here.
        """
        for name in rows:
            self._registry.require(name)
        self._board.merge_remote(rows)

    def circuit(self, name: str) -> tuple[Circuit, CircuitPolicy]:
        """The circuit of `name` as a value, and the rules that it follows."""
        self._registry.require(name)
        connection = self._board.connections[name]
        return connection.breaker.circuit, connection.settings.rules

    def health(self) -> dict[str, Health]:
        """The health of every connection."""
        return {name: health_of(self._board, name) for name in self._board.connections}

    def stats(self) -> dict[str, ConnectionStats]:
        """The short of every connection."""
        return stats_of(self._board)

    def snapshot(self) -> Snapshot:
        """How everything stands now, frozen."""
        return snapshot_of(self._board)

    def list(self) -> tuple[str, ...]:
        """The names, in the order in which they were given."""
        return tuple(self._registry)

    def __contains__(self, name: object) -> bool:
        return name in self._registry

    def __len__(self) -> int:
        return len(self._registry)

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    @property
    def is_connected(self) -> bool:
        """Whether `execute` and `get` may be used."""
        return self._lifetime.is_connected

    def on(self, type: str, handler: Handler) -> None:  # noqa: A002 - the field's word
        """Calls `handler(event)`, plain or async, for each event of that type."""
        self._bus.on(type, handler)

    def once(self, type: str, handler: Handler) -> None:  # noqa: A002 - the field's word
        """Calls `handler(event)` for the next event of that type only."""
        self._bus.on(type, handler, once=True)

    def off(self, type: str, handler: Handler) -> None:  # noqa: A002 - the field's word
        """Ends what `on` or `once` began."""
        self._bus.off(type, handler)

    def events(self) -> EventStream:
        """All events from now on, to be read with `async for`; ends at `disconnect()`."""
        return self._bus.stream()

    def shutdown_on_signal(self, signals: Sequence[Signals] = (SIGINT, SIGTERM)) -> Callable[[], None]:
        """On the first of `signals`: a `shutdown` event and one `disconnect()`; further ones are ignored meanwhile.

        Never exits the process. `disconnect()` removes it, and so does the function that is returned. Needs a running
        loop in the main thread.
        """
        return self._lifetime.shut_down_on(signals)
