"""The face of the library: named clients, checked, guarded by circuits, and routed around when they fail."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from signal import SIGINT, SIGTERM, Signals
from time import time
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from omnidb_cli.core.breaker import CircuitBreaker, checked_hold
from omnidb_cli.core.bus import EventBus, EventStream, Handler
from omnidb_cli.core.circuit import CircuitState, Hold, Moment, state_at
from omnidb_cli.core.closing import close_all
from omnidb_cli.core.endpoint import Called, Checked, Closed, Held, Memory, Settings
from omnidb_cli.core.events import Event, EventType, utc
from omnidb_cli.core.health import CheckResult, Health
from omnidb_cli.core.monitor import HealthMonitor
from omnidb_cli.core.registry import Registry
from omnidb_cli.core.report import snapshot_of
from omnidb_cli.core.router import FailoverRouter, FailoverSpec, Serving
from omnidb_cli.core.settings import CircuitBreakerConfig, Duration, HealthCheck
from omnidb_cli.core.signals import on_signals
from omnidb_cli.core.snapshot import Route, Snapshot
from omnidb_cli.core.standing import Stand
from omnidb_cli.core.switchboard import Endpoint, Journal, Switchboard
from omnidb_cli.errors import (
    CircuitOpenError,
    ConfigurationError,
    ConnectionUnavailableError,
    NotConnectedError,
    PreconditionError,
)

T = TypeVar("T")

_CLOSE_WITHIN_S = 5.0
_STOP_WITHIN_S = 2.0


class ConnectionStats(NamedTuple):
    """The short of one connection. `failover_to` names the backup that serves it now, or is None."""

    health: Health
    circuit: CircuitState
    failures: int
    failover_to: str | None


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
        self._checks = health_check or HealthCheck()
        for name in (*self._checks.checks, *self._checks.overrides):
            if name not in self._registry:
                raise ConfigurationError(f'a check is given for "{name}", which is not a connection')
        self._bus = EventBus()
        self._board = Switchboard(self._endpoints(circuit_breaker), self._router, self._bus, now=_now, journal=journal)
        self._lanes = self._board.lanes
        self._refused = self._board.refused
        self._counts = circuit_breaker.counts_as_failure if circuit_breaker else None
        self._monitor: HealthMonitor | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._closing: asyncio.Task[None] | None = None
        self._begun = False
        self._connected = False

    def _endpoints(self, config: CircuitBreakerConfig | None) -> dict[str, Endpoint]:
        rules = (config or CircuitBreakerConfig()).rules(enabled=config is not None)
        counts = config.counts_as_failure if config else None
        endpoints = {}
        for name in self._registry:
            checks = self._checks.overrides.get(name, self._checks)
            endpoints[name] = Endpoint(
                name,
                self._registry[name],
                CircuitBreaker.governed(rules, counts_as_failure=counts, clock=_clock),
                Settings(rules, checks.rise, checks.fall),
                has_check=name in self._checks.checks,
            )
        return endpoints

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

    async def connect(self, *, look: bool = True, keep_looking: bool = True) -> None:
        """Begins: returns after the first look at every connection.

        Without `look` nothing is looked at first; without `keep_looking` nothing is looked at by itself later.
        Connecting what is connected does nothing. Raises NotConnectedError when disconnected meanwhile.
        """
        if self._keeper is not None:
            return
        loop = asyncio.get_running_loop()
        self._begun = True
        self._stop = asyncio.Event()
        monitor = self._monitor = HealthMonitor(self._bound_checks(), self._checks, self._checked)
        ready = loop.create_future()
        self._keeper = loop.create_task(self._keep(monitor, self._stop, ready), name="omnidb health monitor")
        await ready
        self._bus.resume()
        self._board.look_soon = monitor.request
        self._board.go_live(loop)
        try:
            await self._first_look(monitor, look=look)
        except BaseException:
            await self._halt()
            raise
        self._connected = True
        if keep_looking:
            monitor.start()

    async def _first_look(self, monitor: HealthMonitor, *, look: bool) -> None:
        board = self._board
        if look:
            board.unseen = {name for name in self._registry if name in monitor}
            for name in self._registry:
                if name not in monitor:
                    self._emit(EventType.CONNECTED, name)
            try:
                await monitor.look()
            finally:
                board.unseen = set()
        board.reroute(self._registry)

    async def _keep(self, monitor: HealthMonitor, stop: asyncio.Event, ready: "asyncio.Future[None]") -> None:
        """Owns the monitor and all its tasks, from `connect()` to `disconnect()`."""
        try:
            async with monitor:
                ready.set_result(None)
                await stop.wait()
        except Exception as error:  # noqa: BLE001 - nobody awaits this task but disconnect(): say it at once
            self._emit(EventType.ERROR, None, reason="the health monitor stopped: a defect in omnidb", error=error)

    async def disconnect(self) -> None:
        """Ends: no result comes after it, every client is closed, in bounded time even if one fails or hangs.

        Doing it twice, or at the same time, is one ending.
        """
        if self._closing is None:
            if not self._begun:
                await self._bus.aclose(within_s=0.0)
                return
            self._closing = asyncio.get_running_loop().create_task(self._end(), name="omnidb disconnect")
        closing = self._closing
        await asyncio.shield(closing)

    async def _end(self) -> None:
        try:
            await self._halt()
            clients = {name: self._registry[name] for name in self._registry}
            async for name, error in close_all(clients, within_s=_CLOSE_WITHIN_S):
                if error is not None:
                    self._emit(EventType.ERROR, name, reason="closing the client failed", error=error)
                self._emit(EventType.DISCONNECTED, name)
            await self._bus.aclose(within_s=_STOP_WITHIN_S)
        finally:
            self._begun = False
            self._closing = None

    async def _halt(self) -> None:
        """Stops looking and routing; leaves the clients alone."""
        keeper, self._keeper = self._keeper, None
        self._connected = False
        self._board.go_dark()
        if self._stop is not None:
            self._stop.set()
        if keeper is not None:
            await asyncio.wait({keeper}, timeout=_STOP_WITHIN_S)

    async def wait_closed(self) -> None:
        """Returns when `disconnect()` has done its work, whoever called it. At once when not connected."""
        while self._keeper is not None or self._closing is not None:
            waiting: set[asyncio.Task[None]] = {task for task in (self._keeper, self._closing) if task is not None}
            await asyncio.wait(waiting)

    async def execute(self, name: str, fn: Callable[[Any], Awaitable[T]], *, failover: bool = True) -> T:
        """What `fn(client)` returns, called with the client of whoever serves `name`. Its own exception passes through.

        With `failover=False`: that one or nobody. Raises UnknownConnectionError, NotConnectedError, and
        ConnectionUnavailableError when nobody is eligible.
        """
        endpoint = self._lanes.get(name) if failover else None
        permit = None
        if endpoint is None:
            if failover and name in self._refused:
                raise ConnectionUnavailableError(name, self._refused[name])
            endpoint, permit = self._admit(name, failover=failover)
        breaker = endpoint.breaker
        circuit = breaker.circuit
        try:
            result = await fn(endpoint.client)
        except BaseException as error:
            if breaker.ended(permit, error):
                self._board.apply(endpoint.name, Called(succeeded=False, generation=circuit.generation))
            raise
        if breaker.circuit is not circuit or circuit.failures or permit is not None:
            breaker.ended(permit, None)
            self._board.apply(endpoint.name, Called(succeeded=True, generation=circuit.generation))
        return result

    def _admit(self, name: str, *, failover: bool) -> tuple[Endpoint, int | None]:
        self._registry.require(name)
        self._require_connected()
        return self._board.admit(name, failover=failover)

    def _require_connected(self) -> None:
        if not self._connected:
            raise NotConnectedError("not connected", hint="call connect() first, or use `async with`")

    def get(self, name: str) -> Any:
        """The client of whoever serves `name`; takes no permit of a half-open circuit.

        Raises UnknownConnectionError, NotConnectedError, and CircuitOpenError (also emitted as `error`) when nobody
        is eligible.
        """
        self._registry.require(name)
        self._require_connected()
        try:
            return self._board.serving_endpoint(name).client
        except CircuitOpenError as error:
            self._emit(EventType.ERROR, name, reason=str(error), error=error)
            raise

    def route(self, name: str, *, without: Collection[str] = ()) -> Route:
        """Who would serve `name` now (leaving out `without`), every candidate with its verdict. Changes nothing."""
        self._registry.require(name)
        return self._board.route(name, without=without)

    async def check(self, name: str | Iterable[str] | None = None) -> None:
        """Looks now at `name` (one, several, or all: None), and returns when each has answered or run out of time.

        Raises UnknownConnectionError, NotConnectedError.
        """
        names = [name] if isinstance(name, str) else name if name is None else list(name)
        for one in names or ():
            self._registry.require(one)
        if self._monitor is None or self._keeper is None:
            raise NotConnectedError("not connected", hint="call connect() first, or use `async with`")
        await self._monitor.look(names)

    def report_check(self, name: str, result: CheckResult) -> None:
        """Takes in a look at `name` that somebody else made: a connect that failed is one (semantics, Failover 4)."""
        self._registry.require(name)
        self._board.apply(name, Checked(result))

    def look_soon(self, name: str) -> None:
        """Has `name` looked at as soon as possible: a driver saw its connection break (semantics, Health 7)."""
        self._registry.require(name)
        self._board.look_soon(name)

    def record_success(self, name: str) -> None:
        """Records a call that went well and was made with a client from `get`."""
        self._registry.require(name)
        self._board.apply(name, Called(succeeded=True))

    def record_failure(self, name: str, error: BaseException | None = None) -> None:
        """Records a call that failed; with an `error`, `counts_as_failure` is asked whether it counts."""
        self._registry.require(name)
        if error is None or self._board.endpoints[name].breaker.ended(None, error):
            self._board.apply(name, Called(succeeded=False))

    def open_circuit(
        self,
        name: str,
        *,
        reason: str | None = None,
        hold_for: Duration | None = None,
        actor: str | None = None,
    ) -> None:
        """Takes `name` out of rotation until `close_circuit`, or until `hold_for` is over."""
        self._registry.require(name)
        hold_s = None if hold_for is None else checked_hold(hold_for)
        self._board.apply(name, Held(Hold(hold_s, reason, actor)))

    def close_circuit(self, name: str, *, actor: str | None = None) -> None:
        """Puts `name` back in rotation; its counters and the verdict of its last look are cleared."""
        self._registry.require(name)
        self._board.apply(name, Closed(actor))

    def failback(self, name: str) -> None:
        """Lets the primary serve again, where `failback="manual"` waits for that.

        Raises UnknownConnectionError; PreconditionError when it is not eligible.
        """
        self._registry.require(name)
        clock = _clock()
        serving = self._router.serving(name)
        if not serving.known or serving.name == name:
            return
        if self._board.stand(name, clock) not in {Stand.READY, Stand.TRIAL}:
            raise PreconditionError(f'"{name}" cannot serve again yet: {self._board.reason(name, clock)}')
        self._board.fail_back(name)

    def restore(self, name: str, memory: Memory, serving: Serving = Serving()) -> None:  # noqa: B008 - frozen
        """Takes over what an earlier process remembered of `name`, before `connect()`; announces nothing."""
        self._registry.require(name)
        self._board.restore(name, memory, serving)

    def adopt(self, name: str, memory: Memory, serving: Serving | None = None) -> None:
        """Takes over what another process made of `name` meanwhile, and announces what changed."""
        self._registry.require(name)
        self._board.adopt(name, memory, serving)

    def health(self) -> dict[str, Health]:
        """The health of every connection."""
        return {name: endpoint.health.health for name, endpoint in self._board.endpoints.items()}

    def stats(self) -> dict[str, ConnectionStats]:
        """The short of every connection."""
        clock = _clock()
        stats = {}
        for name, endpoint in self._board.endpoints.items():
            route = self._board.route(name)
            circuit = endpoint.breaker.circuit
            stats[name] = ConnectionStats(
                endpoint.health.health,
                state_at(circuit, clock, endpoint.settings.rules),
                circuit.failures,
                route.serving if route.is_failover else None,
            )
        return stats

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
        return self._connected

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

        Never exits the process. Returns the function that removes it. Needs a running loop in the main thread.
        """
        return on_signals(signals, self._shut_down)

    def _shut_down(self, signal: Signals) -> None:
        if self._closing is not None or not self._begun:
            return
        self._emit(EventType.SHUTDOWN, None, reason=signal.name)
        self._closing = asyncio.get_running_loop().create_task(self._end(), name="omnidb disconnect")

    def _bound_checks(self) -> dict[str, Callable[[], object]]:
        return {name: partial(check, self._registry[name]) for name, check in self._checks.checks.items()}

    def _checked(self, name: str, checked: Checked, at: Moment) -> None:
        board = self._board
        board.checked(name, checked, at)
        if name not in board.unseen:
            return
        board.unseen.discard(name)
        if checked.result.health is not Health.UNHEALTHY:
            self._emit(EventType.CONNECTED, name)
        board.reroute((name, *self._router.heads_of(name)))

    def _emit(self, type: EventType, name: str | None, **fields: Any) -> None:  # noqa: A002 - the field's word
        self._board.emit(Event(type, name, utc(time()), **fields))


def _clock() -> float:
    """The running loop's clock, so that waits and timers agree; the monotonic clock where no loop runs."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        from time import monotonic

        return monotonic()


def _now() -> Moment:
    return Moment(_clock(), time())
