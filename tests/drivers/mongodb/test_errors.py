"""MongoDB's codes and the client library's words, one by one."""

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from omnidb_cli.drivers.mongodb.errors import CODES, checking_error, connect_error, running_error
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ErrorKind,
    StatementError,
    StatementTimeout,
)

PLACE = "db:27017/shop"

TABLE = [
    (1, ErrorKind.INTERNAL, True),
    (6, ErrorKind.REFUSED, True),
    (7, ErrorKind.DNS, True),
    (8, ErrorKind.INTERNAL, True),
    (11, ErrorKind.AUTH, True),
    (18, ErrorKind.AUTH, True),
    (24, ErrorKind.TIMEOUT, False),
    (46, ErrorKind.TIMEOUT, False),
    (50, ErrorKind.TIMEOUT, True),
    (70, ErrorKind.INTERNAL, True),
    (89, ErrorKind.TIMEOUT, True),
    (91, ErrorKind.REFUSED, True),
    (94, ErrorKind.ROLE, True),
    (133, ErrorKind.ROLE, True),
    (189, ErrorKind.ROLE, True),
    (202, ErrorKind.TIMEOUT, True),
    (262, ErrorKind.TIMEOUT, True),
    (334, ErrorKind.AUTH, True),
    (462, ErrorKind.CAPACITY, True),
    (8000, ErrorKind.AUTH, True),
    (9001, ErrorKind.RESET, True),
    (10058, ErrorKind.ROLE, True),
    (10107, ErrorKind.ROLE, True),
    (11600, ErrorKind.REFUSED, True),
    (11602, ErrorKind.ROLE, True),
    (13435, ErrorKind.ROLE, True),
    (13436, ErrorKind.ROLE, True),
    (14031, ErrorKind.CAPACITY, True),
]
OF_THE_STATEMENT = [2, 9, 13, 14, 26, 43, 59, 60, 73, 112, 121, 146, 237, 292, 11000, 11601, 40324]


def said(code: int, kind: type[Any] = OperationFailure) -> Any:
    details = {"ok": 0.0, "code": code, "codeName": "ItsName", "errmsg": "what the server says"}
    return kind("text", details) if kind is NotPrimaryError else kind("text", code, details)


def test_the_table_is_the_driver_s() -> None:
    assert {code: (meaning.kind, meaning.counts) for code, meaning in CODES.items()} == {
        code: (kind, counts) for code, kind, counts in TABLE
    }


@pytest.mark.parametrize(("code", "kind", "counts"), TABLE)
def test_trouble_of_the_server(code: int, kind: ErrorKind, counts: bool) -> None:
    error = running_error(said(code), PLACE)
    assert (error.kind, error.counts_as_failure) == (kind, counts)
    assert isinstance(error, StatementTimeout) is (kind is ErrorKind.TIMEOUT)
    assert f"{PLACE}: what the server says (ItsName)" in str(error)
    assert connect_error(said(code), PLACE).kind is kind
    assert checking_error(said(code), PLACE).kind is kind


@pytest.mark.parametrize("code", OF_THE_STATEMENT)
def test_trouble_of_the_statement_never_counts(code: int) -> None:
    for error in (running_error(said(code), PLACE), checking_error(said(code), PLACE)):
        assert isinstance(error, StatementError)
        assert not error.counts_as_failure
        assert str(error) == "what the server says (ItsName)"


@pytest.mark.parametrize("code", [11600, 11602, 189])
def test_an_interrupted_statement_has_an_unknown_outcome(code: int) -> None:
    error = running_error(said(code, NotPrimaryError), PLACE)
    assert "whether the statement was carried out is not known" in str(error)


