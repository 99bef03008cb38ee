"""asyncmy's side of the network with a measure before it. Imported with the library only."""

from typing import Any

from asyncmy import connection

from omnidb_cli.drivers._too_much import CHECK_BYTES, TooMuchError, too_long

_receiver: Any = connection._MySQLProtocol  # type: ignore[attr-defined]  # noqa: SLF001


class MeasuredReceiver(_receiver):  # type: ignore[misc]  # asyncmy has types for its public part alone
    """asyncmy's, which takes no more than is expected: the connection ends then.

    `came` is how many bytes came since `expect`, `too_much` what the connection was ended for.
    """

    transport: Any

    def __init__(self, loop: object) -> None:
        super().__init__(loop)
        self.too_much: TooMuchError | None = None
        self.expect(CHECK_BYTES)

    def expect(self, most_bytes: int) -> None:
        """Begins to count again: no more than this comes until the next time."""
        self.came = 0
        self._most = most_bytes

    def buffer_updated(self, size: int) -> None:
        """Called with how much the network has brought."""
        self.came += size
        if self.came > self._most and self.too_much is None:
            self.too_much = too_long(self._most)
            self.transport.abort()
        if self.too_much is None:
            super().buffer_updated(size)


def measure() -> None:
    """Has asyncmy make every connection with it: there is no other way to give it one."""
    connection._MySQLProtocol = MeasuredReceiver  # type: ignore[attr-defined]  # noqa: SLF001
