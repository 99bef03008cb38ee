"""Real faults of real servers: each with its kind, bounded, and nothing run twice."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from omnidb_cli.drivers.base import Driver, Session, Target
from omnidb_cli.errors import AuthenticationError, ConnectError, ConnectionLostError, DriverError, ErrorKind
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, outcome, session_of, until, until_well
from tests.drivers.postgres_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.postgres import PASSWORD, PostgresPair
from tests.servers.proxy import Proxy

ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(400)'"


@pytest.fixture
def proxy(postgres: PostgresPair) -> Iterator[Proxy]:
    with Proxy(postgres.primary.port) as proxy:
        yield proxy


async def lost(driver: Driver) -> asyncio.Event:
    """Set when the driver reports the loss of the connection that it holds."""
    event = asyncio.Event()
    driver.on_lost = event.set
    await check(driver)
    return event


async def connect_fault(driver: Driver, timeout_s: float = PATIENCE_S) -> ConnectError:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectError) as raised:
            await driver.connect(read_only=False, timeout_s=timeout_s)
    return raised.value


async def test_a_killed_server_is_noticed_as_it_dies_and_refuses(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver:
        event = await lost(driver)
        server.kill()
        async with asyncio.timeout(PATIENCE_S):
            await event.wait()
        fault = await fault_of(driver)
        assert (fault.kind, fault.counts_as_failure) == (ErrorKind.REFUSED, True)
        assert str(fault) == f"127.0.0.1:{server.port}/app: connection refused"
        assert (await connect_fault(driver)).kind is ErrorKind.REFUSED


async def test_a_server_killed_in_the_middle_of_a_statement_leaves_its_outcome_unknown(
    fragile_postgres: PostgresPair,
) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("SELECT pg_sleep(400)", ()))  # type: ignore[arg-type]
        await until(lambda: server.sql(ACTIVE) == "1")
        server.kill()
        with pytest.raises(ConnectionLostError) as raised:
            async with asyncio.timeout(PATIENCE_S):
                await running
        assert raised.value.counts_as_failure


async def test_a_restarted_server_answers_the_next_check(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver:
        event = await lost(driver)
        server.restart()
        async with asyncio.timeout(PATIENCE_S):
            await event.wait()
        assert (await check(driver)).role == "primary"


async def test_a_held_connection_that_was_ended_says_nothing_against_the_server(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver:
        await check(driver)
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
        assert (await check(driver)).role == "primary"


async def test_a_statement_ended_by_an_administrator_is_lost_with_the_servers_words(postgres: PostgresPair) -> None:
    server = postgres.primary
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("SELECT pg_sleep(400)", ()))  # type: ignore[arg-type]
        await until(lambda: server.sql(ACTIVE) == "1")
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(400)'")
        with pytest.raises(ConnectionLostError, match="terminating connection due to administrator command"):
            async with asyncio.timeout(PATIENCE_S):
                await running


async def test_a_server_that_shuts_down_refuses_in_its_own_words(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver, session_of(driver):
        os.kill(server.pid, signal.SIGTERM)  # waits for its clients, and takes no new ones
        fault = await fault_of(driver)
        assert (fault.kind, "the database system is shutting down" in str(fault)) == (ErrorKind.REFUSED, True)
    await until(lambda: not server.is_running)


async def test_logins_that_are_refused(postgres: PostgresPair) -> None:
    server = postgres.primary
    for changes, sentence in {
        ("username", "app"): "password authentication failed for user",
        ("username", "nobody_of_that_name"): "password authentication failed for user",
        ("database", "forbidden"): "permission denied for database",
    }.items():
        name, value = changes
        target = target_of(server, **{name: value})
        if name == "username":
            target = replace(target, password="w0rng")
        async with opened(target) as driver:
            for fault in (await fault_of(driver), await connect_fault(driver)):
                assert isinstance(fault, AuthenticationError)
                assert fault.kind is ErrorKind.AUTH
                assert sentence in str(fault)
                assert "w0rng" not in f"{fault}{fault.hint}"


async def test_no_password_at_all(postgres: PostgresPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null/none")
    async with opened(target_of(postgres.primary, password=None)) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.AUTH


async def test_a_database_that_is_not_there(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.primary, database="nowhere")) as driver:
        for fault in (await fault_of(driver), await connect_fault(driver)):
            assert (fault.kind, 'database "nowhere" does not exist' in str(fault)) == (ErrorKind.NOT_FOUND, True)


async def test_a_host_name_that_is_not_there() -> None:
    target = Target("pg", "postgresql", "postgresql", (("nowhere.invalid", None),), "app", PASSWORD)
    async with opened(target) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.DNS


async def test_connections_that_are_used_up(fragile_postgres: PostgresPair) -> None:
    server = fragile_postgres.primary
    async with opened(target_of(server)) as driver, opened(target_of(server)) as another:
        await check(driver)
        async with AsyncExitStack() as sessions:

            async def use_up() -> None:
                for _ in range(40):
                    await sessions.enter_async_context(session_of(driver))

            with pytest.raises(ConnectError) as raised:
                await use_up()
            assert raised.value.kind is ErrorKind.CAPACITY
            fault = await fault_of(another)
            assert (fault.kind, fault.counts_as_failure) == (ErrorKind.CAPACITY, True)
            assert (await check(driver)).role == "primary", "the connection that is held goes on"
    async with opened(target_of(server, username="limited")) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.CAPACITY


async def test_a_socket_that_is_not_there_is_refused() -> None:
    target = Target("pg", "postgresql", "postgresql", (("/tmp/no-such-folder", None),), "app", PASSWORD, "app")
    async with opened(target) as driver:
        fault = await fault_of(driver)
        assert (fault.kind, "unix:/tmp/no-such-folder/app" in str(fault)) == (ErrorKind.REFUSED, True)


async def test_a_port_where_something_else_speaks() -> None:
    with socket.create_server((HOST, 0)) as listener:
        listener.listen()
        target = Target(
            "pg", "postgresql", "postgresql", (listener.getsockname(),), "app", PASSWORD, "app", timeout_s=0.5
        )
        async with opened(target) as driver:
            assert (await fault_of(driver)).kind is ErrorKind.TIMEOUT


async def test_a_proxy_that_refuses(proxy: Proxy) -> None:
    async with opened(target_of(proxy)) as held, opened(target_of(proxy)) as fresh:
        await check(held)
        proxy.refuse()
        assert (await check(held)).role == "primary", "its connection is as good as before"
        assert (await fault_of(fresh)).kind is ErrorKind.REFUSED


async def test_a_proxy_that_accepts_and_says_nothing(proxy: Proxy) -> None:
    async with opened(target_of(proxy, timeout_s=0.5)) as held, opened(target_of(proxy, timeout_s=0.5)) as fresh:
        await check(held)
        proxy.silence()
        for driver in (held, fresh):
            assert (await fault_of(driver)).kind is ErrorKind.TIMEOUT
            assert (await connect_fault(driver, timeout_s=0.2)).kind is ErrorKind.TIMEOUT
        proxy.forward()
        for driver in (held, fresh):
            await until_well(driver)


async def test_a_proxy_that_resets(proxy: Proxy) -> None:
    async with opened(target_of(proxy)) as driver:
        event = await lost(driver)
        proxy.reset()
        async with asyncio.timeout(PATIENCE_S):
            await event.wait()
        for fault in (await fault_of(driver), await connect_fault(driver)):
            assert (fault.kind, fault.counts_as_failure) == (ErrorKind.RESET, True)


@pytest.mark.parametrize("after_bytes", [1, 5, 100, 300, 700])
async def test_a_proxy_that_cuts_in_the_middle_of_an_answer(proxy: Proxy, after_bytes: int) -> None:
    proxy.cut(after_bytes)
    async with opened(target_of(proxy)) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.RESET
        proxy.forward()
        await check(driver)


async def test_a_result_that_is_cut_is_an_error_and_not_a_short_result(proxy: Proxy, postgres: PostgresPair) -> None:
    async with opened(target_of(proxy)) as driver, session_of(driver) as session:
        reply = await session.run("SELECT repeat('x', 1000) FROM generate_series(1, 5000)", ())
        proxy.cut(100_000)

        async def read_on() -> None:
            async with asyncio.timeout(PATIENCE_S):
                async for _ in reply.batches:
                    pass

        with pytest.raises(ConnectionLostError):
            await read_on()


async def test_a_write_whose_confirmation_is_cut_is_not_run_again(proxy: Proxy, postgres: PostgresPair) -> None:
    server = postgres.primary
    server.sql("CREATE TABLE IF NOT EXISTS once(a int)", "TRUNCATE once", "GRANT ALL ON once TO app")
    asked = []
    async with opened(target_of(proxy)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("INSERT INTO once SELECT 1 FROM pg_sleep(0.3)", ()))  # type: ignore[arg-type]
        query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT INTO once%'"
        await until(lambda: server.sql(query) == "1")
        proxy.silence()
        asked.append(proxy.accepted)
        await until(lambda: server.sql("SELECT count(*) FROM once") == "1")
        proxy.reset()
        with pytest.raises(ConnectionLostError) as raised:
            async with asyncio.timeout(PATIENCE_S):
                await running
        assert raised.value.kind is ErrorKind.RESET
        assert proxy.accepted == asked[0]
    assert server.sql("SELECT count(*) FROM once") == "1"


async def cancelled(session: Session, postgres: PostgresPair, *, proxy: Proxy | None = None) -> None:
    """Returns when a statement was cancelled while it ran, and the server has stopped it."""
    running = asyncio.create_task(session.run("SELECT pg_sleep(400)", ()))  # type: ignore[arg-type]
    await until(lambda: postgres.primary.sql(ACTIVE) == "1")
    if proxy is not None:
        proxy.silence()
    running.cancel()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(asyncio.CancelledError):
            await running
    await until(lambda: postgres.primary.sql(ACTIVE) == "0")


@pytest.mark.parametrize("sslmode", ["disable", "require"])
async def test_a_cancel_request_is_sent(postgres: PostgresPair, sslmode: str) -> None:
    """The server is told to look for its client once an hour, so that nothing else stops the statement."""
    params = {"sslmode": sslmode, "options": "-c client_connection_check_interval=1h"}
    async with opened(target_of(postgres.primary, params=params)) as driver, session_of(driver) as session:
        await cancelled(session, postgres)


async def test_a_statement_ends_when_no_cancel_request_gets_through(proxy: Proxy, postgres: PostgresPair) -> None:
    async with opened(target_of(proxy)) as driver, session_of(driver) as session:
        await cancelled(session, postgres, proxy=proxy)


async def test_slow_is_not_dead(proxy: Proxy) -> None:
    proxy.slow(0.05)
    async with opened(target_of(proxy)) as driver:
        answer = await check(driver)
        assert answer.latency_s > 0.05
        assert (await outcome(driver, ("SELECT 1", ()))).rows == [(1,)]


async def test_the_next_host_is_tried_when_one_is_down(postgres: PostgresPair) -> None:
    down = (HOST, free_port())
    up = (HOST, postgres.primary.port)
    async with opened(target_of(postgres.primary, hosts=(down, up))) as driver:
        assert (await check(driver)).role == "primary"
        assert (await outcome(driver, ("SELECT 1", ()))).rows == [(1,)]
    async with opened(target_of(postgres.primary, hosts=(down, (HOST, free_port())))) as driver:
        fault = await fault_of(driver)
        assert fault.kind is ErrorKind.REFUSED
        assert str(fault).count("connection refused") == 2


async def test_a_host_that_hangs_leaves_time_for_the_next(proxy: Proxy, postgres: PostgresPair) -> None:
    proxy.silence()
    hosts = ((HOST, proxy.port), (HOST, postgres.primary.port))
    async with opened(target_of(postgres.primary, hosts=hosts, timeout_s=2.0)) as driver:
        assert (await check(driver)).role == "primary"


@pytest.mark.parametrize(
    ("wanted", "role"),
    [
        ("read-write", "primary"),
        ("primary", "primary"),
        ("standby", "replica"),
        ("prefer-standby", "replica"),
        ("any", "primary"),
    ],
)
async def test_target_session_attrs_choose_the_host(postgres: PostgresPair, wanted: str, role: str) -> None:
    hosts = ((HOST, postgres.primary.port), (HOST, postgres.replica.port))
    async with opened(target_of(postgres.primary, hosts=hosts, params={"target_session_attrs": wanted})) as driver:
        assert (await check(driver)).role == role


async def test_no_host_is_what_target_session_attrs_ask_for(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.replica, params={"target_session_attrs": "read-write"})) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.ROLE
    async with opened(target_of(postgres.primary, params={"target_session_attrs": "prefer-standby"})) as driver:
        assert (await check(driver)).role == "primary"


async def test_a_thousand_open_files_are_not_the_servers_fault(
    postgres: PostgresPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(target_of(postgres.primary)) as driver:

        async def fail(*_: object, **__: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
        fault = await fault_of(driver)
        assert (fault.kind, fault.counts_as_failure) == (ErrorKind.LOCAL, False)


async def test_a_setting_that_the_server_does_not_know_is_named(postgres: PostgresPair) -> None:
    async with opened(target_of(postgres.primary, params={"options": "-c no_such_setting=1"})) as driver:
        with pytest.raises(DriverError, match='unrecognized configuration parameter "no_such_setting"'):
            await check(driver)
