import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from omnidb_cli.core.health.model import Health, HealthPolicy, evaluate
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.redis import check as redis_check
from omnidb_cli.errors import AuthenticationError, ConnectError, ErrorKind, StatementError
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, until, until_well
from tests.drivers.redis_targets import target_of
from tests.servers.base import HOST
from tests.servers.redis import LEAST, READER, RedisPair, RedisServer


@pytest.fixture
async def script() -> AsyncIterator[Callable[..., Target]]:
    """A server that gives prepared answers, whatever it is asked, one for each piece it hears, and then ends it."""
    servers = []

    async def make(*answers: bytes) -> Target:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in answers:
                if await reader.read(65536):
                    writer.write(answer)
            await reader.read(65536)
            writer.close()

        server = await asyncio.start_server(serve, HOST, 0)
        servers.append(server)
        return Target("cache", "redis", "redis", ((HOST, server.sockets[0].getsockname()[1]),))

    yield make
    for server in servers:
        server.close()


HELLO = b"%3\r\n$5\r\nproto\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"


async def test_a_replica_tells_its_role_and_that_it_follows(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.replica)) as driver:
        answer = await check(driver)
    assert (answer.role, answer.writable, answer.lag_s, answer.stalled) == ("replica", False, 0.0, None)
    assert answer.version == redis_pair.replica.facts("server")["redis_version"]


async def test_checks_share_one_connection(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary)) as driver:
        await check(driver)
        [first] = redis_pair.primary.clients()
        for _ in range(3):
            assert (await check(driver)).version
        [last] = redis_pair.primary.clients()
    assert first["id"] == last["id"]
    await until(lambda: redis_pair.primary.clients() == [])


@pytest.mark.parametrize("statement", ["GET shop", "CONFIG GET maxmemory", "ECHO 'hello there'"])
async def test_a_check_statement_goes_along(redis_pair: RedisPair, statement: str) -> None:
    async with opened(target_of(redis_pair.primary, statement=statement)) as driver:
        for _ in range(2):
            assert (await check(driver)).role == "primary"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("INCR checked", "may only read: the server says that INCR writes"),
        ("EVAL 'return 1' 0", "may only read"),
        ("LLEN text", "the check statement fails: WRONGTYPE"),
        ("NOSUCH", "the server knows no command NOSUCH"),
        ("GET 'x", "not closed"),
    ],
)
async def test_a_check_statement_that_fails_or_writes_is_said_so(
    redis_pair: RedisPair, statement: str, why: str
) -> None:
    redis_pair.primary.ask("SET", "text", "x")
    async with opened(target_of(redis_pair.primary, statement=statement)) as driver:
        for _ in range(2):
            fault = await fault_of(driver)
            assert isinstance(fault, StatementError)
            assert why in str(fault)
    assert redis_pair.primary.ask("EXISTS", "checked") == 0


@pytest.mark.parametrize(
    ("user", "lag_s", "writable"), [("least", 0.0, False), ("reader", 0.0, False), ("nothing", None, None)]
)
async def test_a_plain_login_suffices_and_what_it_may_not_read_is_unknown(
    redis_pair: RedisPair, user: str, lag_s: float | None, *, writable: bool | None
) -> None:
    async with opened(target_of(redis_pair.replica, username=user)) as driver:
        for _ in range(2):
            answer = await check(driver)
            assert (answer.role, answer.lag_s, answer.writable) == ("replica", lag_s, writable)
            assert answer.version


async def test_a_unix_socket(redis_pair: RedisPair) -> None:
    target = target_of(redis_pair.primary, scheme="unix", hosts=((str(redis_pair.primary.socket), None),))
    async with opened(target) as driver:
        assert (await check(driver)).role == "primary"
    async with opened(replace(target, hosts=(("/nowhere/redis.sock", None),))) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.REFUSED
    assert "unix:/nowhere/redis.sock" in str(fault)


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no ::1")
async def test_ipv6(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, hosts=(("::1", redis_pair.primary.port),))) as driver:
        assert (await check(driver)).role == "primary"


