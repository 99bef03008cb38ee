"""Notices the end of a connection that nobody reads from. The client library pauses reading between two commands."""

import asyncio
import os
from collections.abc import Callable


class Watch:
    """Calls `on_end` once, in the event loop, when the other side ends the connection. `stop` ends the watch.

    It watches a duplicate of the socket, so that the library may close its own at any time.
    """

    def __init__(self, socket_number: int, on_end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._number: int | None = os.dup(socket_number)
        self._loop.add_reader(self._number, self._readable)

    def _readable(self) -> None:
        self.stop()
        self._on_end()  # MongoDB says nothing unasked: whatever arrives is an end

    def stop(self) -> None:
        """Watches no more. May be called twice."""
        number, self._number = self._number, None
        if number is not None:
            self._loop.remove_reader(number)
            os.close(number)
