"""What a server's replies would take, measured before anything believes them: bytes, elements, depth.

The parser makes room for as many elements as a reply says that it has: a line of twelve bytes could take gigabytes.
"""

CHECK_BYTES = 1_000_000
"""The most that all replies of a check may have."""

STATEMENT_BYTES = 64_000_000
"""The most that the reply to a statement may have: it is held in memory as a whole."""

_SHORTEST_ELEMENT = 3  # `_\r\n`
_DEEPEST = 1000
_LONGEST_LINE = 1_000_000
_MOST_DIGITS = 20
_LISTS = {ord("*"): 1, ord("~"): 1, ord(">"): 1, ord("%"): 2, ord("|"): 2}
_TEXTS = frozenset(b"$=!")


class Meter:
    """Follows the replies on one connection, in whatever pieces they come."""

    def __init__(self) -> None:
        self._rest = b""
        self._to_skip = 0
        self._open: list[int] = []
        self.begin(CHECK_BYTES)

    def begin(self, most_bytes: int) -> None:
        """Counts anew, for replies of so many bytes at the most."""
        self._bytes_left = most_bytes
        self._elements_left = most_bytes // _SHORTEST_ELEMENT
        self._most_bytes = most_bytes

    def why_too_much(self, data: bytes) -> str | None:
        """What is wrong with the next piece, None if the parser may have it; nothing may follow a wrong one."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            return self._too_long()
        if self._to_skip >= len(data):
            self._to_skip -= len(data)
            return None
        at, self._to_skip = self._to_skip, 0
        if self._rest:
            data, self._rest = self._rest + data, b""
        while at < len(data):
            end = data.find(b"\r\n", at)
            if end < 0:
                self._rest = data[at:]
                return None if len(self._rest) <= _LONGEST_LINE else "it sends a line without an end"
            kind, count = data[at], data[at + 1 : end]
            at = end + 2
            if kind in _LISTS and (why := self._begun(kind, count)) is not None:
                return why
            if kind in _TEXTS and (length := _number(count)) >= 0:
                if length > self._most_bytes:
                    return self._too_long()
                at += length + 2
            if kind not in _LISTS or _number(count) <= 0:
                self._ended()
        self._to_skip = at - len(data)
        return None

    def _begun(self, kind: int, count: bytes) -> str | None:
        number = _number(count) * _LISTS[kind]
        if number <= 0:
            return None
        self._elements_left -= number
        if self._elements_left < 0:
            return f"it announces {number:,} elements, for which a reply is not long enough"
        self._open.append(number)
        return f"its reply is more than {_DEEPEST} lists deep" if len(self._open) > _DEEPEST else None

    def _ended(self) -> None:
        """One element has come to its end, and with it the lists that it was the last of."""
        while self._open:
            self._open[-1] -= 1
            if self._open[-1]:
                return
            self._open.pop()

    def _too_long(self) -> str:
        return f"its reply has more than {self._most_bytes // 1_000_000} MB"


def _number(text: bytes) -> int:
    """A length or a count; -1 for what is none, which the parser refuses."""
    if not text.isdigit():
        return -1
    return int(text[:_MOST_DIGITS])
