"""Hears from the client library when a server could not be reached. Imported with the library only."""

import asyncio
from collections.abc import Callable, Collection

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from omnidb_cli.log import Log

_log = Log("drivers.mongodb")


class FirstFailures(ServerHeartbeatListener):
    """The failure of each server that could not be reached when it was tried last."""

    def __init__(self) -> None:
        self._failures: dict[object, Exception] = {}
        self._waiting: asyncio.Future[Exception] | None = None
        self._servers: Callable[[], Collection[object]] = tuple

    def unreachable(self, servers: Callable[[], Collection[object]]) -> "asyncio.Future[Exception]":
        """Comes to be the last failure as soon as all `servers()` have failed. Failures of before are over."""
        self._failures.clear()
        self._servers = servers
        self._waiting = asyncio.get_running_loop().create_future()
        return self._waiting

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """A host answered: its last failure is over."""
        _log.debug("%s answers", ":".join(map(str, event.connection_id)))
        self._failures.pop(event.connection_id, None)

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """A host did not answer; once none does, whoever waits is told why."""
        _log.debug("%s does not answer: %s", ":".join(map(str, event.connection_id)), event.reply)
        self._failures[event.connection_id] = event.reply
        waiting = self._waiting
        if waiting is not None and not waiting.done() and self._failures.keys() >= set(self._servers()):
            waiting.set_result(event.reply)
