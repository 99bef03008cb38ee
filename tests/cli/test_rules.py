"""What counts against a circuit: trouble of the server, and nobody else's."""

import errno

import pytest

from omnidb_cli.cli.rules import counts_as_failure
from omnidb_cli.drivers.network_errors import OF_ERRNO, lost, not_connected
from omnidb_cli.errors import (
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementError,
    StatementTimeout,
    WriteRefusedError,
)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (ConnectError("x", kind=ErrorKind.REFUSED), True),
        (ConnectionLostError("x"), True),
        (StatementTimeout("x"), True),
        (DriverError("x", kind=ErrorKind.CAPACITY), True),
        (StatementError("x"), False),
        (WriteRefusedError("x"), False),
        (BrokenPipeError(errno.EPIPE, "x"), False),  # of our own output
        (OSError(errno.EMFILE, "x"), False),
        (MemoryError(), False),
    ],
)
def test_trouble_of_the_server_counts(error: Exception, *, counts: bool) -> None:
    assert counts_as_failure(error) is counts


@pytest.mark.parametrize("number", OF_ERRNO)
def test_one_table_says_it_of_connects_and_of_calls(number: int) -> None:
    trouble = OF_ERRNO[number]
    for error in (not_connected(trouble, "db"), lost(trouble, "db")):
        assert counts_as_failure(error) is not trouble.is_local
