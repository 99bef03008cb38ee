"""How a PostgreSQL server asks for the login, and which of its ways are answered.

https://www.postgresql.org/docs/current/protocol-message-formats.html and …/libpq-connect.html (`require_auth`)
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind

_WAYS: Mapping[int, str] = {3: "password", 5: "md5", 7: "gss", 9: "sspi", 10: "scram-sha-256"}
_DONE = 0
_HEADER = 5
_SHORTEST = 4
_NONSENSE = "nonsense"

WAYS = (*_WAYS.values(), "none")
"""The words of libpq's `require_auth`; each may have a `!` before it. `none` is a server that asks for nothing."""


class LoginPolicy(Struct, frozen=True):
    """Which ways to log in are answered at `place`; `wanted` is a `require_auth` of libpq, or None.

    Without one it is every way but the password in clear for everybody on the way to read.
    """

    place: str
    wanted: str | None = None

    def refusal(self, way: str, is_private: bool) -> ConnectError | None:
        """Why the server gets no answer to this request; None where it does.

        `is_private` says that nobody between here and there can read it: TLS, a unix socket, or this host.
        """
        if way == _NONSENSE:
            return ConnectError(
                f"{self.place} does not speak as a PostgreSQL server does",
                kind=ErrorKind.INTERNAL,
                hint="is it the port of something else?",
            )
        words = [word for word in (self.wanted or "").split(",") if word]
        named = [word for word in words if not word.startswith("!")]
        if f"!{way}" in words or (named and way not in named):
            return AuthenticationError(
                f"{self.place} asks for the login by {way}, and require_auth={self.wanted} does not allow it",
                hint="change require_auth in the URL, or how its pg_hba.conf lets this account in",
            )
        if way == "password" and way not in named and not is_private:
            return AuthenticationError(
                f"{self.place} asks for the password in clear, and the connection is not encrypted: it was not sent",
                hint="sslmode=require, or better verify-full, encrypts it; require_auth=password sends it all the same",
            )
        return None


class LoginRequests:
    """Finds the requests for the login in what a server sends, in whatever pieces it comes.

    `is_over` when the login is: nothing is answered after it.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._begun = b""
        self._to_skip = 0
        self._asked = False

    def feed(self, data: bytes) -> Iterator[str]:
        """The ways that the server asks for in this piece, `none` for one that asked for nothing and lets in."""
        while data and not self.is_over:
            if self._to_skip:
                skipped = min(self._to_skip, len(data))
                self._to_skip -= skipped
                data = data[skipped:]
                continue
            missing = self._needed() - len(self._begun)
            self._begun, data = self._begun + data[:missing], data[missing:]
            if len(self._begun) == self._needed():
                yield from self._message()

    def _needed(self) -> int:
        return _HEADER + _SHORTEST if self._begun[:1] == b"R" else _HEADER

    def _message(self) -> Iterator[str]:
        kind, length = self._begun[:1], int.from_bytes(self._begun[1:_HEADER], "big", signed=True)
        body, self._begun = self._begun[_HEADER:], b""
        self._to_skip = length - _SHORTEST - len(body)
        if self._to_skip < 0:
            self.is_over = True
            yield _NONSENSE
        elif kind == b"Z":
            self.is_over = True
        elif kind == b"R":
            yield from self._way(int.from_bytes(body, "big"))

    def _way(self, code: int) -> Iterator[str]:
        if code in _WAYS:
            self._asked = True
            yield _WAYS[code]
        elif code == _DONE and not self._asked:
            yield "none"
