"""From `connect()` to `disconnect()`: the first checks, the checks between, and a bounded end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from signal import Signals
from types import MethodType
from typing import Any

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.coordinator import Coordinator
from omnidb_cli.core.events.bus import EventBus
from omnidb_cli.core.events.model import EventType
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.health.monitor import HealthMonitor
from omnidb_cli.core.reducer import CheckCompleted
from omnidb_cli.core.registry import Registry
from omnidb_cli.core.settings import HealthCheck
from omnidb_cli.errors import NotConnectedError


async def close_all(clients: Mapping[str, Any], *, within_s: float) -> AsyncIterator[tuple[str, BaseException | None]]:
    """Closes every client that has `aclose` or `close`, side by side; yields each name with what went wrong, or None.

    A client of several names is closed once. One that is not done after `within_s` seconds is cancelled and comes with
    a TimeoutError.
    """
    loop = asyncio.get_running_loop()
    of_client: dict[int, asyncio.Task[None]] = {}
    tasks: dict[str, asyncio.Task[None]] = {}
    for name, client in clients.items():
        if id(client) not in of_client:
            of_client[id(client)] = loop.create_task(_close(client))
        tasks[name] = of_client[id(client)]
    _, late = await asyncio.wait(of_client.values(), timeout=within_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=0.1)
    for name, task in tasks.items():
        task.add_done_callback(_outcome)  # read, so that one who fails after all is not reported as forgotten
        yield name, TimeoutError(f"closing took longer than {within_s:g}s") if task in late else _outcome(task)


def _outcome(task: "asyncio.Task[None]") -> BaseException | None:
    return asyncio.CancelledError("closing was cancelled") if task.cancelled() else task.exception()


async def _close(client: Any) -> None:
    close = getattr(client, "aclose", None) or getattr(client, "close", None)
    if not callable(close):
        return
    answer = close()
    if hasattr(answer, "__await__"):
        await answer


def on_signals(signals: Sequence[signal.Signals], act: Callable[[signal.Signals], None]) -> Callable[[], None]:
    """Calls `act(signal)` whenever one of `signals` arrives; returns the function that puts the old handlers back."""
    loop = asyncio.get_running_loop()
    former: dict[signal.Signals, object] = {}

    def remove() -> None:
        for one, handler in former.items():
            if not loop.is_closed():
                loop.remove_signal_handler(one)
            if handler is not None:  # one that was not set from Python cannot be put back from here
                signal.signal(one, handler)  # type: ignore[arg-type]
        former.clear()

    try:
        for one in signals:
            handler = signal.getsignal(one)
            loop.add_signal_handler(one, act, one)
            former.setdefault(one, handler)
    except BaseException:
        remove()
        raise
    return remove


_CLOSE_WITHIN_S = 5.0
_STOP_WITHIN_S = 2.0


def not_connected() -> NotConnectedError:
    """What is raised outside `connect()` … `disconnect()`."""
    return NotConnectedError("not connected", hint="call connect() first, or use `async with`")


class Lifecycle:
    """Owns the monitor, the task it lives in, and the one ending, of one orchestrator."""

    def __init__(self, clients: Registry[Any], checks: HealthCheck, board: Coordinator, bus: EventBus) -> None:
        self._clients = clients
        self._checks = checks
        self._board = board
        self._bus = bus
        self._monitor: HealthMonitor | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stop: asyncio.Event | None = None
        self._ended = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._signal_handlers: list[Callable[[], None]] = []
        self._begun = False
        self.is_connected = False

    async def connect(self, *, check: bool, keep_checking: bool) -> None:
        """Begins; raises NotConnectedError when disconnected meanwhile."""
        async with self._connecting:
            if self._closing is not None:
                await asyncio.shield(self._closing)
            if self._keeper is None:
                await self._begin(check=check, keep_checking=keep_checking)

    async def _begin(self, *, check: bool, keep_checking: bool) -> None:
        loop = asyncio.get_running_loop()
        self._begun = True
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        checks = {name: MethodType(check, self._clients[name]) for name, check in self._checks.checks.items()}
        monitor = self._monitor = HealthMonitor(checks, self._checks, self._first_checked)
        ready = loop.create_future()
        self._keeper = loop.create_task(self._keep(monitor, self._stop, ready), name="omnidb health monitor")
        try:
            await ready
            self._require_begun()
            self._bus.resume()
            self._board.request_check = monitor.request
            self._board.start(loop)
            if keep_checking:
                monitor.start()  # before the first check ends: one that hangs delays nobody else's second
            await self._first_check(monitor, check=check)
            self._require_begun()
        except BaseException:
            await self._halt()
            self._ended.set()
            raise
        self.is_connected = True

    async def check(self, names: Iterable[str] | None) -> None:
        """Checks now; raises NotConnectedError outside `connect()` … `disconnect()`."""
        if self._monitor is None or self._keeper is None:
            raise not_connected()
        await self._monitor.check(names)

    async def disconnect(self) -> None:
        """Ends. Doing it twice, or at the same time, is one ending."""
        self._bus.excuse(asyncio.current_task())
        if self._closing is None and not self._begun:
            await self._bus.aclose(within_s=_STOP_WITHIN_S)
            self._remove_signal_handlers()
            return
        await asyncio.shield(self._begin_to_end())

    def shut_down(self, reason: str) -> None:
        """Says so and begins to end; does nothing where that is under way, or where nothing has begun."""
        if self._closing is not None or not self._begun:
            return
        self._board.emit(EventType.SHUTDOWN, None, reason=reason)
        self._begin_to_end()

    def shut_down_on(self, signals: Sequence[Signals]) -> Callable[[], None]:
        """Has each of `signals` shut down; `disconnect()` puts the former handlers back, as does what is returned."""
        remove = on_signals(signals, lambda signal: self.shut_down(signal.name))
        self._signal_handlers.append(remove)
        return remove

    def _remove_signal_handlers(self) -> None:
        for remove in reversed(self._signal_handlers):  # the last one to come remembers those before it
            remove()
        self._signal_handlers.clear()

    async def wait_closed(self) -> None:
        """Returns when the ending is done, whoever began it. At once when nothing has begun."""
        while self._keeper is not None or self._closing is not None:
            await self._ended.wait()

    def _require_begun(self) -> None:
        if self._keeper is None:
            raise NotConnectedError("disconnected while connecting")

    async def _first_check(self, monitor: HealthMonitor, *, check: bool) -> None:
        board = self._board
        board.unseen = {name for name in self._clients if check and name in monitor}
        undecided = [name for name in self._clients if name not in board.unseen]
        board.catch_up()
        if check:
            for name in undecided:
                board.emit(EventType.CONNECTED, name)
            try:
                await monitor.check()
            finally:
                board.unseen = set()
        monitor.on_result = board.dispatch
        board.reroute(undecided)

    def _first_checked(self, name: str, checked: CheckCompleted, at: Instant) -> None:
        board, first = self._board, name in self._board.unseen
        board.unseen.discard(name)
        decided = board.dispatch(name, checked, at)
        if not first:
            return
        if not decided:
            board.reroute((name, *board.router.heads_of(name)), at)
        if checked.result.health is not Health.UNHEALTHY:
            board.emit(EventType.CONNECTED, name)

    async def _keep(self, monitor: HealthMonitor, stop: asyncio.Event, ready: "asyncio.Future[None]") -> None:
        """Owns the monitor and all its tasks."""
        try:
            async with monitor:
                ready.set_result(None)
                await stop.wait()
        except Exception as error:  # noqa: BLE001 - nobody awaits this task but the ending: say it at once
            reason = "the health monitor stopped: a defect in omnidb"
            self._board.emit(EventType.ERROR, None, reason=reason, error=error)

    def _begin_to_end(self) -> "asyncio.Task[None]":
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._end(), name="omnidb disconnect")
        return self._closing

    async def _end(self) -> None:
        board = self._board
        try:
            await self._halt()
            clients = {name: self._clients[name] for name in self._clients}
            async for name, error in close_all(clients, within_s=_CLOSE_WITHIN_S):
                if error is not None:
                    board.emit(EventType.ERROR, name, reason="closing the client failed", error=error)
                board.emit(EventType.DISCONNECTED, name)
            await self._bus.aclose(within_s=_STOP_WITHIN_S)
        finally:
            self._remove_signal_handlers()
            self._begun = False
            self._closing = None
            self._ended.set()

    async def _halt(self) -> None:
        """Stops checking and routing; leaves the clients alone."""
        keeper, self._keeper = self._keeper, None
        self.is_connected = False
        self._board.stop()
        if self._monitor is not None:
            self._monitor.stop()
        if self._stop is not None:
            self._stop.set()
        if keeper is not None:
            await asyncio.wait({keeper}, timeout=_STOP_WITHIN_S)
