"""The errors of MySQL and MariaDB servers, and of their client library, in the kinds of our tree."""

from typing import TYPE_CHECKING

from msgspec import Struct

from omnidb_cli.drivers._too_much import TooMuchError
from omnidb_cli.drivers.network_errors import Trouble, lost, not_connected, trouble_of
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorClass(Struct, frozen=True):
    """What a code says of the server: the kind, and whether the circuit breaker counts it as a failure."""

    kind: ErrorKind
    counts: bool


def _all(kind: ErrorKind, *codes: int, counts: bool = True) -> "dict[int, ErrorClass]":
    return dict.fromkeys(codes, ErrorClass(kind, counts))


MEANINGS: "Mapping[int, ErrorClass]" = {
    # Nobody gets in: of the account, of the host, of the login's method. 1044 is also what a user without rights
    # hears of a database that does not exist.
    **_all(ErrorKind.AUTH, 1045, 1129, 1130, 1131, 1132, 1133, 1251, 1275, 1524, 1698, 1820, 1862, 2049, 2059, 2061),
    **_all(ErrorKind.AUTH, 3118, 3878, 3955, 4151),
    **_all(ErrorKind.NOT_FOUND, 2005),
    **_all(ErrorKind.DNS, 1042),
    **_all(ErrorKind.TLS, 2026, 3159),
    **_all(ErrorKind.REFUSED, 2002, 2003, 3032),
    **_all(ErrorKind.RESET, 1053, 1077, 1078, 1079, 1080, 1152, 1158, 1160, 1184, 1927, 2006, 2013, 2055),
    **_all(ErrorKind.TIMEOUT, 1159, 1161, 1907, 1969, 3024),
    **_all(ErrorKind.CAPACITY, 1021, 1037, 1038, 1040, 1041, 1114, 1135, 1203, 1226, 1637, 3168),
    **_all(ErrorKind.CORRUPT, 1033, 1034, 1035, 1194, 1195, 1259, 1712, 1877),
    **_all(ErrorKind.INTERNAL, 1023, 1026, 1030, 1043, 1047, 1105, 1126, 1156, 1157, 1180, 1181, 1835, 2008, 2012),
    **_all(ErrorKind.INTERNAL, 2014, 2027),
    **_all(ErrorKind.ROLE, 1290, 1792, 1836, counts=False),
    # The server is well: two sessions met, somebody stopped the statement, or a session idled for too long.
    **_all(ErrorKind.STATEMENT, 1213, 1317, counts=False),
    **_all(ErrorKind.TIMEOUT, 1205, counts=False),
    **_all(ErrorKind.RESET, 4031, counts=False),
}
"""By code: of the server from 1000, of the client library from 2000. Any other code is trouble of the statement."""

_WHILE_CONNECTING = {
    1044: ErrorClass(ErrorKind.AUTH, counts=True),
    1049: ErrorClass(ErrorKind.NOT_FOUND, counts=True),
}
"""Of a statement these two are the statement's own trouble."""

_HINTS = {
    1040: "see SHOW PROCESSLIST for who holds the connections, or raise max_connections",
    1045: "check the user and the password of this connection; an account that requires TLS is refused so without it",
}
_OTHERWISE = ErrorClass(ErrorKind.STATEMENT, counts=False)
_READ_ONLY = (1792, 1836)
_OPTION_PREVENTS = 1290
_LOST = 2013
_DENIED = (1142, 1143, 1227)


def code_of(error: BaseException) -> int:
    """The server's or library's code; 0 for an error that has none."""
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) and not isinstance(error, OSError) else 0


def comes_from_server(code: int) -> bool:
    """Whether it is the server who says so; the codes from 2000 are the client library's."""
    return 1000 <= code < 2000 or code >= 3000


def meaning(code: int, *, connecting: bool = False) -> ErrorClass:
    """What a code means; while `connecting` an unlisted one is the server's trouble."""
    if connecting:
        unlisted = ErrorClass(ErrorKind.INTERNAL, counts=True)
        return _WHILE_CONNECTING.get(code) or MEANINGS.get(code, unlisted)
    return MEANINGS.get(code, _OTHERWISE)


def is_denied(error: BaseException) -> bool:
    """Whether the account may not do what was asked."""
    return code_of(error) in _DENIED


