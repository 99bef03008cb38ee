import errno
import socket
import ssl

import pytest

from omnidb_cli.drivers.redis.errors import (
    CONNECTING,
    PHRASES,
    RULES,
    ReplyError,
    UnreadableError,
    broken,
    failed_connection,
    refused_connection,
    rejected,
)
from omnidb_cli.errors import AuthenticationError, ConnectionLostError, ErrorKind, StatementError

PLACE = "cache.internal:6379/0"
K = ErrorKind

_SAID = [
    ("LOADING Redis is loading the dataset in memory", K.REFUSED, True),
    ("CLUSTERDOWN The cluster is down", K.REFUSED, True),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", K.LAG, True),
    ("NOREPLICAS Not enough good replicas to write.", K.LAG, True),
    ("BUSY Redis is busy running a script.", K.CAPACITY, True),
    ("OOM command not allowed when used memory > 'maxmemory'.", K.CAPACITY, True),
    ("MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk.", K.CAPACITY, True),
    ("NOAUTH Authentication required.", K.AUTH, True),
    ("WRONGPASS invalid username-password pair or user is disabled.", K.AUTH, True),
    ("DENIED Redis is running in protected mode because protected mode is enabled", K.AUTH, True),
    ("READONLY You can't write against a read only replica.", K.ROLE, False),
    ("MOVED 3999 127.0.0.1:6381", K.STATEMENT, False),
    ("ASK 3999 127.0.0.1:6381", K.STATEMENT, False),
    ("TRYAGAIN Multiple keys request during rehashing of slot", K.STATEMENT, False),
    ("NOPERM User x has no permissions to run the 'get' command", K.STATEMENT, False),
    ("ERR max number of clients reached", K.CAPACITY, True),
    ("ERR max number of clients + cluster connections reached", K.CAPACITY, True),
    ("ERR invalid password", K.AUTH, True),
    ("ERR AUTH <password> called without any password configured for the default user.", K.AUTH, True),
    ("ERR DB index is out of range", K.NOT_FOUND, True),
    ("ERR invalid DB index", K.NOT_FOUND, True),
    ("ERR SELECT is not allowed in cluster mode", K.NOT_FOUND, True),
    ("ERR syntax error", K.STATEMENT, False),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", K.STATEMENT, False),
    ("CROSSSLOT Keys in request don't hash to the same slot", K.STATEMENT, False),
    ("NOSCRIPT No matching script. Please use EVAL.", K.STATEMENT, False),
    ("MYMODULE its own error", K.STATEMENT, False),
    ("no code at all", K.STATEMENT, False),
]


def test_the_table_is_all_here() -> None:
    codes = {line.partition(" ")[0] for line, _, _ in _SAID}
    assert codes >= {*RULES, *CONNECTING}
    assert all(any(phrase in line for line, _, _ in _SAID) for phrase in PHRASES)


@pytest.mark.parametrize(("line", "kind", "counts"), _SAID)
def test_a_reply_is_of_its_kind_and_counts_or_not(line: str, kind: ErrorKind, *, counts: bool) -> None:
    failure = rejected(ReplyError(line), PLACE)
    assert (failure.kind, failure.counts_as_failure) == (kind, counts)
    assert isinstance(failure, StatementError) is not counts
    assert line.removeprefix("ERR ").strip() in str(failure)
    assert counts is (PLACE in str(failure))


def test_a_moved_key_says_what_that_means() -> None:
    failure = rejected(ReplyError("MOVED 3999 127.0.0.1:6381"), PLACE)
    assert "a node of a cluster" in str(failure)
    assert "127.0.0.1:6381" in str(failure)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("NOPERM User x has no permissions to run the 'select' command", K.AUTH),
        ("WRONGPASS invalid username-password pair or user is disabled.", K.AUTH),
        ("ERR max number of clients reached", K.CAPACITY),
        ("ERR something new", K.INTERNAL),
    ],
)
def test_while_connecting(line: str, kind: ErrorKind) -> None:
    failure = refused_connection(ReplyError(line), PLACE)
    assert failure.kind is kind
    assert failure.counts_as_failure
    assert isinstance(failure, AuthenticationError) is (kind is K.AUTH)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), K.REFUSED),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect call failed"), K.REFUSED),
        (FileNotFoundError(errno.ENOENT, "x"), K.REFUSED),
        (OSError(errno.EHOSTUNREACH, "x"), K.REFUSED),
        (PermissionError(errno.EACCES, "x"), K.AUTH),
        (TimeoutError(errno.ETIMEDOUT, "x"), K.TIMEOUT),
        (OSError(errno.EMFILE, "x"), K.LOCAL),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), K.DNS),
        (ssl.SSLCertVerificationError(1, "x"), K.TLS),
        (ssl.SSLError(1, "[SSL] alert"), K.TLS),
        (UnicodeError("label too long"), K.DNS),
        (ConnectionResetError(errno.ECONNRESET, "x"), K.RESET),
        (ConnectionResetError(), K.RESET),
        (OSError("who knows"), K.INTERNAL),
    ],
)
def test_the_network_has_kinds_too(error: Exception, kind: ErrorKind) -> None:
    failure = failed_connection(error, PLACE)
    assert failure.kind is kind
    assert str(failure).startswith(f"{PLACE}: ")
    lost = broken(error, PLACE)
    assert isinstance(lost, ConnectionLostError)
    assert lost.kind is kind


def test_an_answer_that_is_none_is_not_a_lost_connection() -> None:
    assert broken(UnreadableError("Bad integer value"), PLACE).kind is K.INTERNAL
