"""Every code by its kind, and whether it counts against the server."""

import errno
import socket
import ssl

import pytest
from asyncmy.errors import InternalError, OperationalError

from omnidb_cli.drivers.mysql.errors import MEANINGS, refused_as_write, while_connecting, while_running
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)

PLACE = "db1:3306"


def _tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, "wrong version")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1040, "capacity"), (1044, "auth"), (1045, "auth"), (1049, "not-found"), (1129, "auth"), (1130, "auth"),
        (1203, "capacity"), (1226, "capacity"), (1053, "reset"), (1927, "reset"), (2003, "refused"), (2006, "reset"),
        (2013, "reset"), (2026, "tls"), (2059, "auth"), (3032, "refused"), (3159, "tls"), (4151, "auth"),
        (1043, "internal"), (1047, "internal"), (9999, "internal"),
    ],
)  # fmt: skip
def test_while_connecting(code: int, kind: str) -> None:
    error = while_connecting(PLACE, "shop", OperationalError(code, "the server's words"))
    assert (error.kind, error.counts_as_failure) == (kind, True)
    assert PLACE in str(error)
    assert isinstance(error, AuthenticationError) is (kind == "auth")


@pytest.mark.parametrize(
    ("code", "kind", "counts", "expected"),
    [
        (1064, "statement", False, StatementError), (1062, "statement", False, StatementError),
        (1044, "statement", False, StatementError), (1049, "statement", False, StatementError),
        (1142, "statement", False, StatementError), (1146, "statement", False, StatementError),
        (1213, "statement", False, StatementError), (1317, "statement", False, StatementError),
        (1644, "statement", False, StatementError), (4031, "reset", False, ConnectionLostError),
        (1205, "timeout", False, StatementTimeout), (1969, "timeout", True, StatementTimeout),
        (3024, "timeout", True, StatementTimeout), (1927, "reset", True, ConnectionLostError),
        (2006, "reset", True, ConnectionLostError), (2013, "reset", True, ConnectionLostError),
        (1021, "capacity", True, DriverError), (1041, "capacity", True, DriverError),
        (1114, "capacity", True, DriverError), (1194, "corrupt", True, DriverError),
        (1030, "internal", True, DriverError), (1792, "role", False, StatementError),
        (1836, "role", False, StatementError),
    ],
)  # fmt: skip
def test_while_running(code: int, kind: str, counts: bool, expected: type[DriverError]) -> None:
    error = while_running(PLACE, OperationalError(code, "the server's words"))
    assert (error.kind, error.counts_as_failure, type(error)) == (kind, counts, expected)


def test_the_table_counts_as_the_errors_do() -> None:
    for code, meaning in MEANINGS.items():
        error = while_running(PLACE, OperationalError(code, "read-only"))
        assert error.counts_as_failure is meaning.counts, code
        assert error.kind is meaning.kind, code


def test_only_read_only_is_a_refused_write() -> None:
    said = "The MariaDB server is running with the --{} option so it cannot execute this statement"
    assert refused_as_write(OperationalError(1290, said.format("read-only")))
    assert refused_as_write(OperationalError(1290, said.format("super_read_only")))
    assert not refused_as_write(OperationalError(1290, said.format("secure-file-priv")))
    assert while_running(PLACE, OperationalError(1290, said.format("secure-file-priv"))).kind is ErrorKind.STATEMENT


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "dns", "no such host name"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('::1', 1)"), "refused", "connection refused"),
        (OSError("Multiple exceptions: [Errno 99] a, [Errno 111] b"), "refused", "connection refused"),
        (OSError(errno.EHOSTUNREACH, "x"), "refused", "no route to the host"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "timeout", "does not answer"),
        (FileNotFoundError(errno.ENOENT, "x"), "refused", "no such socket"),
        (PermissionError(errno.EACCES, "x"), "auth", "no permission"),
        (OSError(errno.EMFILE, "x"), "local", "ulimit -n"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "reset", "closed"),
        (OSError("nothing is known"), "internal", "nothing is known"),
        (_tls_error(), "tls", "WRONG_VERSION_NUMBER"),
    ],
)
def test_the_network(cause: OSError, kind: str, words: str) -> None:
    wrapped = OperationalError(2003, f"Can't connect ({cause})")
    wrapped.__cause__ = cause
    error = while_connecting(PLACE, None, wrapped)
    assert isinstance(error, ConnectError)
    assert (error.kind, error.counts_as_failure) == (kind, kind != "local")
    assert words in str(error)


def test_a_login_that_needs_another_package() -> None:
    error = while_connecting(PLACE, None, RuntimeError("'pynacl' package is required for ed25519_password auth method"))
    assert isinstance(error, AuthenticationError)
    assert "pynacl" in str(error)


def test_what_cannot_be_understood_is_said_so() -> None:
    for told in (while_connecting(PLACE, None, ValueError("nonsense")), while_running(PLACE, ValueError("nonsense"))):
        assert str(told).startswith(PLACE)
        assert "nonsense" not in str(told)  # Python's words say nothing of the server


def test_a_server_s_words_are_one_line() -> None:
    """Else it could add a line that looks like one of ours."""
    forged = OperationalError(1064, "no\nserved by primary in 1ms\r\n")  # type: ignore[no-untyped-call]
    for told in (while_connecting(PLACE, None, forged), while_running(PLACE, forged)):
        assert "no served by primary in 1ms (1064)" in str(told)
    assert while_running(PLACE, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")).kind is ErrorKind.INTERNAL
    assert isinstance(while_running(PLACE, InternalError("Packet sequence number wrong")), ConnectionLostError)
    assert isinstance(while_running(PLACE, ConnectionResetError()), ConnectionLostError)
