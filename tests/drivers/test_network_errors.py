"""One table for all engines: what the operating system, TLS and the resolver say, and whose trouble that is."""

import asyncio
import errno
import os
import resource
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
from asyncmy.errors import OperationalError
from pymongo.errors import AutoReconnect

from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mongodb import errors as mongodb_errors
from omnidb_cli.drivers.mysql import errors as mysql_errors
from omnidb_cli.drivers.network_errors import OF_ERRNO, of_numbers, trouble_of, trouble_of_descriptors
from omnidb_cli.drivers.postgres import errors as postgres_errors
from omnidb_cli.drivers.redis import errors as redis_errors
from omnidb_cli.drivers.sqlite import files as sqlite_files
from omnidb_cli.errors import LOCAL_ERRNOS, ConnectError, DriverError, ErrorKind, is_local

PLACE = "db:1"
LOCAL = sorted(LOCAL_ERRNOS)


def _of_mysql(error: Exception) -> ConnectError:
    wrapped = OperationalError(2003, f"Can't connect ({error})")
    wrapped.__cause__ = error
    return mysql_errors.while_connecting(PLACE, None, wrapped)


CONNECTING: Mapping[str, Callable[[Exception], DriverError]] = {
    "postgresql": lambda error: postgres_errors.connect_error(error, PLACE),
    "mysql": _of_mysql,
    "redis": lambda error: redis_errors.failed_connection(error, PLACE),
    "mongodb": lambda error: mongodb_errors.connect_error(AutoReconnect(f"{PLACE}: {error}"), PLACE),
}
RUNNING: Mapping[str, Callable[[Exception], DriverError]] = {
    "postgresql": lambda error: postgres_errors.running_error(error, PLACE),
    "mysql": lambda error: mysql_errors.while_running(PLACE, error),
    "redis": lambda error: redis_errors.broken(error, PLACE),
    "mongodb": lambda error: mongodb_errors.running_error(error, PLACE),
}


def _system_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", OF_ERRNO)
def test_every_engine_says_the_same_of_one_cause(number: int) -> None:
    trouble = OF_ERRNO[number]
    for engine, connecting in CONNECTING.items():
        failure = connecting(_system_error(number))
        assert failure.kind is trouble.kind, engine
        assert failure.counts_as_failure is (number not in LOCAL_ERRNOS), engine
        assert is_local(failure) is (number in LOCAL_ERRNOS), engine


@pytest.mark.parametrize("number", LOCAL)
def test_what_this_host_lacks_is_said_and_never_counts(number: int) -> None:
    made = [make(_system_error(number)) for make in (*CONNECTING.values(), *RUNNING.values())]
    made.append(sqlite_files.unreachable(PLACE, _system_error(number)))
    for failure in made:
        assert (failure.kind, failure.counts_as_failure) == (ErrorKind.LOCAL, False)
        assert OF_ERRNO[number].sentence in str(failure)
        assert failure.hint == OF_ERRNO[number].hint
        assert failure.hint


def test_each_of_this_hosts_errors_is_in_the_table() -> None:
    assert {number for number, trouble in OF_ERRNO.items() if trouble.is_local} == LOCAL_ERRNOS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Multiple exceptions: [Errno 99] Cannot assign requested address, [Errno 111] Connect call failed", "refused"),
        ("Multiple exceptions: [Errno 111] Connect call failed, [Errno 24] Too many open files", "refused"),
        ("Multiple exceptions: [Errno 101] Network is unreachable, [Errno 104] Connection reset by peer", "reset"),
        ("Multiple exceptions: [Errno 24] Too many open files, [Errno 99] Cannot assign requested address", "local"),
        ("Multiple exceptions: [Errno 24] Too many open files, [Errno 5] Input/output error", "internal"),
    ],
)
def test_of_several_addresses_all_must_be_this_hosts_trouble(text: str, kind: str) -> None:
    error = OSError(text)
    found = trouble_of(error)
    assert found is not None
    assert found.kind == kind
    assert is_local(error) is (kind == "local")
    for engine in ("postgresql", "mysql", "redis"):
        assert CONNECTING[engine](error).kind == kind, engine


def test_of_several_members_of_a_set_too() -> None:
    lacking = "a:1: [Errno 24] Too many open files (configured timeouts: connectTimeoutMS: 1800.0ms)"
    for other, kind in (("b:1: connection closed", "reset"), ("b:1: [Errno 111] Connection refused", "refused")):
        made = mongodb_errors.connect_error(AutoReconnect(f"{lacking},{other}"), PLACE)
        assert (made.kind, made.counts_as_failure) == (kind, True)
    assert mongodb_errors.connect_error(AutoReconnect(f"{lacking},{lacking}"), PLACE).kind is ErrorKind.LOCAL


def test_threads_and_memory_are_this_hosts_too() -> None:
    for error in (RuntimeError("can't start new thread"), MemoryError()):
        assert is_local(error)
        for engine in ("postgresql", "mysql", "redis"):
            made = CONNECTING[engine](error)
            assert (made.kind, made.counts_as_failure) == (ErrorKind.LOCAL, False), engine
        made = mongodb_errors.connect_error(error, PLACE)
        assert (made.kind, made.counts_as_failure) == (ErrorKind.LOCAL, False)
    assert trouble_of(RuntimeError("something else")) is None
    assert not is_local(RuntimeError("something else"))


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Whoever opens a file or a socket is refused, as by `ulimit -n`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_resolver_without_a_descriptor_is_no_unknown_host() -> None:
    unresolved = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    with no_descriptor_left():
        found = [trouble_of_descriptors(), trouble_of(unresolved), of_numbers([socket.EAI_AGAIN])]
    assert found == [OF_ERRNO[errno.EMFILE]] * 3


def test_a_resolver_with_descriptors_is_believed() -> None:
    assert trouble_of_descriptors(4) is None
    for number in (socket.EAI_AGAIN, socket.EAI_NONAME):
        found = trouble_of(socket.gaierror(number, "x"))
        assert found is not None
        assert found.kind is ErrorKind.DNS
    memory = trouble_of(socket.gaierror(socket.EAI_MEMORY, "x"))
    assert memory is not None
    assert memory.is_local


def test_what_comes_from_neither_network_nor_host_is_for_the_engine_to_say() -> None:
    assert trouble_of(ValueError("nonsense")) is None
    assert trouble_of(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")) is None
    distrust = trouble_of(ssl.SSLCertVerificationError(1, "x"))
    assert distrust is not None
    assert distrust.kind is ErrorKind.TLS


async def test_localhost_without_ipv6_is_refused_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `localhost` this host has no IPv6 address to reach `::1` from: that must not hide the other one's refusal."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        loop = asyncio.get_running_loop()
        connect = loop.sock_connect

        async def without_ipv6(sock: socket.socket, address: tuple[str, int]) -> None:
            if sock.family == socket.AF_INET6:
                raise _system_error(errno.EADDRNOTAVAIL)
            await connect(sock, address)

        async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
            families = ((socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port)))
            return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for family, address in families]

        monkeypatch.setattr(loop, "sock_connect", without_ipv6)
        monkeypatch.setattr(loop, "getaddrinfo", both)
        for engine in ("postgresql", "mysql", "redis"):
            target = Target("db", engine, engine, hosts=(("localhost", port),), username="app", timeout_s=5)
            driver = open_driver(target)
            with pytest.raises(ConnectError) as caught:
                await driver.check()
            assert (caught.value.kind, caught.value.counts_as_failure) == (ErrorKind.REFUSED, True), engine
            await driver.aclose()
