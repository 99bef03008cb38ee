"""What goes wrong between here and a MongoDB server, as stand-ins and a proxy show it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omnidb_cli.drivers.base import Driver
from omnidb_cli.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    DriverError,
    ErrorKind,
    StatementTimeout,
)
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, outcome, session_of, until, until_well
from tests.drivers.mongodb_targets import faults_of, target_of
from tests.servers.mongodb import DATABASE, PASSWORD, MongoPair, MongoStandIn
from tests.servers.proxy import Proxy

INSERT = '{"insert": "item", "documents": [{"name": "new"}]}'


@pytest.fixture
def proxy(fragile_mongodb: MongoPair) -> Iterator[Proxy]:
    with Proxy(fragile_mongodb.primary.port) as proxy:
        yield proxy


def items(server: MongoStandIn) -> int:
    found: int = server.tell(count=f"{DATABASE}.item")["count"]
    return found


REFUSE = (Proxy.refuse, ErrorKind.REFUSED)
SILENCE = (Proxy.silence, ErrorKind.TIMEOUT)
RESET = (Proxy.reset, ErrorKind.RESET)
CUT = (lambda proxy: proxy.cut(5), ErrorKind.RESET)
SLOW = (lambda proxy: proxy.slow(PATIENCE_S), ErrorKind.TIMEOUT)


@pytest.mark.parametrize(("misbehave", "kind"), [REFUSE, SILENCE, RESET, CUT, SLOW])
async def test_what_the_way_to_a_server_does_is_told(
    proxy: Proxy, misbehave: Callable[[Proxy], None], kind: ErrorKind
) -> None:
    misbehave(proxy)
    for fault in await faults_of(target_of(proxy, timeout_s=0.5)):
        assert isinstance(fault, ConnectError)
        assert fault.kind is kind
        assert fault.counts_as_failure
        assert f"{proxy.host}:{proxy.port}/{DATABASE}" in str(fault)


@pytest.mark.parametrize(("misbehave", "kind"), [REFUSE, SILENCE, RESET, CUT, SLOW])
async def test_a_held_connection_that_goes_bad_is_given_up(
    proxy: Proxy, misbehave: Callable[[Proxy], None], kind: ErrorKind
) -> None:
    async with opened(target_of(proxy, timeout_s=0.5)) as driver:
        await check(driver)
        misbehave(proxy)
        if kind is ErrorKind.REFUSED:
            proxy.reset_all()
        assert (await fault_of(driver)).kind is kind
        proxy.forward()
        await until_well(driver)


async def test_a_connection_that_broke_unnoticed_is_no_fault_of_the_server(proxy: Proxy) -> None:
    async with opened(target_of(proxy)) as driver:
        await check(driver)
        proxy.reset_all()
        assert (await check(driver)).role == "primary"


@pytest.mark.parametrize("misbehave", [Proxy.reset, Proxy.silence, lambda proxy: proxy.cut(5)])
async def test_a_write_whose_answer_is_lost_has_an_unknown_outcome_and_is_not_sent_again(
    fragile_mongodb: MongoPair, proxy: Proxy, misbehave: Callable[[Proxy], None]
) -> None:
    server = fragile_mongodb.primary
    before = items(server)
    server.fail("insert", block_s=0.2)
    async with opened(target_of(proxy)) as driver, session_of(driver, timeout_s=1) as session:
        server.forget()
        running = asyncio.create_task(session.run(INSERT, ()))
        await until(lambda: "insert" in server.commands())
        misbehave(proxy)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises((ConnectionLostError, StatementTimeout)) as raised:
                await running
    assert raised.value.counts_as_failure
    await until(lambda: server.tell()["running"] == 0)
    assert server.commands().count("insert") == 1
    assert items(server) <= before + 1


@pytest.mark.parametrize("code", [6, 91, 462, 10107, 11600, 11602, 13435, 189])
async def test_a_refused_write_is_never_sent_again(fragile_mongodb: MongoPair, code: int) -> None:
    server = fragile_mongodb.primary
    async with opened(target_of(server)) as driver:
        server.fail("insert", code=code)
        server.forget()
        with pytest.raises(DriverError) as raised:
            await outcome(driver, (INSERT, ()))
    assert raised.value.kind is not ErrorKind.STATEMENT
    assert server.commands().count("insert") == 1
    assert items(server) == 3


async def test_a_read_that_the_server_would_have_repeated_is_sent_once(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    async with opened(target_of(server)) as driver:
        overloaded = {
            "ok": 0.0,
            "code": 462,
            "errmsg": "busy",
            "errorLabels": ["SystemOverloadedError", "RetryableError"],
        }
        server.fail("find", reply=overloaded)
        server.forget()
        with pytest.raises(DriverError) as raised:
            await outcome(driver, ('{"find": "item"}', ()))
    assert raised.value.kind is ErrorKind.CAPACITY
    assert server.commands().count("find") == 1


async def test_a_killed_server_is_refused_and_well_again_after_its_start(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    async with opened(target_of(server)) as driver:
        await check(driver)
        server.kill()
        assert (await fault_of(driver)).kind is ErrorKind.REFUSED
        server.start()
        await asyncio.to_thread(server.wait_ready)
        await until_well(driver)


async def test_a_kill_during_a_statement_is_a_lost_connection(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    async with opened(target_of(server)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run('{"find": "item", "filter": {"$where": "sleep(1)"}}', ()))
        await until(lambda: server.tell()["running"] > 0)
        server.kill()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ConnectionLostError) as raised:
                await running
    assert raised.value.kind is ErrorKind.RESET


async def test_a_server_that_hangs_keeps_nobody(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    server.hang()
    for fault in await faults_of(target_of(server, timeout_s=0.3)):
        assert fault.kind is ErrorKind.TIMEOUT


async def test_no_connection_left_is_told_as_what_it_checks_like(fragile_mongodb: MongoPair) -> None:
    server = fragile_mongodb.primary
    target = target_of(server)
    server.tell(most_connections=0)
    for fault in await faults_of(target):
        assert fault.kind is ErrorKind.RESET
        assert "no connection left" in (fault.hint or "")


@pytest.mark.parametrize(
    "changes", [{"password": "hunter2"}, {"username": "nobody"}, {"password": None}, {"password": "Ⅸ" * 3}]
)
async def test_a_refused_login_names_place_and_not_the_password(
    mongodb: MongoPair, changes: dict[str, str | None]
) -> None:
    for fault in await faults_of(target_of(mongodb.primary, **changes)):
        assert isinstance(fault, AuthenticationError)
        assert fault.kind is ErrorKind.AUTH
        assert f"{mongodb.primary.port}" in str(fault)
        assert str(changes.get("password") or PASSWORD) not in f"{fault!r} {fault.hint} {fault.__cause__!r}"


async def test_a_missing_database_is_an_empty_one(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.primary, database="nothing")) as driver:
        await check(driver)
        assert (await outcome(driver, ('{"find": "item"}', ()))).rows == []


async def test_nothing_stays_open(mongodb: MongoPair) -> None:
    folder = Path("/proc/self/fd")
    before = len(list(folder.iterdir())) if folder.exists() else None
    driver: Driver
    async with opened(target_of(mongodb.primary)) as driver:
        await check(driver)
        await outcome(driver, ('{"find": "item"}', ()))
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) == 1
    if before is not None:
        assert len(list(folder.iterdir())) == before
