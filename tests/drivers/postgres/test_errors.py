import errno
import socket
import ssl

import asyncpg
import pytest

from omnidb_cli.drivers.postgres.errors import connect_error, rule_of, running_error
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)

CONNECTING = {
    "08006": ("reset", True),
    "08P01": ("reset", True),
    "28000": ("auth", True),
    "28P01": ("auth", True),
    "3D000": ("not-found", True),
    "42501": ("auth", True),
    "53200": ("capacity", True),
    "53300": ("capacity", True),
    "57P01": ("reset", True),
    "57P03": ("refused", True),
    "42704": ("internal", True),
    "XX000": ("internal", True),
}

RUNNING = {
    "08006": (ConnectionLostError, "reset", True),
    "22012": (StatementError, "statement", False),
    "23505": (StatementError, "statement", False),
    "25006": (StatementError, "role", False),
    "25P03": (ConnectionLostError, "reset", False),
    "3D000": (StatementError, "statement", False),
    "40001": (StatementError, "statement", False),
    "40P01": (StatementError, "statement", False),
    "42501": (StatementError, "statement", False),
    "42601": (StatementError, "statement", False),
    "42P01": (StatementError, "statement", False),
    "53100": (DriverError, "capacity", True),
    "53200": (DriverError, "capacity", True),
    "55P03": (StatementTimeout, "timeout", False),
    "57014": (StatementTimeout, "timeout", True),
    "57P01": (ConnectionLostError, "reset", True),
    "57P02": (ConnectionLostError, "reset", True),
    "57P04": (DriverError, "not-found", True),
    "57P05": (ConnectionLostError, "reset", False),
    "58030": (DriverError, "internal", True),
    "P0001": (StatementError, "statement", False),
    "XX000": (DriverError, "internal", True),
    "XX001": (DriverError, "corrupt", True),
    "XX002": (DriverError, "corrupt", True),
}


def server_error(sqlstate: str, **fields: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": sqlstate, "M": "the server's words", "S": "ERROR", **fields})


@pytest.mark.parametrize("sqlstate", CONNECTING)
def test_sqlstates_while_connecting(sqlstate: str) -> None:
    error = connect_error(server_error(sqlstate), "db:5432/app")
    assert (error.kind.value, error.counts_as_failure) == CONNECTING[sqlstate]
    assert isinstance(error, AuthenticationError) == (error.kind is ErrorKind.AUTH)
    assert str(error) == "db:5432/app: the server's words"


@pytest.mark.parametrize("sqlstate", RUNNING)
def test_sqlstates_of_statements(sqlstate: str) -> None:
    error = running_error(server_error(sqlstate), "db:5432/app")
    made, kind, counts = RUNNING[sqlstate]
    assert (type(error), error.kind.value, error.counts_as_failure) == (made, kind, counts)
    assert "the server's words" in str(error)


def test_a_class_speaks_for_states_that_are_not_listed() -> None:
    assert rule_of("53ABC").kind is ErrorKind.CAPACITY
    assert rule_of("99999").kind is ErrorKind.STATEMENT
    assert rule_of("99999", connecting=True).kind is ErrorKind.INTERNAL


def test_detail_and_hint_of_the_server_are_passed_on_in_one_line() -> None:
    error = running_error(server_error("23505", D="Key (id)=(1)\nalready exists.", H="Try\nanother."), "db")
    assert str(error) == "the server's words: Key (id)=(1) already exists"
    assert error.hint == "Try another."


def test_what_the_server_said_before_it_hung_up_is_kept() -> None:
    lost = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    lost.__cause__ = server_error("57P01")
    error = running_error(lost, "db")
    assert isinstance(error, ConnectionLostError)
    assert str(error) == "db: the server's words"


@pytest.mark.parametrize(
    ("error", "kind", "counts", "sentence"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused", True, "connection refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] x"), "refused", True, "refused"),
        (FileNotFoundError(errno.ENOENT, "x"), "refused", True, "no such socket"),
        (PermissionError(errno.EACCES, "x"), "auth", True, "no permission"),
        (OSError(errno.EHOSTUNREACH, "x"), "refused", True, "no route to the host"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "reset", True, "reset"),
        (ConnectionError("unexpected connection_lost() call"), "reset", True, "before the server had answered"),
        (ConnectionError('PostgreSQL server at "x:1" rejected SSL upgrade'), "tls", True, "does not speak TLS"),
        (TimeoutError(), "timeout", True, "no answer in time"),
        (OSError(errno.ETIMEDOUT, "x"), "timeout", True, "does not answer"),
        (OSError(errno.EMFILE, "x"), "local", False, "too many files"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "dns", True, "no such host name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "dns", True, "Temporary failure"),
        (ssl.SSLError(1, "[SSL] wrong version number"), "tls", True, "TLS failed"),
        (OSError(errno.EIO, "Input/output error"), "internal", True, "Input/output error"),
    ],
)
def test_errors_of_the_operating_system(error: OSError, kind: str, *, counts: bool, sentence: str) -> None:
    failure, broken = connect_error(error, "db"), running_error(error, "db")
    assert sentence in str(failure)
    assert isinstance(broken, ConnectionLostError)
    for made in (failure, broken):
        assert (made.kind.value, made.counts_as_failure) == (kind, counts)


def test_what_only_the_client_knows() -> None:
    assert connect_error(asyncpg.TargetServerAttributeNotMatched("x"), "db").kind is ErrorKind.ROLE
    assert connect_error(asyncpg.InterfaceError("unsupported authentication method"), "db").kind is ErrorKind.AUTH
    assert isinstance(running_error(asyncpg.InterfaceError("connection is closed"), "db"), ConnectionLostError)
    assert running_error(asyncpg.InternalClientError("odd"), "db").kind is ErrorKind.INTERNAL
    assert isinstance(connect_error(asyncpg.InternalClientError("odd"), "db"), ConnectError)
