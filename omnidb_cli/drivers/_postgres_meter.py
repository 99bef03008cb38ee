"""What a PostgreSQL server sends, measured before anything believes it: lengths, and what SCRAM asks for.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import re

from omnidb_cli.drivers._postgres_login_requests import NOT_POSTGRES
from omnidb_cli.drivers._scram import why_too_many
from omnidb_cli.drivers._too_much import CHECK_BYTES, MESSAGE_BYTES, TooMuchError, too_long
from omnidb_cli.errors import ErrorKind

_HEADER = 5
_SHORTEST = 4
_KINDS = frozenset(b"RKZSENAtTn123CDIsWGHdcvV")  # asyncpg runs in circles on one of none, which is a NUL
_AUTHENTICATION = b"R"
_SASL_CONTINUE = (11).to_bytes(4, "big")
_ROUNDS = re.compile(rb"(?:^|,)i=([0-9]+)")


class Meter:
    """Follows what comes on one connection, in whatever pieces. It begins with a login."""

    def __init__(self) -> None:
        self._rest = b""
        self._to_skip = 0
        self._of_login = True
        self._most = self._left = CHECK_BYTES

    def expect(self, most_bytes: int) -> None:
        """Begins to count again: no more than this comes until the next time. The login is over."""
        self._of_login = False
        self._most = self._left = most_bytes

    def refuse(self, data: bytes) -> None:
        """Takes note of the next piece. Raises TooMuchError for one that nothing may read; none may follow it."""
        self._left -= len(data)
        if self._left < 0:
            raise too_long(self._most)
        at, size = self._to_skip, len(data)
        if at >= size:
            self._to_skip = at - size
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
            size = len(data)
        while at + _HEADER <= size:
            length = int.from_bytes(data[at + 1 : at + _HEADER], "big", signed=True)
            if length < _SHORTEST or data[at] not in _KINDS:
                raise TooMuchError(NOT_POSTGRES)
            if length > MESSAGE_BYTES:
                raise too_long(MESSAGE_BYTES)
            if self._of_login and data[at : at + 1] == _AUTHENTICATION:
                if length > CHECK_BYTES:
                    raise too_long(CHECK_BYTES)
                if at + 1 + length > size:
                    break
                _refuse_rounds(data[at + _HEADER : at + 1 + length])
            at += 1 + length
        self._rest = data[at:]
        self._to_skip = max(at - size, 0)


def _refuse_rounds(request: bytes) -> None:
    """Raises TooMuchError where this message of the login has the password hashed too often."""
    if not request.startswith(_SASL_CONTINUE):
        return
    for rounds in _ROUNDS.findall(request[len(_SASL_CONTINUE) :]):
        why = why_too_many(rounds)
        if why is not None:
            raise TooMuchError(why, kind=ErrorKind.AUTH)