def refused_as_write(error: BaseException) -> bool:
    """Whether a read-only transaction, or a read-only server, turned the statement down."""
    code = code_of(error)
    return code in _READ_ONLY or (code == _OPTION_PREVENTS and "read-only" in words(error).replace("_", "-"))


def words(error: BaseException) -> str:
    """The server's own words."""
    return str(error.args[-1]) if error.args else type(error).__name__


def while_connecting(place: str, database: str | None, error: Exception) -> ConnectError:
    """The error for a connection that could not be made; `place` is where to, for people."""
    if isinstance(error, TooMuchError):
        return ConnectError(f"{place}: {error}", kind=error.kind, hint=error.hint)
    found = _trouble_behind(error)
    if found is not None:
        return _unreachable(place, found)
    code = code_of(error)
    if isinstance(error, RuntimeError):  # asyncmy lacks a package for it
        return AuthenticationError(f"{place}: this account's way to log in cannot be used: {words(error)}")
    match code:
        case 0:
            return ConnectError(
                f"{place}: it does not answer as MySQL or MariaDB does",
                hint="is it the port of something else?",
            )
        case 1044:
            return AuthenticationError(f'{place}: no access to the database "{database}", or there is none: {code}')
        case 1049:
            return ConnectError(f'{place}: there is no database "{database}"', kind=ErrorKind.NOT_FOUND)
    kind = meaning(code, connecting=True).kind
    if kind is ErrorKind.AUTH:
        return AuthenticationError(f"{place} refused the login: {words(error)} ({code})", hint=_HINTS.get(code))
    if kind is ErrorKind.RESET:
        return ConnectError(f"{place} closed the connection before the login was done", kind=kind)
    return ConnectError(f"{place}: {words(error)} ({code})", kind=kind, hint=_HINTS.get(code))


def while_running(place: str, error: Exception) -> DriverError:
    """The error for a statement that was sent and failed; one that is the server's trouble counts as a failure."""
    if isinstance(error, TooMuchError):
        made = DriverError(f"{place}: {error}", kind=error.kind, hint=error.hint)
        made.counts_as_failure = False  # a person's own statement may bring this of a server that is well
        return made
    trouble = trouble_of(error) if isinstance(error, OSError | MemoryError) else None
    if trouble is not None:
        return lost(trouble, place) if trouble.is_local else _lost(place)
    code = code_of(error)
    if code == 0 and not _is_of_library(error):
        return DriverError(f"{place}: the answer cannot be read")
    meant = meaning(code or _LOST)
    made = _made(place, meant.kind, error, f"{words(error)} ({code})")
    made.counts_as_failure = meant.counts
    return made


def _made(place: str, kind: ErrorKind, error: Exception, said: str) -> DriverError:
    match kind:
        case ErrorKind.RESET:
            return _lost(place)
        case ErrorKind.TIMEOUT:
            return StatementTimeout(f"{place} stopped the statement: {said}")
        case ErrorKind.ROLE if refused_as_write(error):
            return StatementError(f"{place} is read-only: {said}", kind=kind)
        case ErrorKind.STATEMENT | ErrorKind.ROLE:
            return StatementError(said)
        case _:
            return DriverError(f"{place}: {said}", kind=kind)


def _lost(place: str) -> ConnectionLostError:
    return ConnectionLostError(f"the connection to {place} broke while the statement ran")


def _is_of_library(error: Exception) -> bool:
    return type(error).__module__.startswith("asyncmy")


def _trouble_behind(error: Exception) -> Trouble | None:
    """What the network or this host is to blame for; the library wraps it."""
    causes = (error, error.__cause__, error.__context__)
    troubles = (trouble_of(one) for one in causes if one is not None)
    return next((trouble for trouble in troubles if trouble is not None), None)


def _unreachable(place: str, trouble: Trouble) -> ConnectError:
    if trouble.kind is ErrorKind.RESET:
        return ConnectError(f"{place} closed the connection before the login was done", kind=trouble.kind)
    is_distrust = trouble.kind is ErrorKind.TLS and "certificate" in trouble.sentence
    return not_connected(trouble, place, hint=_AUTHORITY if is_distrust else None)


_AUTHORITY = "ssl-ca names the file of the authority that signed it"