WORDS = [
    ("db:1: [Errno 111] Connection refused (configured timeouts: connectTimeoutMS: 20000.0ms)", ErrorKind.REFUSED),
    ("db:1: [Errno 111] Connect call failed ('127.0.0.1', 1)", ErrorKind.REFUSED),
    ("db:1: [Errno 113] No route to host", ErrorKind.REFUSED),
    ("/a.sock: [Errno 2] No such file or directory", ErrorKind.REFUSED),
    ("/a.sock: [Errno 13] Permission denied", ErrorKind.AUTH),
    ("db:1: [Errno -2] Name or service not known", ErrorKind.DNS),
    ("db:1: [Errno -3] Temporary failure in name resolution", ErrorKind.DNS),
    ("db:1: [Errno 104] Connection reset by peer", ErrorKind.RESET),
    ("db:1: [Errno 32] Broken pipe", ErrorKind.RESET),
    ("db:1: [Errno 110] Connection timed out", ErrorKind.TIMEOUT),
    ("db:1: [Errno 24] Too many open files", ErrorKind.LOCAL),
    ("db:1: connection closed (configured timeouts: connectTimeoutMS: 20000.0ms)", ErrorKind.RESET),
    ("SSL handshake failed: db:1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", ErrorKind.TLS),
    ("SSL handshake failed: db:1: [Errno 104] Connection reset by peer", ErrorKind.TLS),
    ("db:1: Hostname mismatch, certificate is not valid for 'db'", ErrorKind.TLS),
    ("db:1: something new", ErrorKind.RESET),
]


@pytest.mark.parametrize(("text", "kind"), WORDS)
def test_what_the_library_only_has_words_for(text: str, kind: ErrorKind) -> None:
    made = connect_error(AutoReconnect(text), PLACE)
    assert made.kind is kind
    assert isinstance(made, ConnectError)
    assert made.counts_as_failure is (kind is not ErrorKind.LOCAL)
    assert str(made).startswith(f"{PLACE}: ")
    assert "configured timeouts" not in str(made)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("No primary available for writes, Timeout: 5s, Topology Description: <refused>", ErrorKind.ROLE),
        ("No replica set members match selector \"Primary()\", Timeout: 5s", ErrorKind.ROLE),
        ("No servers found yet, Timeout: 5s, Topology Description: <[Errno 111] refused>", ErrorKind.TIMEOUT),
        ("a:1: [Errno 111] Connection refused,b:1: timed out, Timeout: 5s", ErrorKind.REFUSED),
        ("a:1: timed out (configured timeouts: connectTimeoutMS: 1ms), Timeout: 5s, <closed>", ErrorKind.TIMEOUT),
    ],
)  # fmt: skip
def test_why_no_server_was_chosen(text: str, kind: ErrorKind) -> None:
    assert connect_error(ServerSelectionTimeoutError(text), PLACE).kind is kind


def test_no_answer_in_time() -> None:
    for error in (NetworkTimeout("db:1: timed out"), TimeoutError()):
        assert connect_error(error, PLACE).kind is ErrorKind.TIMEOUT
        lost = running_error(error, PLACE)
        assert isinstance(lost, ConnectionLostError)
        assert lost.kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize("error", [AutoReconnect("db:1: connection closed"), ConnectionResetError(104, "reset")])
def test_a_connection_that_breaks_under_a_statement_is_lost(error: Exception) -> None:
    lost = running_error(error, PLACE)
    assert isinstance(lost, ConnectionLostError)
    assert lost.kind is ErrorKind.RESET


def test_a_document_that_cannot_be_sent_is_the_statement_s_fault() -> None:
    from bson.errors import InvalidDocument

    for error in (InvalidDocument("no"), OverflowError("too large")):
        assert isinstance(running_error(error, PLACE), StatementError)


def test_a_server_that_is_too_old_is_said_as_it_is() -> None:
    made = connect_error(ConfigurationError("Server at db:1 reports wire version 2"), PLACE)
    assert made.kind is ErrorKind.INTERNAL
    assert "reports wire version 2" in str(made)


def test_a_refused_login_is_an_authentication_error() -> None:
    assert isinstance(connect_error(said(18), PLACE), AuthenticationError)
    assert isinstance(checking_error(said(18), PLACE), AuthenticationError)