async def test_a_name_that_has_no_address_is_dns(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, hosts=(("no-such-host.invalid", 6379),))) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.DNS


async def test_a_number_that_no_database_has_is_not_found(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, database="9")) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.NOT_FOUND
    assert "/9: DB index is out of range" in str(fault)


async def test_no_password_where_one_is_wanted_is_auth(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, username=None, password=None)) as driver:
        fault = await fault_of(driver)
    assert isinstance(fault, AuthenticationError)
    assert "give this connection a password" in (fault.hint or "")


async def test_a_password_alone_is_for_the_default_user(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, username=None, password="admin")) as driver:
        assert (await check(driver)).role == "primary"


@asynccontextmanager
async def _over_tls(server: RedisServer, **params: str) -> AsyncIterator[object]:
    target = target_of(server, scheme="rediss", hosts=(("localhost", server.tls_port),), params=params)
    async with opened(target) as driver:
        yield driver


async def test_tls_with_its_authority(redis_pair: RedisPair) -> None:
    async with _over_tls(redis_pair.primary, ssl_ca_certs=str(redis_pair.certificates / "ca.crt")) as driver:
        for _ in range(2):
            assert (await check(driver)).role == "primary"
    async with _over_tls(redis_pair.primary, ssl_cert_reqs="none") as driver:
        assert (await check(driver)).role == "primary"


@pytest.mark.parametrize("authority", ["other-ca.crt", None])
async def test_tls_with_a_wrong_authority_or_none(redis_pair: RedisPair, authority: str | None) -> None:
    params = {} if authority is None else {"ssl_ca_certs": str(redis_pair.certificates / authority)}
    async with _over_tls(redis_pair.primary, **params) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.TLS
    assert "certificate is not trusted" in str(fault)


async def test_a_certificate_for_another_name_is_tls(redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real(HOST, *rest, **more))
    ca = str(redis_pair.certificates / "ca.crt")
    for verify_name, kind in (("true", ErrorKind.TLS), ("false", None)):
        target = target_of(
            redis_pair.primary, scheme="rediss", hosts=(("cache.internal", redis_pair.primary.tls_port),),
            params={"ssl_ca_certs": ca, "ssl_check_hostname": verify_name},
        )  # fmt: skip
        async with opened(target) as driver:
            assert kind is None or (await fault_of(driver)).kind is kind
            assert kind is not None or (await check(driver)).role == "primary"


async def test_a_certificate_of_ones_own_where_the_server_wants_one(fragile_redis: RedisPair) -> None:
    folder = fragile_redis.certificates
    fragile_redis.primary.ask("CONFIG", "SET", "tls-auth-clients", "yes")
    async with _over_tls(fragile_redis.primary, ssl_ca_certs=str(folder / "ca.crt")) as driver:
        fault = await fault_of(driver)
    # The server says why and hangs up in one breath; the reset may overtake the reason.
    assert fault.kind is ErrorKind.TLS or "ssl_certfile" in (fault.hint or "")
    own = {"ssl_certfile": str(folder / "client.crt"), "ssl_keyfile": str(folder / "client.key")}
    async with _over_tls(fragile_redis.primary, ssl_ca_certs=str(folder / "ca.crt"), **own) as driver:
        assert (await check(driver)).role == "primary"


async def test_without_tls_on_a_port_that_wants_it_says_what_to_write(redis_pair: RedisPair) -> None:
    async with opened(target_of(redis_pair.primary, hosts=((HOST, redis_pair.primary.tls_port),))) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.RESET
    assert "rediss://" in (fault.hint or "")


async def test_with_tls_on_a_port_that_has_none(redis_pair: RedisPair) -> None:
    target = target_of(redis_pair.primary, scheme="rediss", timeout_s=0.3)
    async with opened(target) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.TIMEOUT
    assert str(fault).endswith(": no answer within 300ms")
    assert "no TLS" in str(fault.hint)


