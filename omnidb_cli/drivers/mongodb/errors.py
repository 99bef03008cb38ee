"""MongoDB's error codes, and the client library's exceptions, in the words and kinds of our tree."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.drivers.network_errors import Trouble, lost, not_connected, of_numbers, trouble_of
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
    errnos_of,
    is_local,
)


class ErrorClass(Struct, frozen=True):
    """What a code says, and whether the circuit breaker counts it."""

    kind: ErrorKind
    counts: bool = True


CODES: Mapping[int, ErrorClass] = {
    1: ErrorClass(ErrorKind.INTERNAL),  # InternalError
    6: ErrorClass(ErrorKind.REFUSED),  # HostUnreachable, of a router's shard
    7: ErrorClass(ErrorKind.DNS),  # HostNotFound, of a router's shard
    8: ErrorClass(ErrorKind.INTERNAL),  # UnknownError
    11: ErrorClass(ErrorKind.AUTH),  # UserNotFound
    18: ErrorClass(ErrorKind.AUTH),  # AuthenticationFailed
    24: ErrorClass(ErrorKind.TIMEOUT, counts=False),  # LockTimeout: the statement's neighbours, not the server
    46: ErrorClass(ErrorKind.TIMEOUT, counts=False),  # LockBusy
    50: ErrorClass(ErrorKind.TIMEOUT),  # MaxTimeMSExpired
    70: ErrorClass(ErrorKind.INTERNAL),  # ShardNotFound
    89: ErrorClass(ErrorKind.TIMEOUT),  # NetworkTimeout
    91: ErrorClass(ErrorKind.REFUSED),  # ShutdownInProgress
    94: ErrorClass(ErrorKind.ROLE),  # NotYetInitialized
    133: ErrorClass(ErrorKind.ROLE),  # FailedToSatisfyReadPreference
    189: ErrorClass(ErrorKind.ROLE),  # PrimarySteppedDown
    202: ErrorClass(ErrorKind.TIMEOUT),  # NetworkInterfaceExceededTimeLimit
    262: ErrorClass(ErrorKind.TIMEOUT),  # ExceededTimeLimit
    334: ErrorClass(ErrorKind.AUTH),  # MechanismUnavailable
    462: ErrorClass(ErrorKind.CAPACITY),  # IngressRequestRateLimitExceeded
    8000: ErrorClass(ErrorKind.AUTH),  # AtlasError: a refused login there
    9001: ErrorClass(ErrorKind.RESET),  # SocketException
    10058: ErrorClass(ErrorKind.ROLE),  # LegacyNotPrimary
    10107: ErrorClass(ErrorKind.ROLE),  # NotWritablePrimary
    11600: ErrorClass(ErrorKind.REFUSED),  # InterruptedAtShutdown
    11602: ErrorClass(ErrorKind.ROLE),  # InterruptedDueToReplStateChange
    13435: ErrorClass(ErrorKind.ROLE),  # NotPrimaryNoSecondaryOk
    13436: ErrorClass(ErrorKind.ROLE),  # NotPrimaryOrSecondary
    14031: ErrorClass(ErrorKind.CAPACITY),  # OutOfDiskSpace
}
"""Trouble of the server. A code that is not here is trouble of the statement, and does not count."""

INTERRUPTED = frozenset({11600, 11602, 189})
"""What was carried out before these is not known."""

_WORDS: tuple[tuple[str, ErrorKind], ...] = (
    ("essage length", ErrorKind.INTERNAL),
    ("essage size", ErrorKind.INTERNAL),
    ("response id", ErrorKind.INTERNAL),
    ("SSL", ErrorKind.TLS),
    ("ertificate", ErrorKind.TLS),
    ("ostname mismatch", ErrorKind.TLS),
    ("getaddrinfo", ErrorKind.DNS),
    ("Name or service not known", ErrorKind.DNS),
    ("nodename nor servname", ErrorKind.DNS),
    ("DNS", ErrorKind.DNS),
    ("refused", ErrorKind.REFUSED),
    ("timed out", ErrorKind.TIMEOUT),
    ("closed", ErrorKind.RESET),
    ("reset", ErrorKind.RESET),
    ("lost", ErrorKind.RESET),
)
_BY_KIND: Mapping[ErrorKind, Trouble] = {
    trouble.kind: trouble
    for trouble in (
        Trouble(ErrorKind.DNS, "its name cannot be resolved", "check the spelling of the host, and the DNS server"),
        Trouble(ErrorKind.REFUSED, "connection refused", "is the server running, and is the port right?"),
        Trouble(ErrorKind.TIMEOUT, "the server did not answer in time"),
        Trouble(
            ErrorKind.RESET,
            "the server closed the connection without a word",
            "it may have gone away, have no connection left, or require TLS (tls=true)",
        ),
        Trouble(
            ErrorKind.ROLE,
            "none of the members that answer is what the URL asks for",
            "rs.status() on one of them says more; readPreference= lets a secondary serve",
        ),
        Trouble(ErrorKind.TLS, "no TLS connection could be made"),
        Trouble(ErrorKind.INTERNAL, "its answer cannot be read, or is too long", "is it the port of something else?"),
    )
}
"""What the library only has words for, which are its own."""


def code_of(error: BaseException) -> int:
    """The server's code; 0 where the server said nothing."""
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else int(details_of(error).get("code") or 0)


def details_of(error: BaseException) -> Mapping[str, Any]:
    """The server's own reply; empty where it gave none."""
    found = getattr(error, "details", None)
    return found if isinstance(found, Mapping) else {}


