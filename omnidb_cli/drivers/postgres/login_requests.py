"""How a PostgreSQL server asks for the login, and which of its ways are answered.

https://www.postgresql.org/docs/current/protocol-message-formats.html and …/libpq-connect.html (`require_auth`)
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind

_WAYS: Mapping[int, str] = {3: "password", 5: "md5", 7: "gss", 9: "sspi", 10: "scram-sha-256"}
_DONE = 0
_HEADER = 5
_TEXTS = (b"E", b"N", b"S")
_LONGEST_MESSAGE = 1_000_000
_NONSENSE = "nonsense"

NOT_POSTGRES = "it does not answer as PostgreSQL does"

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
                f"{self.place}: {NOT_POSTGRES}",
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
        self._asked = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """Each whole message, in texts that asyncpg can read, with the way to log in that it asks for, if it does.

        `none` is the way of a server that asked for nothing and lets in. What comes after the login is one piece.
        """
        data, self._begun, start = self._begun + data, b"", 0
        while not self.is_over and (size := _size_of(data[start : start + _HEADER])) is not None:
            if not _HEADER <= size <= _LONGEST_MESSAGE:
                self.is_over = True
                yield b"", _NONSENSE
                return
            if len(data) < start + size:
                break
            message = data[start : start + size]
            start += size
            self.is_over = message[:1] == b"Z"
            yield _readable(message), self._way(message)
        if not self.is_over:
            self._begun = data[start:]
        elif start < len(data):
            yield data[start:], None

    def _way(self, message: bytes) -> str | None:
        if message[:1] != b"R":
            return None
        if len(message) < _HEADER + 4:
            self.is_over = True
            return _NONSENSE
        code = int.from_bytes(message[_HEADER : _HEADER + 4], "big")
        if code == _DONE:
            return None if self._asked else "none"
        self._asked = self._asked or code in _WAYS
        return _WAYS.get(code)


def _size_of(header: bytes) -> int | None:
    """How long the message with this header is; None where not all of it is there."""
    return 1 + int.from_bytes(header[1:], "big", signed=True) if len(header) == _HEADER else None


def _readable(message: bytes) -> bytes:
    r"""The message, with `\xff` for each byte of an error, a notice or a setting that is not UTF-8.

    A server knows no encoding of ours yet, and asyncpg waits for ever for the rest of what it cannot decode.
    """
    if message[:1] not in _TEXTS or message.isascii():
        return message
    body = message[_HEADER:].decode(errors="backslashreplace").encode()
    return message[:1] + (len(body) + 4).to_bytes(4, "big") + body