async def test_a_server_without_hello_is_spoken_to_as_before(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    primary.kill()
    primary.extra = ("--rename-command", "HELLO", "")
    primary.start()
    primary.wait_ready()
    async with opened(target_of(primary)) as driver:
        answer = await check(driver)
        assert (answer.role, answer.writable) == ("primary", True)
        assert answer.version
    async with opened(target_of(primary, password="hunter2")) as driver:
        assert isinstance(await fault_of(driver), AuthenticationError)


async def test_a_link_that_is_cut_is_degraded_and_says_so(fragile_redis: RedisPair) -> None:
    fragile_redis.primary.kill()
    async with opened(target_of(fragile_redis.replica)) as driver:
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await driver.check()).stalled is None:
                await asyncio.sleep(0.02)
    assert answer.role == "replica"
    assert f"the link to its primary {HOST}:{fragile_redis.primary.port} has been down" in answer.stalled
    assert answer.lag_s is not None
    assert evaluate(answer, HealthPolicy(role="replica")).health is Health.DEGRADED


async def test_a_primary_that_says_nothing_makes_lag(fragile_redis: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_check, "HEARTBEAT_S", 0)
    fragile_redis.primary.hang()
    async with opened(target_of(fragile_redis.replica)) as driver:
        async with asyncio.timeout(PATIENCE_S):
            while not (answer := await driver.check()).lag_s:
                await asyncio.sleep(0.05)
    assert answer.stalled is None
    assert evaluate(answer, HealthPolicy(role="replica", max_lag_s=0.5)).kind is ErrorKind.LAG


async def test_a_promoted_replica_is_a_primary(fragile_redis: RedisPair) -> None:
    async with opened(target_of(fragile_redis.replica)) as driver:
        await check(driver)
        fragile_redis.replica.ask("REPLICAOF", "NO", "ONE")
        answer = await check(driver)
    assert (answer.role, answer.writable, answer.stalled) == ("primary", True, None)
    verdict = evaluate(answer, HealthPolicy(role="replica"))
    assert (verdict.health, verdict.kind) == (Health.DEGRADED, ErrorKind.ROLE)


async def test_a_demoted_primary_is_unhealthy(fragile_redis: RedisPair) -> None:
    fragile_redis.primary.ask("REPLICAOF", fragile_redis.replica.host, fragile_redis.replica.port)
    async with opened(target_of(fragile_redis.primary)) as driver:
        answer = await check(driver)
    assert (answer.role, answer.writable) == ("replica", False)
    assert evaluate(answer, HealthPolicy(role="primary")).health is Health.UNHEALTHY


async def test_a_replica_that_may_be_written(fragile_redis: RedisPair) -> None:
    fragile_redis.replica.ask("CONFIG", "SET", "replica-read-only", "no")
    async with opened(target_of(fragile_redis.replica)) as driver:
        answer = await check(driver)
    assert (answer.role, answer.writable) == ("replica", True)


async def test_connections_exhausted_is_capacity(fragile_redis: RedisPair) -> None:
    fragile_redis.primary.ask("CONFIG", "SET", "maxclients", 1)
    async with opened(target_of(fragile_redis.primary)) as driver:
        fault = await fault_of(driver)
        assert isinstance(fault, ConnectError)
        assert fault.kind is ErrorKind.CAPACITY
        assert "max number of clients" in str(fault)


async def _refuses(server: RedisServer, kind: ErrorKind, word: str, *, connects: bool) -> None:
    async with opened(target_of(server)) as driver:
        fault = await fault_of(driver)
        assert fault.kind is kind
        assert word in str(fault)
        assert fault.counts_as_failure
        if connects:
            await (await driver.connect(read_only=False, timeout_s=PATIENCE_S)).aclose()
            return
        with pytest.raises(ConnectError, match=word) as raised:
            await driver.connect(read_only=False, timeout_s=PATIENCE_S)
        assert raised.value.kind is kind


