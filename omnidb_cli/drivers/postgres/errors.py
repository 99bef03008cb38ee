"""What goes wrong with PostgreSQL, by SQLSTATE, in omnidb's own kinds."""

from collections.abc import Mapping

from msgspec import Struct

from omnidb_cli.drivers._too_much import TooMuchError
from omnidb_cli.drivers.network_errors import Trouble, lost, not_connected, trouble_of
from omnidb_cli.drivers.postgres.login_requests import NOT_POSTGRES
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)


class Rule(Struct, frozen=True):
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

    if isinstance(too_much := _too_much(error), TooMuchError):
        return _connect_error(Rule(too_much.kind), f"{place}: {too_much}")
    if isinstance(error, asyncpg.PostgresError):
        said = _cause(error)
        rule = rule_of(_sqlstate(said), connecting=True)
        hint = _UNENCRYPTED if _sentence(said).endswith("no encryption") else _HINTS.get(_sqlstate(said))
        return _connect_error(rule, f"{place}: {_sentence(said)}", hint)
    if (trouble := _trouble_of(error)) is not None:
        return not_connected(trouble, place)
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return ConnectError(
            f"{place}: the server is not what target_session_attrs asks for", kind=ErrorKind.ROLE
        )  # fmt: skip
    if not _is_of_library(error):
        return ConnectError(f"{place}: {NOT_POSTGRES}", hint="is it the port of something else?")
    kind = next((kind for word, kind in _CLIENT_WORDS.items() if word in str(error).lower()), ErrorKind.INTERNAL)
    return _connect_error(Rule(kind), f"{place}: {_sentence(error)}")


def _is_of_library(error: BaseException) -> bool:
    """Whether asyncpg has words for it; else it is what Python met in an answer that asyncpg cannot read."""
    causes = (error, error.__cause__)
    return all(type(one).__module__.startswith("asyncpg.exceptions") for one in causes if one is not None)


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

    if isinstance(too_much := _too_much(error), TooMuchError):
        made = DriverError(f"{place}: {too_much}", kind=too_much.kind, hint=too_much.hint)
        made.counts_as_failure = False  # a person's own statement may bring this of a server that is well
        return made
    if isinstance(error, asyncpg.PostgresError):
        said = _cause(error)
        return _running_error(
            rule_of(_sqlstate(said)), place, _sentence(said), _HINTS.get(_sqlstate(said)) or _hint(said)
        )
    if (trouble := _trouble_of(error)) is not None:
        return lost(trouble, place)
    if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
        return _lost(place, "the connection was closed")
    return DriverError(f"{place}: {_of_answer(error)}", kind=ErrorKind.INTERNAL)


def _of_answer(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the answer is not UTF-8 text"
    return _sentence(error) if _is_of_library(error) else "the answer cannot be read"


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


def _lost(place: str, why: str) -> ConnectionLostError:
    return ConnectionLostError(f"{place}: {why}")


def _trouble_of(error: BaseException) -> Trouble | None:
    """What the network or this host is to blame for; of a refused TLS, asyncpg has words of its own."""
    words = str(error) if isinstance(error, ConnectionError) else ""
    return next((trouble for said, trouble in _TLS_WORDS.items() if said in words), None) or trouble_of(error)


_TLS_WORDS: Mapping[str, Trouble] = {
    "rejected SSL upgrade": Trouble(ErrorKind.TLS, "the server does not speak TLS, and sslmode asks for it"),
    "SSL exchange": Trouble(ErrorKind.TLS, "the server answered the request for TLS with an error; its log says which"),
}


def _too_much(error: BaseException) -> BaseException | None:
    """What the connection was ended for, if it was for what its server sent: the error itself, or its cause."""
    return error if isinstance(error, TooMuchError) else error.__cause__


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
