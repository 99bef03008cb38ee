"""What a check of a MariaDB server tells: its role, its lag, and why nobody answers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from omnidb_cli.core.health.model import Health, HealthPolicy, Observation, evaluate
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.mysql import connection as mysql_wire
from omnidb_cli.errors import AuthenticationError, ConnectError, DriverError, ErrorKind, StatementError, TopologyError
from tests.drivers.contract import check, fault_of, opened, session_of, until
from tests.drivers.mysql_targets import target_of
from tests.servers.base import HOST, free_port
from tests.servers.mariadb import DATABASE, PASSWORD, MariadbPair
from tests.servers.proxy import Proxy


async def answer_of(target: Target) -> Observation:
    async with opened(target) as driver:
        return await check(driver)


async def failure_of(target: Target) -> DriverError:
    """Why a check fails; connecting for a statement must fail for the same reason."""
    async with opened(target) as driver:
        return await fault_of(driver)


async def test_the_documented_account_sees_roles_and_lag(mariadb: MariadbPair) -> None:
    primary = await answer_of(target_of(mariadb.primary, username="omnidb"))
    replica = await answer_of(target_of(mariadb.replica, username="omnidb"))
    assert (primary.role, primary.writable, primary.lag_s, primary.stalled) == ("primary", True, None, None)
    assert (replica.role, replica.writable, replica.lag_s, replica.stalled) == ("replica", False, 0.0, None)
    assert primary.version is not None
    assert "MariaDB" in primary.version
    assert not primary.version.startswith("5.5.5-")


async def test_the_documented_account_needs_what_is_documented(mariadb: MariadbPair) -> None:
    page = (Path(__file__).parents[3] / "docs" / "engines" / "mysql.md").read_text()
    made = page.partition("```sql\n")[2].partition("```")[0]
    mariadb.primary.sql(made.replace("omnidb", "documented").replace("…", PASSWORD))
    mariadb.catch_up()
    answer = await answer_of(target_of(mariadb.replica, username="documented", database=None))
    assert (answer.role, answer.lag_s) == ("replica", 0.0)


async def test_a_plain_login_is_enough_and_what_it_may_not_read_is_unknown(mariadb: MariadbPair) -> None:
    async with opened(target_of(mariadb.replica, username="plain", database=None)) as driver:
        for _ in range(2):
            answer = await check(driver)
            assert (answer.role, answer.writable, answer.lag_s, answer.stalled) == (None, False, None, None)
            assert evaluate(answer, HealthPolicy("replica", max_lag_s=1)).health is Health.HEALTHY
            assert evaluate(answer, HealthPolicy("primary")).kind == "role"
    primary = await answer_of(target_of(mariadb.primary, username="plain", database=None))
    assert (primary.role, primary.writable) == ("primary", True)


async def test_a_check_is_one_round_trip_on_one_held_connection(mariadb: MariadbPair) -> None:
    count = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Connections'"
    async with opened(target_of(mariadb.primary, username="omnidb")) as driver:
        await check(driver)
        before = int(mariadb.primary.sql(count))
        for _ in range(5):
            await check(driver)
        assert int(mariadb.primary.sql(count)) == before + 1  # the one that counts


async def test_a_stopped_sql_thread_stands_still_with_its_reason(fragile_mariadb: MariadbPair) -> None:
    replica = fragile_mariadb.replica
    async with opened(target_of(replica, username="omnidb")) as driver:
        replica.sql("STOP SLAVE SQL_THREAD")
        answer = await check(driver)
        assert answer.lag_s is None
        assert answer.stalled is not None
        assert "the SQL thread is stopped" in answer.stalled
        assert f"{fragile_mariadb.primary.host}:{fragile_mariadb.primary.port}" in answer.stalled
        verdict = evaluate(answer, HealthPolicy("replica"))
        assert (verdict.health, verdict.kind) == (Health.DEGRADED, ErrorKind.LAG)
        replica.sql("STOP SLAVE IO_THREAD")
        assert "the I/O thread is stopped" in str((await check(driver)).stalled)
        replica.sql("START SLAVE")
        await _until_answer(driver.check, lambda answer: answer.stalled is None and answer.lag_s == 0)


async def test_a_replication_error_is_the_reason(fragile_mariadb: MariadbPair) -> None:
    primary, replica = fragile_mariadb
    primary.sql("CREATE OR REPLACE TABLE broken(a INT PRIMARY KEY)", DATABASE)
    fragile_mariadb.catch_up()
    replica.sql("INSERT INTO broken VALUES (1)", DATABASE)
    primary.sql("INSERT INTO broken VALUES (1)", DATABASE)
    async with opened(target_of(replica, username="omnidb")) as driver:
        answer = await _until_answer(driver.check, lambda answer: answer.stalled is not None)
    assert "Duplicate entry" in str(answer.stalled)
    replica.sql("DELETE FROM broken", DATABASE)


async def test_a_replica_whose_primary_is_gone_stands_still(fragile_mariadb: MariadbPair) -> None:
    async with opened(target_of(fragile_mariadb.replica, username="omnidb")) as driver:
        await check(driver)
        fragile_mariadb.primary.kill()
        answer = await _until_answer(driver.check, lambda answer: answer.stalled is not None)
    assert "the I/O thread has no connection" in str(answer.stalled)
    assert answer.lag_s is None
    assert answer.role == "replica"


async def test_lag_is_seconds_behind(fragile_mariadb: MariadbPair) -> None:
    primary, replica = fragile_mariadb
    holds = "UPDATE item SET name = SLEEP(600) WHERE id = 1"
    async with (
        opened(target_of(replica, username="omnidb")) as driver,
        opened(target_of(replica, username="mighty")) as other,
        session_of(other) as session,
    ):
        holding = asyncio.create_task(session.run(holds, ()))  # type: ignore[arg-type]
        await until(lambda: holds in replica.sql("SELECT info FROM information_schema.processlist"))
        primary.sql("UPDATE item SET name = 'late' WHERE id = 1", DATABASE)
        answer = await _until_answer(driver.check, lambda answer: (answer.lag_s or 0) >= 1)
        assert evaluate(answer, HealthPolicy("replica", max_lag_s=0.5)).kind == ErrorKind.LAG
        assert evaluate(answer, HealthPolicy("replica", max_lag_s=60)).health is Health.HEALTHY
        holding.cancel()
        await asyncio.wait([holding])


async def test_a_read_only_primary_is_none(fragile_mariadb: MariadbPair) -> None:
    primary = fragile_mariadb.primary
    async with opened(target_of(primary, username="omnidb")) as driver:
        primary.sql("SET GLOBAL read_only = 1")
        answer = await check(driver)
        assert (answer.role, answer.writable) == (None, False)
        assert evaluate(answer, HealthPolicy("primary")).health is Health.UNHEALTHY


@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_promoted_replica_takes_writes(fragile_mariadb: MariadbPair, *, forgotten: bool) -> None:
    replica = fragile_mariadb.replica
    async with opened(target_of(replica, username="omnidb")) as driver:
        await check(driver)
        replica.sql("STOP SLAVE; RESET SLAVE ALL" if forgotten else "STOP SLAVE")
        replica.sql("SET GLOBAL read_only = 0")
        answer = await check(driver)
        assert (answer.role, answer.writable, answer.stalled is None) == ("primary", True, forgotten)
        verdict = evaluate(answer, HealthPolicy("replica"))
        assert (verdict.health, verdict.kind) == (Health.DEGRADED, ErrorKind.ROLE)


@pytest.mark.parametrize("statement", [None, "SELECT 1"])
async def test_an_account_with_file_or_super_is_told_of(mariadb: MariadbPair, statement: str | None) -> None:
    for username, told in {"mighty": "its account has FILE and SUPER", "omnidb": None}.items():
        async with opened(target_of(mariadb.primary, username=username, statement=statement)) as driver:
            for _ in range(2):
                assert (await check(driver)).powers == told


async def test_the_topologys_own_statement_is_asked_too(mariadb: MariadbPair) -> None:
    target = target_of(mariadb.primary)
    good = "SELECT seq FROM seq_1_to_3000 -- all of them"
    async with opened(replace(target, statement=good)) as driver:
        for _ in range(2):
            assert (await check(driver)).role == "primary"
    fault = await failure_of(replace(target, statement="SELECT * FROM nowhere"))
    assert isinstance(fault, StatementError)
    assert "nowhere" in str(fault)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO item(name) VALUES ('check')",
        "SELECT 1; DELETE FROM item",
        "SET STATEMENT tx_read_only=0 FOR DELETE FROM item",
    ],
)
async def test_a_check_statement_cannot_write(mariadb: MariadbPair, statement: str) -> None:
    before = mariadb.primary.sql("SELECT count(*) FROM item", DATABASE)
    assert isinstance(await failure_of(target_of(mariadb.primary, statement=statement)), StatementError)
    assert mariadb.primary.sql("SELECT count(*) FROM item", DATABASE) == before


async def test_a_function_of_a_check_statement_cannot_write_either(fragile_mariadb: MariadbPair) -> None:
    primary = fragile_mariadb.primary
    primary.sql("CREATE SEQUENCE IF NOT EXISTS numbers", DATABASE)
    fault = await failure_of(target_of(primary, statement="SELECT NEXTVAL(numbers)"))
    assert isinstance(fault, StatementError)
    assert primary.sql("SELECT next_not_cached_value FROM numbers", DATABASE) == "1"


async def test_a_check_statement_that_takes_too_long_is_ended_by_the_server_too(mariadb: MariadbPair) -> None:
    endless = "SELECT BENCHMARK(1000000000000, 1) AS check_statement"
    running = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%AS check_statement'"
    target = target_of(mariadb.primary, statement=endless, timeout_s=1.0)
    async with opened(target) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.TIMEOUT
        await until(lambda: mariadb.primary.sql(running.replace("LIKE", "LIKE BINARY")) == "0")


async def test_a_missing_database(mariadb: MariadbPair) -> None:
    mighty = target_of(mariadb.primary, username="mighty", database="nowhere")
    fault = await failure_of(mighty)
    assert (fault.kind, fault.counts_as_failure) == (ErrorKind.NOT_FOUND, True)
    assert '"nowhere"' in str(fault)
    denied = await failure_of(target_of(mariadb.primary, database="nowhere"))
    assert isinstance(denied, AuthenticationError)  # a user without rights is not told whether it is there
    assert '"nowhere", or there is none' in str(denied)


async def test_an_unknown_user_is_auth(mariadb: MariadbPair) -> None:
    fault = await failure_of(target_of(mariadb.primary, username="nobody_of_that_name"))
    assert isinstance(fault, AuthenticationError)
    assert f"{HOST}:{mariadb.primary.port}" in str(fault)
    assert PASSWORD not in f"{fault} {fault.hint}"


async def test_no_connections_left(fragile_mariadb: MariadbPair) -> None:
    primary = fragile_mariadb.primary
    primary.sql("SET GLOBAL max_connections = 10")
    async with opened(target_of(primary)) as driver:
        made = await asyncio.gather(
            *(driver.connect(read_only=True, timeout_s=10) for _ in range(20)), return_exceptions=True
        )
        refused = [one for one in made if isinstance(one, ConnectError)]
        for session in made:
            if not isinstance(session, BaseException):
                await session.aclose()
    assert 0 < len(refused) < len(made)
    assert {(error.kind, error.counts_as_failure) for error in refused} == {(ErrorKind.CAPACITY, True)}


async def test_no_connections_left_for_this_user(mariadb: MariadbPair) -> None:
    async with opened(target_of(mariadb.primary, username="single", database=None)) as driver:
        await check(driver)
        with pytest.raises(ConnectError) as raised:
            await driver.connect(read_only=True, timeout_s=10)
    assert raised.value.kind is ErrorKind.CAPACITY


async def test_a_name_that_does_not_resolve() -> None:
    fault = await failure_of(target_of_nowhere("no-such-host.invalid"))
    assert (fault.kind, "no-such-host.invalid" in str(fault)) == (ErrorKind.DNS, True)


def target_of_nowhere(host: str, port: int | None = None) -> Target:
    return Target("shop", "mysql", "mysql", ((host, port),), "app", PASSWORD, DATABASE)


async def test_sockets_and_ipv6_where_nobody_listens(tmp_path: Path) -> None:
    gone = await failure_of(target_of_nowhere(str(tmp_path / "mysqld.sock")))
    assert (gone.kind, "no such socket" in str(gone)) == (ErrorKind.REFUSED, True)
    port = free_port()
    six = await failure_of(target_of_nowhere("::1", port))
    assert (six.kind, f"[::1]:{port}" in str(six)) == (ErrorKind.REFUSED, True)
    both = await failure_of(target_of_nowhere("localhost", port))
    assert (both.kind, f"localhost:{port}: connection refused" in str(both)) == (ErrorKind.REFUSED, True)


async def test_a_unix_socket(mariadb: MariadbPair) -> None:
    target = target_of(mariadb.primary, hosts=((str(mariadb.primary.socket), None),))
    assert (await answer_of(target)).role == "primary"


async def test_of_several_hosts_the_first_that_can_be_reached_is_used(mariadb: MariadbPair) -> None:
    primary, replica = mariadb
    dead = (HOST, free_port())
    target = target_of(primary, username="omnidb", timeout_s=10.0)
    hosts = (dead, (replica.host, replica.port), (primary.host, primary.port))
    assert (await answer_of(replace(target, hosts=hosts))).role == "replica"
    fault = await failure_of(replace(target, hosts=(dead, dead)))
    assert str(fault).count(str(dead[1])) == 2
    with Proxy(primary.port) as proxy:
        proxy.silence()
        assert (await answer_of(replace(target, timeout_s=1.0, hosts=((proxy.host, proxy.port), *hosts)))).role


async def test_something_else_on_the_port(tmp_path: Path) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        fault = await failure_of(replace(target_of_nowhere(HOST, port), timeout_s=2.0))
    assert isinstance(fault, ConnectError)
    assert str(port) in str(fault)


def elsewhere(_transport: object) -> bool:
    return False


@asynccontextmanager
async def asking(mariadb: MariadbPair, *requests: bytes, **params: str) -> AsyncIterator[tuple[Target, bytearray]]:
    """A server that greets as a real one does and then asks for the login so, and all that it hears."""
    heard = bytearray()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await asyncio.to_thread(_greeting, mariadb))
        heard.extend(await reader.read(4096))
        for number, request in enumerate(requests, start=1):
            writer.write(_packet(2 * number, request))
            heard.extend(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(ask, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        target = target_of_nowhere(HOST, port)
        yield replace(target, timeout_s=5.0, params={"ssl-mode": "DISABLED", **params}), heard


@pytest.mark.parametrize("way", [b"mysql_clear_password", b"dialog", b"mysql_old_password"])
async def test_the_password_is_not_told_to_whoever_asks(
    mariadb: MariadbPair, monkeypatch: pytest.MonkeyPatch, way: bytes
) -> None:
    """A server, or somebody in its place, may ask for the password in clear: not over a bare connection."""
    monkeypatch.setattr(mysql_wire, "is_on_this_host", elsewhere)
    async with asking(mariadb, b"\xfe" + way + b"\x00" + b"Password: ") as (target, heard):
        fault = await failure_of(target)
    assert isinstance(fault, AuthenticationError)
    assert "in clear" in str(fault)
    assert "enable-cleartext-plugin" in str(fault.hint)
    assert PASSWORD.encode() not in heard


@pytest.mark.parametrize("allowed", ["url", "this host"])
async def test_the_password_is_told_in_clear_where_it_may_be(
    mariadb: MariadbPair, monkeypatch: pytest.MonkeyPatch, allowed: str
) -> None:
    params = {}
    if allowed == "url":
        monkeypatch.setattr(mysql_wire, "is_on_this_host", elsewhere)
        params = {"enable-cleartext-plugin": "true"}
    async with asking(mariadb, b"\xfemysql_clear_password\x00", **params) as (target, heard):
        await failure_of(target)
    assert PASSWORD.encode() in heard


KEYED = {
    b"caching_sha2_password": (b"\x01\x04", b"\x01"),
    b"sha256_password": (b"\x01",),
}
"""What a server says that wants the password under its own key; the key follows."""


@pytest.mark.parametrize("way", KEYED)
@pytest.mark.parametrize("allowed", [None, "get-server-public-key", "enable-cleartext-plugin", "this host"])
async def test_a_key_that_anybody_can_have_sent_is_used_only_where_it_may_be(
    mariadb: MariadbPair, monkeypatch: pytest.MonkeyPatch, way: bytes, allowed: str | None
) -> None:
    """Where it may be, what then encrypts the password is a package of its own, which need not be there."""
    *asked, last = KEYED[way]
    if allowed != "this host":
        monkeypatch.setattr(mysql_wire, "is_on_this_host", elsewhere)
    params = {} if allowed in (None, "this host") else {allowed: "true"}
    switch = b"\xfe" + way + b"\x00" + b"s" * 20 + b"\x00"
    async with asking(mariadb, switch, *asked, last + b"a key", **params) as (target, heard):
        fault = await failure_of(target)
    is_refused = "get-server-public-key" in str(fault.hint)
    assert is_refused == (allowed is None)
    assert fault.kind is ErrorKind.AUTH or not is_refused
    assert PASSWORD.encode() not in heard


def _greeting(mariadb: MariadbPair) -> bytes:
    with socket.create_connection((HOST, mariadb.primary.port)) as client:
        return client.recv(4096)


def _packet(number: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "little") + bytes([number]) + content


@pytest.mark.parametrize("act", ["kill", "stop"])
async def test_the_loss_of_the_held_connection_is_told_at_once(fragile_mariadb: MariadbPair, act: str) -> None:
    lost = asyncio.Event()
    async with opened(target_of(fragile_mariadb.primary)) as driver:
        await check(driver)
        driver.on_lost = lost.set
        assert not lost.is_set()
        await asyncio.to_thread(getattr(fragile_mariadb.primary, act))
        async with asyncio.timeout(10):
            await lost.wait()
        assert (await fault_of(driver)).kind is ErrorKind.REFUSED
        fragile_mariadb.primary.start()
        fragile_mariadb.primary.wait_ready()
        assert (await check(driver)).role == "primary"


async def test_what_ends_a_connection_on_purpose_is_no_loss(mariadb: MariadbPair) -> None:
    calls: list[int] = []
    with Proxy(mariadb.primary.port) as proxy:
        async with opened(target_of(proxy, timeout_s=0.3)) as driver:
            driver.on_lost = lambda: calls.append(1)
            await check(driver)
            proxy.silence()
            assert (await fault_of(driver)).kind is ErrorKind.TIMEOUT
            proxy.forward()
            await check(driver)
        for _ in range(3):
            await asyncio.sleep(0)
    assert not calls


async def test_a_connection_that_broke_unseen_is_not_held_against_the_server(mariadb: MariadbPair) -> None:
    server = mariadb.primary
    with Proxy(server.port) as proxy:
        async with opened(target_of(proxy)) as driver:
            await check(driver)
            checking = asyncio.ensure_future(driver.check())
            proxy.reset_all()
            assert (await checking).role == "primary"


def _silent(proxy: Proxy) -> None:
    proxy.silence()


def _cut(proxy: Proxy) -> None:
    proxy.cut(40)


@pytest.mark.parametrize(
    ("misbehave", "kind"),
    [
        (Proxy.refuse, ErrorKind.REFUSED),
        (_silent, ErrorKind.TIMEOUT),
        (Proxy.reset, ErrorKind.RESET),
        (_cut, ErrorKind.RESET),
    ],
)
@pytest.mark.parametrize("held", [False, True])
async def test_networks_that_misbehave(
    mariadb: MariadbPair, misbehave: Callable[[Proxy], None], kind: ErrorKind, *, held: bool
) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        async with opened(target_of(proxy, timeout_s=0.5)) as driver:
            if held:
                await check(driver)
            misbehave(proxy)
            if held and kind is ErrorKind.REFUSED:
                proxy.reset_all()
            fault = await fault_of(driver)
            assert (fault.kind, fault.counts_as_failure) == (kind, True)
            assert str(proxy.port) in str(fault)
            if not held or kind in {ErrorKind.REFUSED, ErrorKind.RESET}:
                with pytest.raises(ConnectError) as raised:
                    await driver.connect(read_only=False, timeout_s=0.5)
                assert raised.value.kind is kind
            proxy.forward()
            assert (await check(driver)).role == "primary"


async def test_a_slow_network_is_slow_and_no_failure(mariadb: MariadbPair) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        proxy.slow(0.05)
        answer = await answer_of(target_of(proxy))
    assert evaluate(answer, HealthPolicy("primary", slow_s=0.05)).kind == ErrorKind.SLOW


async def test_a_cancelled_check_leaves_no_connection(mariadb: MariadbPair) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        async with opened(target_of(proxy)) as driver:
            for proceed in (True, False):
                if proceed:
                    await check(driver)
                proxy.silence()
                checking = asyncio.ensure_future(driver.check())
                await asyncio.sleep(0.05)
                checking.cancel()
                async with asyncio.timeout(5):
                    with pytest.raises(asyncio.CancelledError):
                        await checking
            proxy.forward()
            await check(driver)


async def test_hints_tell_a_hanging_server_from_one_that_is_out_of_reach(mariadb: MariadbPair) -> None:
    with Proxy(mariadb.primary.port) as proxy:
        proxy.silence()
        fault = await failure_of(target_of(proxy, timeout_s=0.3))
    assert str(fault).endswith(": no answer within 300ms")
    assert "accepted the connection" in str(fault.hint)


class TestTls:
    @pytest.mark.parametrize(
        ("params", "encrypted"),
        [
            ({}, True),
            ({"ssl-mode": "DISABLED"}, False),
            ({"ssl": "false"}, False),
            ({"ssl": "true"}, True),
            ({"ssl_mode": "verify_identity", "ssl_ca": "CA"}, True),
            ({"ssl-ca": "CA"}, True),
        ],
    )
    async def test_modes(self, mariadb: MariadbPair, params: dict[str, str], *, encrypted: bool) -> None:
        named = {
            name: str(mariadb.primary.tls / "ca.crt") if value == "CA" else value for name, value in params.items()
        }
        async with opened(target_of(mariadb.primary, params=named)) as driver:
            await check(driver)
            async with session_of(driver, read_only=True) as session:
                reply = await session.run("SHOW SESSION STATUS LIKE 'Ssl_cipher'", ())
                ((_, cipher),) = [row async for batch in reply.batches for row in batch]
        assert bool(cipher) is encrypted

    async def test_a_server_without_tls(self, mariadb: MariadbPair) -> None:
        assert (await answer_of(target_of(mariadb.replica))).version
        fault = await failure_of(target_of(mariadb.replica, params={"ssl-mode": "REQUIRED"}))
        assert fault.kind is ErrorKind.TLS
        assert "offers no encrypted connection" in str(fault)

    async def test_an_account_that_must_encrypt(self, mariadb: MariadbPair) -> None:
        target = target_of(mariadb.primary, username="encrypted", database=None)
        assert (await answer_of(target)).role == "primary"
        fault = await failure_of(replace(target, params={"ssl": "0"}))
        assert fault.kind is ErrorKind.AUTH  # all that the server says is that access is denied

    @pytest.mark.parametrize("mode", ["VERIFY_CA", "VERIFY_IDENTITY"])
    async def test_a_wrong_authority(self, mariadb: MariadbPair, mode: str) -> None:
        params = {"ssl-ca": str(mariadb.primary.tls / "other-ca.crt"), "ssl-mode": mode}
        fault = await failure_of(target_of(mariadb.primary, params=params))
        assert (fault.kind, fault.counts_as_failure) == (ErrorKind.TLS, True)
        assert "not trusted" in str(fault)

    async def test_a_certificate_for_somebody_else(self, mariadb: MariadbPair) -> None:
        ca = str(mariadb.primary.tls / "ca.crt")
        elsewhere = ("127.1", mariadb.primary.port)
        target = target_of(mariadb.primary, hosts=(elsewhere,), params={"ssl-ca": ca, "ssl-mode": "VERIFY_IDENTITY"})
        assert (await failure_of(target)).kind is ErrorKind.TLS
        assert (await answer_of(replace(target, params={"ssl-ca": ca}))).role == "primary"

    async def test_files_that_are_not_there(self, mariadb: MariadbPair) -> None:
        fault = await failure_of(target_of(mariadb.primary, params={"ssl-ca": "/nowhere/ca.pem"}))
        assert (fault.kind, "/nowhere/ca.pem" in str(fault)) == (ErrorKind.TLS, True)


def test_a_parameter_that_is_not_understood_is_not_passed_over() -> None:
    for params in ({"ssl-moed": "REQUIRED"}, {"ssl-mode": "ON"}, {"ssl": "maybe"}, {"charset": "latin1"}):
        with pytest.raises(TopologyError, match="shop"):
            open_driver(replace(target_of_nowhere(HOST), params=params))
    open_driver(replace(target_of_nowhere(HOST), params={"charset": "utf8mb4", "ssl": "true"}))


async def test_defaults_come_from_the_option_file(
    mariadb: MariadbPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".my.cnf").write_text(f'[client]\nuser = app\npassword = "{PASSWORD}"\n[mysqld]\nuser=nobody\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    target = target_of(mariadb.primary, username=None, password=None)
    assert (await answer_of(target)).role == "primary"
    assert (await answer_of(replace(target, username="app"))).role == "primary"
    other = await failure_of(replace(target, username="omnidb"))
    assert other.kind is ErrorKind.AUTH  # the password is somebody else's


async def _until_answer(check: Callable[[], Any], fits: Callable[[Observation], bool]) -> Observation:
    async with asyncio.timeout(30):
        while True:
            answer: Observation = await check()
            if fits(answer):
                return answer
            await asyncio.sleep(0.02)
