"""What a PostgreSQL server sends, measured before anything believes it: lengths, and what SCRAM asks for.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import re
import struct
from collections.abc import Mapping, Sequence
from math import prod

from omnidb_cli.drivers._scram import why_too_many
from omnidb_cli.drivers._too_much import CHECK_BYTES, MESSAGE_BYTES, TooMuchError, too_long
from omnidb_cli.drivers.postgres.login_requests import NOT_POSTGRES
from omnidb_cli.errors import ErrorKind

_HEADER = 5
_SHORTEST = 4
_KINDS = frozenset(b"RKZSENAtTn123CDIsWGHdcvV")  # asyncpg runs in circles on one of none, which is a NUL
_AUTHENTICATION, _COLUMNS, _ROW = b"RTD"
_COLUMN_BYTES = 18
_MOST_DIMENSIONS = 6
_PLAIN = frozenset({16, 17, 18, 19, 20, 21, 23, 25, 26, 700, 701, 705, 1042, 1043, 1700, 2205, 2206})
"""OIDs of what asyncpg reads without making room before, all that omnidb itself and asyncpg ask for."""

_PLAIN_ARRAYS = frozenset({1003, 1009, 1028})
"""OIDs of name[], text[] and oid[], which asyncpg asks for when it meets a type that it does not know."""

_SASL, _SASL_CONTINUE, _SASL_FINAL = 10, 11, 12
_SCRAM: Mapping[int, Sequence[int]] = {_SASL: (_SASL_CONTINUE,), _SASL_CONTINUE: (_SASL_FINAL,), _SASL_FINAL: ()}
"""What of SCRAM may come after each of its steps."""

_ROUNDS = re.compile(rb"(?:^|,)i=([0-9]+)")


class Meter:
    """Follows what comes on one connection, in whatever pieces. It begins with a login.

    With `plain_only` rows have columns of plain types alone: asyncpg makes room for as many elements of an array or a
    record as its first bytes say. With `introspects` some arrays may be among them, and are measured. What a person
    asks for may have any types, and is asked for as text.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._to_skip = 0
        self._of_login = True
        self.plain_only = True
        self.introspects = False
        self._may_follow: Sequence[int] = (_SASL,)
        self._arrays: Sequence[int] = ()
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
            if self._is_examined(data[at]):
                if length > CHECK_BYTES:
                    raise too_long(CHECK_BYTES)
                if at + 1 + length > size:
                    break
                self._examine(data[at], data[at + _HEADER : at + 1 + length])
            at += 1 + length
        self._rest = data[at:]
        self._to_skip = max(at - size, 0)

    def _is_examined(self, kind: int) -> bool:
        if kind == _ROW:
            return self.introspects
        return (kind == _AUTHENTICATION and self._of_login) or (
            kind == _COLUMNS and (self.plain_only or self.introspects)
        )

    def _examine(self, kind: int, body: bytes) -> None:
        """Raises TooMuchError for what is too much in a whole message."""
        if kind == _AUTHENTICATION:
            self._follow_login(body)
            return
        try:
            if kind == _COLUMNS:
                arrays = arrays_in(body)
                if arrays and not self.introspects:
                    raise TooMuchError(NOT_POSTGRES)
                self._arrays = arrays or self._arrays  # what is prepared already is not described again
            else:
                refuse_arrays(body, self._arrays)
        except (ValueError, LookupError, struct.error):
            raise TooMuchError(NOT_POSTGRES) from None

    def _follow_login(self, request: bytes) -> None:
        """Raises TooMuchError for a step of SCRAM that does not follow the one before: asyncpg crashes on it."""
        code = int.from_bytes(request[:4], "big")
        if code in _SCRAM:
            if code not in self._may_follow:
                raise TooMuchError(NOT_POSTGRES)
            self._may_follow = _SCRAM[code]
        if code == _SASL_CONTINUE:
            _refuse_rounds(request[4:])


def arrays_in(description: bytes) -> Sequence[int]:
    """Which columns of a RowDescription are arrays. Raises TooMuchError for a type that is not plain, nor one."""
    arrays, at = [], 2
    for number in range(int.from_bytes(description[:2], "big")):
        at = description.index(0, at) + 1
        (oid,) = struct.unpack_from(">6xI", description, at)
        at += _COLUMN_BYTES
        if oid in _PLAIN_ARRAYS:
            arrays.append(number)
        elif oid not in _PLAIN:
            raise TooMuchError(NOT_POSTGRES)
    return arrays


def refuse_arrays(row: bytes, arrays: Sequence[int]) -> None:
    """Raises TooMuchError where one of these columns in a DataRow announces more elements than it has room for."""
    at = 2
    for number in range(int.from_bytes(row[:2], "big")):
        (length,) = struct.unpack_from(">i", row, at)
        at += 4
        if number in arrays and length > 0:
            (dimensions,) = struct.unpack_from(">i", row, at)
            if not 0 <= dimensions <= _MOST_DIMENSIONS:
                raise TooMuchError(NOT_POSTGRES)
            sizes = struct.unpack_from(">" + "i4x" * dimensions, row, at + 12)
            if any(size < 0 for size in sizes) or prod(sizes) * 4 > length:
                raise TooMuchError(NOT_POSTGRES)
        at += max(length, 0)


def _refuse_rounds(first: bytes) -> None:
    """Raises TooMuchError where the server's first message of SCRAM has the password hashed too often."""
    for rounds in _ROUNDS.findall(first):
        why = why_too_many(rounds)
        if why is not None:
            raise TooMuchError(why, kind=ErrorKind.AUTH)
