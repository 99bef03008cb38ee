"""What the operating system, TLS and the resolver say, for every engine: its kind, a sentence, and what to do.

Kind `local` is trouble of this host: it says nothing about a server and never counts against one (semantics, Health 9).
"""

import errno
from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnidb_cli.descriptors import LACKS, lack_of_descriptors
from omnidb_cli.errors import (
    LOCAL_ERRNOS,
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ErrorKind,
    errnos_of,
    is_local,
)


class Trouble(Struct, frozen=True):
    """One cause: its kind, a sentence that follows the server's address, and what to do about it."""

    kind: ErrorKind
    sentence: str
    hint: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is this host's own trouble."""
        return self.kind is ErrorKind.LOCAL


_RUNS = "is the server running, and is the port right?"
_MEMORY = Trouble(ErrorKind.LOCAL, "this host has no memory left", "see what uses it up: free -m, top")
_THREADS = Trouble(
    ErrorKind.LOCAL, "this host lets this process start no more threads", "see ulimit -u, and pids.max of its cgroup"
)
_REFUSED = Trouble(ErrorKind.REFUSED, "connection refused", _RUNS)
_RESET = Trouble(ErrorKind.RESET, "the connection was reset")
_CLOSED = Trouble(ErrorKind.RESET, "the connection was closed")
_NO_NAME = Trouble(ErrorKind.DNS, "no such host name", "check the spelling of the host, and this host's DNS server")
_FORBIDDEN = Trouble(ErrorKind.AUTH, "no permission to use the socket", "see the rights of the socket")

OF_ERRNO: Mapping[int, Trouble] = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ECONNRESET: _RESET,
    errno.EPIPE: _CLOSED,
    errno.ECONNABORTED: Trouble(ErrorKind.RESET, "the connection was aborted"),
    errno.EBADF: _CLOSED,  # what asyncmy meets where the other side closed at once
    errno.ETIMEDOUT: Trouble(ErrorKind.TIMEOUT, "the host does not answer"),
    errno.ENOENT: Trouble(ErrorKind.REFUSED, "there is no such socket: the server is down, or its socket elsewhere"),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EHOSTUNREACH: Trouble(ErrorKind.REFUSED, "there is no route to the host"),
    errno.ENETUNREACH: Trouble(ErrorKind.REFUSED, "the network is unreachable"),
    **{number: Trouble(ErrorKind.LOCAL, *said) for number, said in LACKS.items()},
    errno.ENOMEM: _MEMORY,
    errno.ENOBUFS: Trouble(ErrorKind.LOCAL, "this host has no network buffers left", "see net.core.wmem_max, ss -m"),
    errno.EADDRNOTAVAIL: Trouble(
        ErrorKind.LOCAL,
        "this host has no address or port left to reach it from",
        "see net.ipv4.ip_local_port_range, and ss -s for who uses the ports up",
    ),
    errno.ENETDOWN: Trouble(ErrorKind.LOCAL, "the network of this host is down", "see ip link"),
}
"""Where a host has several addresses and each fails in its own way, the first of these is what is said."""


def trouble_of(error: BaseException) -> Trouble | None:
    """What the error says of the network or of this host; None for one that comes from neither."""
    import socket
    import ssl

    match error:
        case socket.gaierror():
            return of_resolver(error.errno or 0, error.strerror or str(error))
        case UnicodeError() if not isinstance(error, UnicodeDecodeError):
            return Trouble(ErrorKind.DNS, f"the host name is not one: {error}")
        case ssl.SSLCertVerificationError():
            reason = getattr(error, "verify_message", None) or error
            return Trouble(ErrorKind.TLS, f"its certificate is not trusted: {reason}")
        case ssl.SSLError():
            return Trouble(ErrorKind.TLS, f"TLS failed: {getattr(error, 'reason', None) or error}")
        case MemoryError():
            return _MEMORY
        case RuntimeError() if is_local(error):
            return _THREADS
        case OSError() | ExceptionGroup():
            return _of_system(error)
    return None


def _of_system(error: "OSError | ExceptionGroup[Exception]") -> Trouble:
    found = of_numbers(errnos_of(error))
    if found is not None:
        return found
    match error:
        case TimeoutError():
            return Trouble(ErrorKind.TIMEOUT, "no answer in time")
        case ConnectionError():
            return Trouble(ErrorKind.RESET, "the connection was closed before the server had answered")
    return Trouble(ErrorKind.INTERNAL, str(error))


def of_numbers(numbers: Sequence[int]) -> Trouble | None:
    """What the operating system's error numbers say, of each address one; it is local only where all of them are."""
    decisive = [number for number in numbers if number not in LOCAL_ERRNOS] or numbers
    if any(number < 0 for number in decisive):
        return of_resolver(min(decisive), "")
    return next((trouble for number, trouble in OF_ERRNO.items() if number in decisive), None)


def of_resolver(number: int, said: str) -> Trouble:
    """What the resolver's error number says. It hides what this host lacks, so that is tried."""
    import socket

    if number == socket.EAI_MEMORY:
        return _MEMORY
    if (lacking := trouble_of_descriptors()) is not None:
        return lacking
    if number in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        return _NO_NAME
    return Trouble(ErrorKind.DNS, f"the host name is not resolved{f': {said}' if said else ''}", _NO_NAME.hint)


def trouble_of_descriptors(needed: int = 1) -> Trouble | None:
    """The trouble where this process cannot open so many files more: for libraries that hide the system's word."""
    number = lack_of_descriptors(needed)
    return OF_ERRNO[number] if number in LOCAL_ERRNOS else None


def not_connected(trouble: Trouble, place: str, *, hint: str | None = None) -> ConnectError:
    """The error for a connection to `place` that could not be made; `hint` is the engine's own, where it has one."""
    make = AuthenticationError if trouble.kind is ErrorKind.AUTH else ConnectError
    return make(f"{place}: {trouble.sentence}", kind=trouble.kind, hint=hint or trouble.hint)


def lost(trouble: Trouble, place: str) -> ConnectionLostError:
    """The error for a connection to `place` that broke after something was sent on it."""
    return ConnectionLostError(f"{place}: {trouble.sentence}", kind=trouble.kind, hint=trouble.hint)
