"""What goes wrong with PostgreSQL, by SQLSTATE and by the operating system's errors, in omnidb's own kinds."""

import errno
import re
from collections.abc import Mapping

from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)
from omnidb_cli.tuples import NamedTuple


class Rule(NamedTuple):
    """What a failure is: its kind, and whether the circuit counts it."""

    kind: ErrorKind
    counts: bool = True


_STATEMENT = Rule(ErrorKind.STATEMENT, counts=False)
_INTERNAL = Rule(ErrorKind.INTERNAL)

RULES: Mapping[str, Rule] = {
    "08": Rule(ErrorKind.RESET),
    "25006": Rule(ErrorKind.ROLE, counts=False),  # read_only_sql_transaction
    "28": Rule(ErrorKind.AUTH),
    "53": Rule(ErrorKind.CAPACITY),
    "57014": Rule(ErrorKind.TIMEOUT),  # query_canceled: by statement_timeout, or by somebody
    "55P03": Rule(ErrorKind.TIMEOUT, counts=False),  # lock_not_available
    "57P01": Rule(ErrorKind.RESET),  # admin_shutdown
    "57P02": Rule(ErrorKind.RESET),  # crash_shutdown
    "57P03": Rule(ErrorKind.REFUSED),  # cannot_connect_now: it is starting, recovering or shutting down
    "57P04": Rule(ErrorKind.NOT_FOUND),  # database_dropped
    "57P05": Rule(ErrorKind.RESET, counts=False),  # idle_session_timeout
    "25P03": Rule(ErrorKind.RESET, counts=False),  # idle_in_transaction_session_timeout
    "25P04": Rule(ErrorKind.TIMEOUT),  # transaction_timeout
    "58": _INTERNAL,  # system_error
    "F0": _INTERNAL,  # config_file_error
    "XX": _INTERNAL,
    "XX001": Rule(ErrorKind.CORRUPT),
    "XX002": Rule(ErrorKind.CORRUPT),
}
"""By SQLSTATE or its class; everything else is trouble of the statement."""

CONNECTING: Mapping[str, Rule] = {
    "3D000": Rule(ErrorKind.NOT_FOUND),  # invalid_catalog_name
    "42501": Rule(ErrorKind.AUTH),  # no CONNECT privilege
}
"""What differs while connecting."""


def rule_of(sqlstate: str, *, connecting: bool = False) -> Rule:
    """What this SQLSTATE means, while connecting or after."""
    if connecting and sqlstate in CONNECTING:
        return CONNECTING[sqlstate]
    found = RULES.get(sqlstate) or RULES.get(sqlstate[:2])
    return found or (_INTERNAL if connecting else _STATEMENT)


_HINTS: Mapping[str, str] = {
    "25006": "it is read-only: write to its primary",
    "28P01": "check the user and the password of this connection",
    "28000": "see the server's log and its pg_hba.conf for who may log in from here",
    "53300": "see pg_stat_activity for who holds the connections, or raise max_connections",
    "3D000": "check the database in this connection's URL",
    "26000": "a connection pooler in transaction mode is in the way: connect to the server itself",
    "42P05": "a connection pooler in transaction mode is in the way: connect to the server itself",
}

_UNENCRYPTED = "the login was not encrypted: its pg_hba.conf may take it by TLS alone (sslmode=require)"


def connect_error(error: BaseException, place: str) -> ConnectError:
    """Why no connection could be made to `place` (host, port, database), as an error of ours."""
    import asyncpg

    if isinstance(error, asyncpg.PostgresError):
        said = _cause(error)
        rule = rule_of(_sqlstate(said), connecting=True)
        hint = _UNENCRYPTED if _sentence(said).endswith("no encryption") else _HINTS.get(_sqlstate(said))
        return _connect_error(rule, f"{place}: {_sentence(said)}", hint)
    if isinstance(error, OSError):
        rule, sentence = os_failure(error)
        return _connect_error(rule, f"{place}: {sentence}")
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return ConnectError(
            f"{place}: the server is not what target_session_attrs asks for", kind=ErrorKind.ROLE
        )  # fmt: skip
    kind = next((kind for word, kind in _CLIENT_WORDS.items() if word in str(error).lower()), ErrorKind.INTERNAL)
    return _connect_error(Rule(kind), f"{place}: {_sentence(error)}")


_CLIENT_WORDS = {
    "certificate": ErrorKind.TLS,
    "tls": ErrorKind.TLS,
    "ssl": ErrorKind.TLS,
    "authentication": ErrorKind.AUTH,
    "password": ErrorKind.AUTH,
}


def _connect_error(rule: Rule, message: str, hint: str | None = None) -> ConnectError:
    make = AuthenticationError if rule.kind is ErrorKind.AUTH else ConnectError
    made = make(message, kind=rule.kind, hint=hint)
    made.counts_as_failure = rule.counts
    return made


