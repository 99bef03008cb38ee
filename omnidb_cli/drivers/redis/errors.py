"""What goes wrong with Redis and Valkey, by the code an error reply begins with, in the kinds of our tree."""

from collections.abc import Mapping

from msgspec import Struct

from omnidb_cli.drivers.network_errors import Trouble, lost, not_connected, trouble_of
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    DriverError,
    ErrorKind,
    StatementError,
)


class ReplyError(Exception):
    """An error reply, as the server wrote it: the connection is as good as before."""


class UnreadableError(Exception):
    """What came over the connection is no reply, or none to what was asked."""


class Rule(Struct, frozen=True):
    """What a failure is: its kind, whether the circuit counts it, and what to do about it."""

    kind: ErrorKind
    counts: bool = True
    hint: str | None = None


_STATEMENT = Rule(ErrorKind.STATEMENT, counts=False)
_INTERNAL = Rule(ErrorKind.INTERNAL)
_PASSWORD = "check the user and the password of this connection"  # noqa: S105 - a hint

RULES: Mapping[str, Rule] = {
    "LOADING": Rule(ErrorKind.REFUSED, hint="it is reading its data from disk: wait, INFO persistence says how long"),
    "CLUSTERDOWN": Rule(ErrorKind.REFUSED, hint="CLUSTER INFO says which slots are not served"),
    "MASTERDOWN": Rule(ErrorKind.LAG, hint="it may not serve old data (replica-serve-stale-data no): mend its link"),
    "NOREPLICAS": Rule(ErrorKind.LAG, hint="it has fewer good replicas than min-replicas-to-write asks for"),
    "BUSY": Rule(ErrorKind.CAPACITY, hint="SCRIPT KILL or FUNCTION KILL ends the script, if it has written nothing"),
    "OOM": Rule(ErrorKind.CAPACITY, hint="check maxmemory, maxmemory-policy and INFO memory"),
    "MISCONF": Rule(ErrorKind.CAPACITY, hint="it cannot save to disk and so takes no writes; its log says why"),
    "NOAUTH": Rule(ErrorKind.AUTH, hint="the server wants a login: give this connection a password"),
    "WRONGPASS": Rule(ErrorKind.AUTH, hint=_PASSWORD),
    "DENIED": Rule(ErrorKind.AUTH, hint="set a password on the server, or bind it to an address: protected-mode"),
    "READONLY": Rule(ErrorKind.ROLE, counts=False, hint="it is a replica: write to its primary"),
    "MOVED": Rule(ErrorKind.STATEMENT, counts=False, hint="make each node of the cluster a connection of its own"),
    "ASK": Rule(ErrorKind.STATEMENT, counts=False, hint="the slot is just moving to another node: try again later"),
    "TRYAGAIN": Rule(ErrorKind.STATEMENT, counts=False, hint="the slot is just moving to another node: try again"),
    "NOPERM": Rule(ErrorKind.STATEMENT, counts=False, hint="see ACL GETUSER for what this user may do"),
}
"""By code; any other is trouble of the statement."""

NOT_READY = ("LOADING", "MASTERDOWN", "BUSY")
"""The codes with which a server refuses everything, a PING too, for the time being."""

PHRASES: Mapping[str, Rule] = {
    "max number of clients reached": Rule(ErrorKind.CAPACITY, hint="CLIENT LIST says who; or raise maxclients"),
    "max number of clients + cluster": Rule(ErrorKind.CAPACITY, hint="CLIENT LIST says who; or raise maxclients"),
    "invalid password": Rule(ErrorKind.AUTH, hint=_PASSWORD),
    "without any password configured": Rule(
        ErrorKind.AUTH, hint="the server has no password: leave it out, or add a user"
    ),
    "DB index is out of range": Rule(ErrorKind.NOT_FOUND, hint="the server has fewer databases: see its `databases`"),
    "invalid DB index": Rule(ErrorKind.NOT_FOUND, hint="the server has fewer databases: see its `databases`"),
    "SELECT is not allowed in cluster mode": Rule(ErrorKind.NOT_FOUND, hint="a cluster has database 0 alone"),
}
"""What the code ERR may stand for besides trouble of the statement, by words in its message."""

CONNECTING: Mapping[str, Rule] = {"NOPERM": Rule(ErrorKind.AUTH, hint="the user needs +select, or database 0")}
"""What differs while connecting."""


def code_of(error: ReplyError) -> str:
    """The word in capitals that an error reply begins with; `ERR` where there is none."""
    word = str(error).partition(" ")[0]
    return word if word.isalpha() and word.isupper() else "ERR"


def said(error: ReplyError) -> str:
    """The error reply as the server wrote it, in one line, without a leading `ERR`."""
    code, text = code_of(error), " ".join(str(error).split())
    bare = text.removeprefix(code).lstrip()
    return bare if code == "ERR" else f"{code} {bare}"


def rule_of(error: ReplyError, *, connecting: bool = False) -> Rule:
    """What an error reply means, while connecting or after."""
    code = code_of(error)
    if connecting and code in CONNECTING:
        return CONNECTING[code]
    by_phrase = (rule for phrase, rule in PHRASES.items() if phrase in str(error))
    found = RULES.get(code) or next(by_phrase, None)
    return found or (_INTERNAL if connecting else _STATEMENT)


def refused_connection(error: ReplyError, place: str) -> ConnectError:
    """The error for a server that answered the login with an error."""
    rule = rule_of(error, connecting=True)
    make = AuthenticationError if rule.kind is ErrorKind.AUTH else ConnectError
    return make(f"{place}: {said(error)}", kind=rule.kind, hint=rule.hint)


def failed_connection(error: Exception, place: str, *, tls: bool = False) -> ConnectError:
    """The error for a connection that could not be made, or broke before the login was done."""
    if isinstance(error, UnreadableError):
        return ConnectError(f"{place}: it does not answer as Redis does", hint="is it the port of something else?")
    trouble = _trouble_of(error)
    is_reset = trouble.kind is ErrorKind.RESET
    return not_connected(trouble, place, hint=(_WITHOUT_TLS if tls else _WITH_TLS) if is_reset else None)


def rejected(error: ReplyError, place: str) -> DriverError:
    """The error for an error reply to a command; trouble of the server itself counts as a failure."""
    rule = rule_of(error)
    if rule.counts:
        return DriverError(f"{place}: {said(error)}", kind=rule.kind, hint=rule.hint)
    text = said(error)
    if code_of(error) in {"MOVED", "ASK"}:
        text = f"the server is a node of a cluster, and the key lives on another one ({text})"
    return StatementError(text, kind=rule.kind, hint=rule.hint)


def broken(error: Exception, place: str) -> DriverError:
    """The error for a connection that broke, or an answer that cannot be read, after something was sent."""
    if isinstance(error, UnreadableError):
        return DriverError(f"{place}: the answer cannot be read: {error}")
    return lost(_trouble_of(error), place)


def _trouble_of(error: Exception) -> Trouble:
    return trouble_of(error) or Trouble(ErrorKind.INTERNAL, str(error))


_WITH_TLS = "the port may speak TLS (write rediss://): see the server's log"
_WITHOUT_TLS = "the port may speak no TLS, or want a certificate of this side (ssl_certfile): see the server's log"