def said_by(error: BaseException) -> str:
    """What went wrong in the server's words, with the name of its code, on one line."""
    details = details_of(error)
    text = " ".join(str(details.get("errmsg") or error).split())
    name = str(details.get("codeName") or "")
    return f"{text} ({name})" if name not in text else text


def network_trouble(error: BaseException) -> Trouble:
    """What a failure between here and there was; the library keeps the cause only in words."""
    from pymongo.errors import ConfigurationError, ServerSelectionTimeoutError

    if isinstance(error, ConfigurationError):
        from_resolver = type(error.__cause__).__module__.startswith("dns.")
        return _BY_KIND[ErrorKind.DNS] if from_resolver else Trouble(ErrorKind.INTERNAL, str(error))
    if isinstance(error, ServerSelectionTimeoutError):
        return _of_selection(str(error))
    return _in_words(error)


def _of_selection(text: str) -> Trouble:
    """Why no server of a set was taken: none of those that answer is what was asked for, or none answers."""
    if text.startswith(("No primary", "No replica set members", "No mongos")):
        return _BY_KIND[ErrorKind.ROLE]
    said = text.partition(", Timeout: ")[0]
    return _BY_KIND[ErrorKind.TIMEOUT] if said.startswith("No servers") else _in_words(Exception(said))


def _in_words(error: BaseException) -> Trouble:
    """Of several servers' failures it is this host's own only where nothing else is said of any of them."""
    from bson.errors import InvalidBSON

    if isinstance(error, TimeoutError) or getattr(error, "timeout", False) is True:
        return _BY_KIND[ErrorKind.TIMEOUT]
    if isinstance(error, InvalidBSON):
        return _BY_KIND[ErrorKind.INTERNAL]
    text = f"{error} {error.__cause__ or ''}"
    kind = next((kind for word, kind in _WORDS if word in text), None)
    found = trouble_of(error) if is_local(error) else of_numbers(errnos_of(error))
    if found is not None and "SSL handshake" not in text and not (found.is_local and kind is not None):
        return found
    return _BY_KIND[kind or ErrorKind.RESET]


def connect_error(error: Exception, place: str) -> ConnectError:
    """The error for a connection that could not be made: nothing but the login has reached the server."""
    code = code_of(error)
    if code:
        kind = CODES.get(code, ErrorClass(ErrorKind.INTERNAL)).kind
        if kind is ErrorKind.AUTH:
            return AuthenticationError(f"{place}: the login was refused: {said_by(error)}")
        return ConnectError(f"{place}: {said_by(error)}", kind=kind)
    trouble = network_trouble(error)
    if trouble.kind is ErrorKind.TLS:
        trouble = replace(trouble, sentence=f"{trouble.sentence}: {_tls_reason(error)}")
    return not_connected(trouble, place)


def nobody_suits(place: str) -> ConnectError:
    """The error for a set whose members answer, and none of them is what the URL asks for."""
    return not_connected(_BY_KIND[ErrorKind.ROLE], place)


def checking_error(error: Exception, place: str) -> DriverError:
    """The error for a check that failed, whether in connecting or later: it changes nothing, so nothing is unknown."""
    code = code_of(error)
    if not code or CODES.get(code, ErrorClass(ErrorKind.STATEMENT)).kind is ErrorKind.AUTH:
        return connect_error(error, place)
    if code not in CODES:
        return StatementError(said_by(error))
    return _of_the_server(CODES[code], f"{place}: {said_by(error)}")


def _of_the_server(meaning: ErrorClass, text: str) -> DriverError:
    made = StatementTimeout(text) if meaning.kind is ErrorKind.TIMEOUT else DriverError(text, kind=meaning.kind)
    made.counts_as_failure = meaning.counts
    return made


def _tls_reason(error: Exception) -> str:
    """The reason in TLS's own words, without the library's timeouts around it."""
    text = str(error.__cause__ or error).partition(" (configured timeouts")[0]
    return re.sub(r"\s*\(_ssl\.c:\d+\)", "", text.rpartition("handshake failed: ")[2])


def running_error(error: Exception, place: str) -> DriverError:
    """The error for a statement that failed after it may have reached the server."""
    code = code_of(error)
    if not code:
        return _lost(error, place)
    meaning = CODES.get(code)
    if meaning is None:
        return StatementError(said_by(error))
    text = f"{place}: {said_by(error)}"
    if code in INTERRUPTED:
        text += "; whether the statement was carried out is not known"
    return _of_the_server(meaning, text)


def _lost(error: Exception, place: str) -> DriverError:
    from bson.errors import BSONError, InvalidBSON
    from pymongo.errors import ConnectionFailure

    if isinstance(error, BSONError | OverflowError | ValueError) and not isinstance(error, InvalidBSON):
        return StatementError(f"the statement cannot be sent: {error}")
    if not isinstance(error, ConnectionFailure | OSError | MemoryError | InvalidBSON):
        return DriverError(f"{place}: {error}")
    trouble = network_trouble(error)
    if trouble.is_local:
        return lost(trouble, place)
    if trouble.kind is ErrorKind.INTERNAL:
        return DriverError(f"{place}: {trouble.sentence}")
    what = "did not answer in time" if trouble.kind is ErrorKind.TIMEOUT else "closed the connection"
    return ConnectionLostError(
        f"{place}: the server {what}",
        kind=trouble.kind if trouble.kind in {ErrorKind.TIMEOUT, ErrorKind.TLS} else ErrorKind.RESET,
    )
