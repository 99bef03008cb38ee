"""The one error tree of omnidb, and the closed list of error kinds.

Every error carries one sentence (its message) and, where there is something to do next, a `hint`.
Only the command line's boundary turns errors into exit codes.
"""

import errno
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


LONGEST_MESSAGE = 2000
"""Characters: what a server or a library says beyond them is cut off as it enters, before anything else reads it."""

CUT = "…"
"""Where a text was cut off."""


def within_limit(text: str) -> str:
    """The text, cut to `LONGEST_MESSAGE`."""
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - len(CUT)] + CUT


def in_one_line(text: str) -> str:
    """The text on one line: with a line feed in it a server, a file or a name could forge lines of ours."""
    return " ".join(filter(None, map(str.strip, text.splitlines())))


class ErrorKind(StrEnum):
    """What went wrong, in one list for all engines."""

    DNS = "dns"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"
    TLS = "tls"
    AUTH = "auth"
    NOT_FOUND = "not-found"
    CORRUPT = "corrupt"
    ROLE = "role"
    LAG = "lag"
    SLOW = "slow"
    SPLIT_BRAIN = "split-brain"
    CAPACITY = "capacity"
    STATEMENT = "statement"
    LOCAL = "local"
    INTERNAL = "internal"


LOCAL_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENETDOWN})
"""What the operating system says of this host, whatever server was meant (semantics, Health 9)."""


def is_local(error: BaseException | None) -> bool:
    """Whether the trouble is this host's own, and so says nothing about a server: no descriptors, memory or port left.

    An error of several addresses counts only when each of them does; a driver's error speaks by its kind.
    """
    match error:
        case DriverError():
            return error.kind is ErrorKind.LOCAL
        case ExceptionGroup():
            return all(is_local(one) for one in error.exceptions)
        case MemoryError():
            return True
        case RuntimeError():
            return "can't start new thread" in str(error)
        case OSError():
            numbers = errnos_of(error)
            return bool(numbers) and LOCAL_ERRNOS.issuperset(numbers)
        case _:
            return False


def errnos_of(error: BaseException) -> tuple[int, ...]:
    """The operating system's numbers of an error; several where asyncio has made one of those of several addresses.

    It keeps them in the text alone, as client libraries do with their causes.
    """
    if isinstance(error, BaseExceptionGroup):
        return tuple(number for one in error.exceptions for number in errnos_of(one))
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return (number,)
    import re

    return tuple(int(found) for found in re.findall(r"\[Errno (-?\d+)\]", str(error)))


class Verdict(Protocol):
    """One candidate for serving a connection: its name, whether it may serve, and why (not)."""

    @property
    def name(self) -> str: ...
    @property
    def eligible(self) -> bool: ...
    @property
    def reason(self) -> str: ...


class OmnidbError(Exception):
    """The root of the tree: a message of one line. `hint` says what to do next, `connection` whom it is about."""

    hint: str | None = None
    connection: str | None = None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(in_one_line(message))
        if hint is not None:
            self.hint = in_one_line(hint)


class ConfigurationError(OmnidbError, ValueError):
    """A setting given to the library is not usable (raised at construction)."""


class Problem(NamedTuple):
    """One fault of a topology file. `line` and `column` count from 1; 0 means: the file as a whole.

    No struct: an error tree that imports nothing costs `--help` nothing.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class TopologyError(OmnidbError):
    """The topology is invalid, unreadable, or a secret of it is unresolved. `problems` lists every fault found."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class UnknownConnectionError(OmnidbError, KeyError):
    """No connections of these names. `names` is what was asked for, `name` the first, `known` the names there are."""

    def __init__(self, names: str | Sequence[str], known: Sequence[str] = ()) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        quoted = ", ".join(f'"{name}"' for name in self.names)
        super().__init__(f"no connection{'s' if len(self.names) > 1 else ''} named {quoted}")
        self.name = self.names[0]
        self.known = tuple(known)
        self.hint = _nearest_hint(self.names, self.known)

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


