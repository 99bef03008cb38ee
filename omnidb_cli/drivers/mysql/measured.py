"""What a server sends, measured before asyncmy keeps it. Imported with the library only."""

from typing import Any

from asyncmy.protocol import FieldDescriptorPacket

from omnidb_cli.drivers._too_much import CHECK_BYTES, TooMuchError, too_long

_TEXTS_OF_FIELD = 6
_NUMBERS_OF_FIELD = 13
_NULL, _NO_LENGTH = 251, 255
_LENGTHS = {252: 2, 253: 3, 254: 8}
_UNREADABLE = "its answer cannot be read"


class Measured:
    """Stands before a receiver, which takes no more than is expected: the connection ends then.

    `came` is how many bytes came since `expect`, `too_much` what the connection was ended for.
    """

    transport: Any

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
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
            super().buffer_updated(size)  # type: ignore[misc]  # the receiver's


def field(data: bytes, encoding: str) -> Any:
    """A column, of what the server says of it. asyncmy does not check where that ends, and reads other memory."""
    at = 0
    for _ in range(_TEXTS_OF_FIELD):
        at = _after_text(data, at)
    if at + _NUMBERS_OF_FIELD > len(data):
        raise TooMuchError(_UNREADABLE)
    return FieldDescriptorPacket(data, encoding)


def _after_text(data: bytes, at: int) -> int:
    """Where the text ends that begins there with its length."""
    first = data[at] if at < len(data) else _NO_LENGTH
    size = _LENGTHS.get(first, 0)
    length = int.from_bytes(data[at + 1 : at + 1 + size], "little") if size else first
    end = at + 1 + size + length
    if first in (_NULL, _NO_LENGTH) or end > len(data):
        raise TooMuchError(_UNREADABLE)
    return end