async def test_a_server_that_loads_its_data_is_refused(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    primary.ask("DEBUG", "POPULATE", 20000)
    await until(lambda: not _is_saving(primary))
    primary.ask("SAVE")
    primary.kill()
    primary.extra = ("--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024")
    primary.start()
    await until(lambda: _listens(primary))
    await _refuses(primary, ErrorKind.REFUSED, "LOADING", connects=False)


def _is_saving(server: RedisServer) -> bool:
    """A replica that has just been given all data may be the reason."""
    return server.facts("persistence")["rdb_bgsave_in_progress"] == "1"


def _listens(server: RedisServer) -> bool:
    try:
        socket.create_connection((server.host, server.port), 1).close()
    except OSError:
        return False
    return True


async def test_a_replica_that_may_not_serve_old_data(fragile_redis: RedisPair) -> None:
    fragile_redis.replica.ask("CONFIG", "SET", "replica-serve-stale-data", "no")
    fragile_redis.primary.kill()
    await until(lambda: fragile_redis.replica.facts()["master_link_status"] == "down")
    await _refuses(fragile_redis.replica, ErrorKind.LAG, "MASTERDOWN", connects=False)


async def test_a_server_that_is_busy_with_a_script(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    primary.ask("CONFIG", "SET", "busy-reply-threshold", 1)
    script = asyncio.create_task(asyncio.to_thread(_until_killed, primary))
    await until(lambda: _is_busy(primary))
    await _refuses(primary, ErrorKind.CAPACITY, "BUSY", connects=False)
    primary.ask("SCRIPT", "KILL")
    await script


def _until_killed(server: RedisServer) -> None:
    import redis

    with pytest.raises(redis.exceptions.ResponseError):
        server.ask("EVAL", "while true do end", 0, limit_s=None)


def _is_busy(server: RedisServer) -> bool:
    import redis

    try:
        server.ask("PING")
    except redis.exceptions.ResponseError as error:
        return "BUSY" in str(error)
    return False


async def test_a_primary_that_cannot_save_is_capacity_and_may_be_connected_to(fragile_redis: RedisPair) -> None:
    primary = fragile_redis.primary
    primary.ask("CONFIG", "SET", "dir", "/proc")
    primary.ask("CONFIG", "SET", "save", "3600 1")
    await until(lambda: not _is_saving(primary))
    primary.ask("BGSAVE")
    await until(lambda: primary.facts("persistence")["rdb_last_bgsave_status"] == "err")
    await _refuses(primary, ErrorKind.CAPACITY, "MISCONF", connects=True)


async def test_a_sentinel_keeps_no_data(script: Callable[..., Target]) -> None:
    hello = HELLO.replace(b"$10\r\nstandalone", b"$8\r\nsentinel")
    async with opened(await script(hello, b"+PONG\r\n$0\r\n\r\n" + hello)) as driver:
        fault = await fault_of(driver)
    assert fault.kind is ErrorKind.ROLE
    assert "Sentinel" in str(fault)


@pytest.mark.parametrize("answers", [(b"HTTP/1.1 400 Bad Request\r\n\r\n",), (HELLO, b":7\r\n:7\r\n:7\r\n")])
async def test_something_else_on_that_port(script: Callable[..., Target], answers: tuple[bytes, ...]) -> None:
    async with opened(await script(*answers)) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.INTERNAL


async def test_protected_mode_is_auth(script: Callable[..., Target]) -> None:
    async with opened(await script(b"-DENIED Redis is running in protected mode\r\n")) as driver:
        assert isinstance(await fault_of(driver), AuthenticationError)


async def test_after_a_restart_it_is_well_again(fragile_redis: RedisPair) -> None:
    async with opened(target_of(fragile_redis.primary)) as driver:
        await check(driver)
        fragile_redis.primary.restart()
        await until_well(driver)


@pytest.mark.parametrize("account", [LEAST, READER])
def test_the_accounts_of_the_page_are_those_that_are_tested(account: str) -> None:
    page = Path(__file__).parents[3] / "docs/engines/redis.md"
    assert f"ACL SETUSER omnidb {account} >" in page.read_text(encoding="utf-8")


async def test_a_connection_that_brought_nonsense_is_not_kept(script: Callable[..., Target]) -> None:
    async with opened(await script(HELLO, b"?nonsense\r\n")) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.INTERNAL
        assert not driver._checks.is_held
