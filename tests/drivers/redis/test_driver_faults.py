import asyncio

import pytest

from omnidb_cli.drivers.base import Driver
from omnidb_cli.errors import ConnectError, ConnectionLostError, ErrorKind
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, outcome, session_of, until, until_well
from tests.drivers.redis_targets import target_of
from tests.servers.proxy import Proxy
from tests.servers.redis import RedisPair


def _watched(driver: Driver) -> asyncio.Event:
    lost = asyncio.Event()
    driver.on_lost = lost.set
    return lost


async def test_a_killed_server_is_reported_at_once_and_then_refused(fragile_redis: RedisPair) -> None:
    async with opened(target_of(fragile_redis.primary)) as driver:
        lost = _watched(driver)
        await check(driver)
        fragile_redis.primary.kill()
        async with asyncio.timeout(PATIENCE_S):
            await lost.wait()
        assert (await fault_of(driver)).kind is ErrorKind.REFUSED


async def test_a_loss_is_reported_over_tls_and_over_a_unix_socket_too(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    tls = target_of(
        primary, scheme="rediss", hosts=((primary.host, primary.tls_port),),
        params={"ssl_ca_certs": str(fragile_redis.certificates / "ca.crt")},
    )  # fmt: skip
    unix = target_of(primary, scheme="unix", hosts=((str(primary.socket), None),))
    async with opened(tls) as first, opened(unix) as second:
        lost = [_watched(driver) for driver in (first, second)]
        for driver in (first, second):
            await check(driver)
        primary.kill()
        async with asyncio.timeout(PATIENCE_S):
            for one in lost:
                await one.wait()


async def test_a_reset_is_reported_once_and_the_next_check_connects_anew(redis_pair: RedisPair) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver:
            losses: list[None] = []
            driver.on_lost = lambda: losses.append(None)
            await check(driver)
            proxy.reset_all()
            await until(lambda: bool(losses))
            await check(driver)
            assert (len(losses), proxy.accepted) == (1, 2)
        assert len(losses) == 1


async def test_a_closed_driver_reports_nothing(redis_pair: RedisPair) -> None:
    driver_lost = False

    def lost() -> None:
        nonlocal driver_lost
        driver_lost = True

    async with opened(target_of(redis_pair.primary)) as driver:
        driver.on_lost = lost
        await check(driver)
    await until(lambda: redis_pair.primary.clients() == [])
    assert not driver_lost


async def test_a_port_that_refuses(redis_pair: RedisPair) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        proxy.refuse()
        async with opened(target_of(proxy)) as driver:
            assert (await fault_of(driver)).kind is ErrorKind.REFUSED
            with pytest.raises(ConnectError) as raised:
                await driver.connect(read_only=False, timeout_s=PATIENCE_S)
            assert raised.value.kind is ErrorKind.REFUSED


@pytest.mark.parametrize("held", [False, True])
async def test_silence_is_a_timeout(redis_pair: RedisPair, *, held: bool) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        async with opened(target_of(proxy, timeout_s=0.3)) as driver:
            if held:
                await check(driver)
            proxy.silence()
            fault = await fault_of(driver)
            assert fault.kind is ErrorKind.TIMEOUT
            assert str(fault).endswith(": no answer within 300ms")
            assert "accepted the connection" in str(fault.hint)
            with pytest.raises(ConnectError) as raised:
                await driver.connect(read_only=False, timeout_s=0.2)
            assert raised.value.kind is ErrorKind.TIMEOUT
            proxy.forward()
            await until_well(driver)


async def test_a_reset_while_connecting(redis_pair: RedisPair) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        proxy.reset()
        async with opened(target_of(proxy)) as driver:
            assert (await fault_of(driver)).kind is ErrorKind.RESET
            with pytest.raises(ConnectError):
                await driver.connect(read_only=False, timeout_s=PATIENCE_S)


@pytest.mark.parametrize("after_bytes", [1, 40, 200])
async def test_a_check_cut_in_the_middle(redis_pair: RedisPair, after_bytes: int) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver:
            proxy.cut(after_bytes)
            assert (await fault_of(driver)).kind is ErrorKind.RESET
            proxy.forward()
            await check(driver)


async def test_a_slow_server_is_slow_and_well(redis_pair: RedisPair) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        proxy.slow(0.05)
        async with opened(target_of(proxy)) as driver:
            await check(driver)
            assert (await check(driver)).latency_s >= 0.05


async def test_a_statement_whose_answer_is_cut_is_lost_and_not_repeated(redis_pair: RedisPair) -> None:
    redis_pair.primary.ask("DEL", "counted")
    with Proxy(redis_pair.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver, session_of(driver) as session:
            proxy.cut(1)
            with pytest.raises(ConnectionLostError) as raised:
                await session.run("INCR counted", ())
            proxy.forward()
            with pytest.raises(ConnectionLostError):
                await session.run("INCR counted", ())
        assert raised.value.kind is ErrorKind.RESET
        assert raised.value.counts_as_failure
    assert redis_pair.primary.ask("GET", "counted") == "1"


async def test_a_server_killed_under_a_statement(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    async with opened(target_of(primary)) as driver, session_of(driver) as session:
        running = asyncio.create_task(session.run("BLPOP nothing 0", ()))
        await until(lambda: any(client["cmd"] == "blpop" for client in primary.clients()))
        primary.kill()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ConnectionLostError):
                await running


async def test_a_check_that_is_cancelled_leaves_nothing_behind(redis_pair: RedisPair) -> None:
    with Proxy(redis_pair.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver:
            await check(driver)
            proxy.silence()
            checking = asyncio.create_task(driver.check())
            await asyncio.sleep(0.05)
            checking.cancel()
            await asyncio.wait([checking])
            assert checking.cancelled()
            proxy.forward()
            await check(driver)
            assert proxy.accepted == 2


async def test_many_waiting_statements_end_with_their_driver(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary)) as driver:
        sessions = [await driver.connect(read_only=False, timeout_s=PATIENCE_S) for _ in range(3)]
        assert len(redis_pair.primary.clients()) == 3
        assert (await outcome(driver, ("ECHO x", ()))).rows == [("x",)]
    await until(lambda: redis_pair.primary.clients() == [])
    for session in sessions:
        await session.aclose()
