"""Who hears of events: handlers, plain or async, and streams. One listener's trouble never reaches another."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import time
from typing import Any

from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.errors import ConfigurationError
from omnidb_cli.log import Log

Handler = Callable[[Event], Any]

_log = Log("core.events")

STREAM_LIMIT = 1000

_GRACE_S = 0.1
"""How long a cancelled handler may take to stop."""


class EventStream:
    """The events from its making on, to be read with `async for`; ends when the orchestrator disconnects.

    A reader that falls `STREAM_LIMIT` behind loses the oldest and then gets an `error` event whose
    `detail["lost"]` says how many.
    """

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._lost = 0
        self._ended = False
        self._arrived = asyncio.Event()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> Event:
        while not self._waiting and not self._lost:
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return Event(EventType.ERROR, None, utc(time()), reason="reader fell behind", detail={"lost": lost})
        return self._waiting.popleft()

    def push(self, event: Event) -> None:
        """Adds an event; drops the oldest one of a reader that fell behind."""
        if len(self._waiting) >= STREAM_LIMIT:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(event)
        self._arrived.set()

    def drain(self) -> "list[Event]":
        """The events that wait to be read, without waiting for more."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def end(self) -> None:
        """No more events will come: what waits can still be read."""
        self._ended = True
        self._arrived.set()


class EventBus:
    """Publishes events in their order: one that a handler causes comes after those already under way."""

    def __init__(self) -> None:
        self._handlers: dict[EventType, list[tuple[Handler, bool]]] = {}
        self._streams: list[EventStream] = []
        self._outbox: deque[Event] = deque()
        self._publishing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._deferred: list[tuple[Handler, Event]] = []

    def on(self, type: str, handler: Handler, *, once: bool = False) -> None:  # noqa: A002 - the field's word
        """Calls `handler(event)` for each event of that type (once: for the next only).

        Raises ConfigurationError for a type that is not one, or a handler that cannot be called.
        """
        if not callable(handler):
            raise ConfigurationError(f"not a handler: {handler!r}")
        self._handlers.setdefault(_event_type(type), []).append((handler, once))

    def off(self, type: str, handler: Handler) -> None:  # noqa: A002 - the field's word
        """Ends what `on` or `once` began; a handler that is not there is no fault."""
        kept = [entry for entry in self._handlers.get(_event_type(type), []) if entry[0] != handler]
        self._handlers[_event_type(type)] = kept

    def stream(self) -> EventStream:
        """A new stream of all events from now on."""
        stream = EventStream()
        self._streams.append(stream)
        return stream

    @property
    def has_listeners(self) -> bool:
        """Whether anybody would hear of an event."""
        return bool(self._streams) or any(self._handlers.values()) or _log.is_heard

    def publish(self, *events: Event) -> None:
        """Tells everybody, in order. Never raises: a handler that fails becomes an `error` event."""
        self._outbox.extend(events)
        if self._publishing:
            return
        self._publishing = True
        try:
            while self._outbox:
                self._deliver(self._outbox.popleft())
        finally:
            self._publishing = False

    def _deliver(self, event: Event) -> None:
        _log.debug("%s", event, connection=event.name)
        for stream in self._streams:
            stream.push(event)
        for entry in tuple(self._handlers.get(event.type, ())):
            if entry not in self._handlers[event.type]:
                continue  # an earlier handler of this event took it off
            handler, once = entry
            if once:
                self._handlers[event.type].remove(entry)
            self._call(handler, event)

    def _call(self, handler: Handler, event: Event) -> None:
        try:
            answer = handler(event)
        except Exception as error:  # noqa: BLE001 - told as an event: one handler's trouble is not another's
            self._handler_failed(event, error)
            return
        if isawaitable(answer):
            self._run(answer, event)

    def _run(self, answer: Awaitable[Any], event: Event) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._deferred.append((lambda _: answer, event))
            return
        task = loop.create_task(self._finish(answer, event))
        self._tasks.add(task)  # owned here; aclose() waits for it
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, answer: Awaitable[Any], event: Event) -> None:
        try:
            await answer
        except Exception as error:  # noqa: BLE001 - told as an event
            self._handler_failed(event, error)

    def _handler_failed(self, event: Event, error: Exception) -> None:
        if event.type is not EventType.ERROR:
            self.publish(
                Event(EventType.ERROR, event.name, utc(time()), reason=f"handler of {event.type} failed", error=error)
            )
            return
        context = {"message": "a handler of omnidb's error event failed", "exception": error}
        try:
            asyncio.get_running_loop().call_exception_handler(context)
        except RuntimeError:
            import sys

            sys.excepthook(type(error), error, error.__traceback__)

    def resume(self) -> None:
        """Runs the async handlers of events that came before there was a loop."""
        deferred, self._deferred = self._deferred, []
        for handler, event in deferred:
            self._call(handler, event)

    def excuse(self, task: "asyncio.Task[Any] | None") -> None:
        """Lets `aclose` end without `task`: a handler that waits for the end itself must not be waited for."""
        if task is not None:
            self._tasks.discard(task)

    async def aclose(self, *, within_s: float) -> None:
        """Waits for async handlers at most `within_s` seconds, then cancels them; ends every stream."""
        self.resume()
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while self._tasks and (left_s := until - loop.time()) > 0:
            await asyncio.wait(self._tasks, timeout=left_s)
        for task in (late := set(self._tasks)):
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_GRACE_S)
        for stream in self._streams:
            stream.end()
        self._streams.clear()


def _event_type(word: str) -> EventType:
    try:
        return EventType(word)
    except ValueError:
        raise ConfigurationError(f"no event {word!r}; there are: {', '.join(EventType)}") from None