def running_error(error: BaseException, place: str) -> DriverError:
    """What became of something that was sent to `place`, as an error of ours."""
    import asyncpg

    if isinstance(error, asyncpg.PostgresError):
        said = _cause(error)
        return _running_error(
            rule_of(_sqlstate(said)), place, _sentence(said), _HINTS.get(_sqlstate(said)) or _hint(said)
        )
    if isinstance(error, OSError):
        rule, sentence = os_failure(error)
        return _lost(place, sentence, rule.kind)
    if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
        return _lost(place, "the connection was closed")
    return DriverError(f"{place}: {_sentence(error)}", kind=ErrorKind.INTERNAL)


def _running_error(rule: Rule, place: str, sentence: str, hint: str | None) -> DriverError:
    made: DriverError
    match rule.kind:
        case ErrorKind.STATEMENT:
            made = StatementError(sentence, hint=hint)
        case ErrorKind.ROLE:
            made = StatementError(sentence, kind=rule.kind, hint=hint)
        case ErrorKind.TIMEOUT:
            made = StatementTimeout(f"{place}: {sentence}", hint=hint)
        case ErrorKind.RESET | ErrorKind.REFUSED:
            made = _lost(place, sentence)
        case _:
            made = DriverError(f"{place}: {sentence}", kind=rule.kind, hint=hint)
    made.counts_as_failure = rule.counts
    return made


def _lost(place: str, why: str, kind: ErrorKind = ErrorKind.RESET) -> ConnectionLostError:
    return ConnectionLostError(f"{place}: {why}", kind=kind)


def _cause(error: BaseException) -> BaseException:
    """What the server said before it ended the connection, if asyncpg has it."""
    import asyncpg

    said = error.__cause__
    return said if said is not None and isinstance(said, asyncpg.PostgresError) else error


def _sqlstate(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or "08000"


def _sentence(error: BaseException) -> str:
    """The server's message and its detail, in one line."""
    said = [str(getattr(error, "message", None) or error), str(getattr(error, "detail", None) or "")]
    return " ".join(": ".join(one.rstrip(".") for one in said if one).split()) or type(error).__name__


def _hint(error: BaseException) -> str | None:
    hint = getattr(error, "hint", None)
    return " ".join(hint.split()) if hint else None


_OS_SENTENCES: Mapping[int, tuple[Rule, str]] = {
    errno.ECONNREFUSED: (Rule(ErrorKind.REFUSED), "connection refused"),
    errno.ENOENT: (Rule(ErrorKind.REFUSED), "there is no such socket: the server is down, or its socket elsewhere"),
    errno.EACCES: (Rule(ErrorKind.AUTH), "no permission to use the socket"),
    errno.ENETUNREACH: (Rule(ErrorKind.REFUSED), "the network is unreachable"),
    errno.EHOSTUNREACH: (Rule(ErrorKind.REFUSED), "there is no route to the host"),
    errno.ECONNRESET: (Rule(ErrorKind.RESET), "the connection was reset"),
    errno.EPIPE: (Rule(ErrorKind.RESET), "the connection was closed"),
    errno.ECONNABORTED: (Rule(ErrorKind.RESET), "the connection was aborted"),
    errno.ETIMEDOUT: (Rule(ErrorKind.TIMEOUT), "the host does not answer"),
    errno.EMFILE: (Rule(ErrorKind.CAPACITY, counts=False), "this process has too many files open (ulimit -n)"),
    errno.ENFILE: (Rule(ErrorKind.CAPACITY, counts=False), "this machine has too many files open"),
    errno.EADDRNOTAVAIL: (
        Rule(ErrorKind.CAPACITY, counts=False),
        "this machine has no address or port left to reach it from",
    ),
}

_ERRNO = re.compile(r"\[Errno (\d+)\]")


def os_failure(error: OSError) -> tuple[Rule, str]:
    """The rule for an error of the operating system or of TLS, and a sentence for it."""
    import socket
    import ssl

    match error:
        case socket.gaierror():
            known = error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
            return Rule(ErrorKind.DNS), "no such host name" if known else f"the host name is not resolved: {error}"
        case ssl.SSLCertVerificationError():
            return Rule(ErrorKind.TLS), f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return Rule(ErrorKind.TLS), f"TLS failed: {getattr(error, 'reason', None) or error}"
        case TimeoutError():
            return Rule(ErrorKind.TIMEOUT), "no answer in time"
    numbers = [error.errno] if error.errno is not None else [int(number) for number in _ERRNO.findall(str(error))]
    for number in numbers:  # several, where a host has several addresses
        if number in _OS_SENTENCES:
            return _OS_SENTENCES[number]
    if "rejected SSL upgrade" in str(error):
        return Rule(ErrorKind.TLS), "the server does not speak TLS, and sslmode asks for it"
    if "SSL exchange" in str(error):
        return Rule(ErrorKind.TLS), "the server answered the request for TLS with an error; its log says which"
    if isinstance(error, ConnectionError):
        return Rule(ErrorKind.RESET), "the connection was closed before the server had answered"
    return _INTERNAL, str(error)