class ConnectionUnavailableError(OmnidbError):
    """Nobody is eligible to serve `name`. `candidates` holds every one that was considered, with its reason."""

    if TYPE_CHECKING:

        def __init__(self, *args: object) -> None: ...
    else:
        __init__ = Exception.__init__  # refusals are a hot path: sentence and attributes are made when they are read

    @property
    def name(self) -> str:
        """The connection that was asked for."""
        return str(self.args[0])

    @property
    def candidates(self) -> Sequence[Verdict]:
        """Everybody who was considered, in the order of preference."""
        return self.args[1] if len(self.args) > 1 else ()

    def __str__(self) -> str:
        return f'Connection "{self.name}" is unavailable'


class CircuitOpenError(OmnidbError):
    """The circuit refuses the call: `CircuitOpenError(name, retry_after_s, last_error, candidates)`.

    The name is None when a breaker is used directly; `retry_after_s` None where no clock says when to come back.
    """

    if TYPE_CHECKING:

        def __init__(self, *args: object) -> None: ...
    else:
        __init__ = Exception.__init__  # refusals are a hot path: sentence and attributes are made when they are read

    @property
    def name(self) -> str | None:
        """The connection that was asked for, or None."""
        return self.args[0] if self.args else None

    @property
    def retry_after(self) -> "timedelta | None":
        """When to come back; None for a hold without end, and where a check must succeed first."""
        from datetime import timedelta

        seconds = self.args[1] if len(self.args) > 1 else None
        return None if seconds is None else timedelta(seconds=max(seconds, 0.0))

    @property
    def last_error(self) -> BaseException | None:
        """The error that was counted last, or None."""
        return self.args[2] if len(self.args) > 2 else None

    @property
    def candidates(self) -> Sequence[Verdict]:
        """Everybody who was considered, in the order of preference."""
        return self.args[3] if len(self.args) > 3 else ()

    def __str__(self) -> str:
        return "Circuit breaker is OPEN" if self.name is None else f'Circuit open for "{self.name}"'


class NotConnectedError(OmnidbError):
    """The orchestrator is used outside `connect()` … `disconnect()`."""


class PreconditionError(OmnidbError):
    """What was asked for is possible, but not as things stand."""


class StateStoreError(OmnidbError):
    """The state store cannot be read or written; it is left as it is."""


class DriverError(OmnidbError):
    """A database said no, or said nothing. `kind` is one of `ErrorKind`.

    `counts_as_failure` says whether the circuit breaker counts it: trouble of the server does, trouble of the
    statement or of this host does not (semantics, Circuit 8 and Health 9). The server has a part in what it says, so
    that message and hint are no longer than `LONGEST_MESSAGE`.
    """

    kind: ErrorKind = ErrorKind.INTERNAL
    counts_as_failure: bool = True

    def __init__(self, message: str, *, kind: ErrorKind | None = None, hint: str | None = None) -> None:
        super().__init__(within_limit(message), hint=hint and within_limit(hint))
        if kind is not None:
            self.kind = kind
        if self.kind is ErrorKind.LOCAL:
            self.counts_as_failure = False


class ConnectError(DriverError):
    """No connection could be made: no statement has reached the server."""


class AuthenticationError(ConnectError):
    """The server refused the login."""

    kind = ErrorKind.AUTH


class ConnectionLostError(DriverError):
    """The connection broke after a statement may have reached the server: its outcome is unknown."""

    kind = ErrorKind.RESET


class StatementError(DriverError):
    """The server rejected the statement."""

    kind = ErrorKind.STATEMENT
    counts_as_failure = False


class StatementTimeout(DriverError):  # noqa: N818 - the contract's name
    """The time limit ran out; the statement was stopped where the engine can stop it."""

    kind = ErrorKind.TIMEOUT


class WriteRefusedError(DriverError):
    """A write was refused by policy: the one who serves is a backup."""

    kind = ErrorKind.STATEMENT
    counts_as_failure = False


def _nearest_hint(names: Sequence[str], known: Sequence[str]) -> str | None:
    """The nearest known name of each, or the list of them when it is short."""
    from difflib import get_close_matches

    near = {name: found[0] for name in names if (found := get_close_matches(name, known, n=1))}
    if len(names) == 1 and near:
        return f'did you mean "{near[names[0]]}"?'
    said = [f'for "{name}" did you mean "{found}"?' for name, found in near.items()]
    if len(near) < len(names) and 0 < len(known) <= 12:
        said.append("the connections are: " + ", ".join(known))
    return in_one_line(" ".join(said)) or None
