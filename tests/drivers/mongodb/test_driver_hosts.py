"""Where MongoDB servers are: sets of several hosts, names, sockets, TLS; stand-ins answer."""

import asyncio
from pathlib import Path

import pytest
from bson import ObjectId

from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import ConnectError, ErrorKind
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, outcome
from tests.drivers.mongodb_targets import faults_of, target_of
from tests.servers.base import HOST, free_port
from tests.servers.mongodb import MongoPair, MongoStandIn


async def test_a_name_that_nobody_knows_is_dns(mongodb: MongoPair, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    async def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", unknown)
    for fault in await faults_of(target_of(mongodb.primary, hosts=(("db.invalid", None),))):
        assert fault.kind is ErrorKind.DNS
        assert "db.invalid:27017" in str(fault)


async def test_a_srv_name_that_nobody_knows_is_dns(mongodb: MongoPair, monkeypatch: pytest.MonkeyPatch) -> None:
    import dns.asyncresolver
    import dns.resolver

    async def unknown(*_: object, **__: object) -> object:
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.asyncresolver, "resolve", unknown)
    target = target_of(mongodb.primary, scheme="mongodb+srv", hosts=(("cluster.example.com", None),))
    for fault in await faults_of(target):
        assert fault.kind is ErrorKind.DNS


async def test_a_srv_name_that_nobody_answers_for_is_a_timeout(
    mongodb: MongoPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dns.asyncresolver

    async def silent(*_: object, **__: object) -> object:
        await asyncio.Event().wait()

    monkeypatch.setattr(dns.asyncresolver, "resolve", silent)
    hosts = (("cluster.example.com", None),)
    target = target_of(mongodb.primary, scheme="mongodb+srv", hosts=hosts, timeout_s=0.3)
    for fault in await faults_of(target):
        assert fault.kind is ErrorKind.TIMEOUT


async def test_a_set_of_several_hosts_serves_by_its_primary(mongodb: MongoPair) -> None:
    primary, replica = mongodb
    hosts = tuple((server.host, server.port) for server in (replica, primary))
    target = target_of(primary, hosts=hosts, params={"authSource": "admin", "replicaSet": "rs"})
    async with opened(target) as driver:
        answer = await check(driver)
        assert (answer.role, answer.writable) == ("primary", True)
        assert len((await outcome(driver, ('{"find": "item"}', ()))).rows) == 3


async def test_a_set_without_a_primary_is_role(fragile_mongodb: MongoPair) -> None:
    primary, replica = fragile_mongodb
    primary.kill()
    hosts = tuple((server.host, server.port) for server in (primary, replica))
    target = target_of(primary, hosts=hosts, params={"authSource": "admin", "replicaSet": "rs"}, timeout_s=1.0)
    async with opened(target) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.ROLE


async def test_a_set_of_which_nobody_is_there_is_refused_at_once(mongodb: MongoPair) -> None:
    target = target_of(mongodb.primary, hosts=((HOST, free_port()), (HOST, free_port())), timeout_s=PATIENCE_S)
    async with opened(target) as driver:
        assert (await fault_of(driver)).kind is ErrorKind.REFUSED


async def test_a_set_goes_on_with_its_new_primary(fragile_mongodb: MongoPair) -> None:
    primary, replica = fragile_mongodb
    hosts = tuple((server.host, server.port) for server in (primary, replica))
    target = target_of(primary, hosts=hosts, params={"authSource": "admin", "replicaSet": "rs"})
    async with opened(target) as driver:
        assert (await check(driver)).role == "primary"
        primary.tell(state="SECONDARY")
        replica.tell(state="PRIMARY", extra={"electionId": ObjectId()})
        assert (await check(driver)).role == "primary"
        primary.tell(state="RECOVERING")
        assert (await check(driver)).role == "primary"


async def test_a_member_that_is_gone_does_not_take_its_set_along(fragile_mongodb: MongoPair) -> None:
    primary, replica = fragile_mongodb
    replica.kill()
    target = target_of(primary, params={"authSource": "admin", "directConnection": "false"})
    async with opened(target) as driver:
        assert (await check(driver)).role == "primary"
        assert len((await outcome(driver, ('{"find": "item"}', ()))).rows) == 3


async def test_another_set_than_the_one_named_is_not_used(mongodb: MongoPair) -> None:
    params = {"authSource": "admin", "replicaSet": "other"}
    async with opened(target_of(mongodb.primary, params=params, timeout_s=0.5)) as driver:
        fault = await fault_of(driver)
    assert isinstance(fault, ConnectError)


async def test_a_unix_socket_is_a_host(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.primary, hosts=((str(mongodb.primary.socket), None),))) as driver:
        await check(driver)
        assert len((await outcome(driver, ('{"find": "item"}', ()))).rows) == 3


async def test_a_unix_socket_that_is_not_there_is_refused(mongodb: MongoPair) -> None:
    for fault in await faults_of(target_of(mongodb.primary, hosts=(("/nowhere/mongodb.sock", None),))):
        assert fault.kind is ErrorKind.REFUSED
        assert "unix:/nowhere/mongodb.sock" in str(fault)


def with_tls(server: MongoStandIn, certificates: Path, authority: str, **params: str) -> Target:
    chosen = {"authSource": "admin", "tls": "true", "tlsCAFile": str(certificates / f"{authority}.crt"), **params}
    return target_of(server, hosts=(("localhost", server.port),), params=chosen, timeout_s=5)


async def test_tls_with_the_right_authority(mongodb_with_tls: MongoStandIn, mongodb_certificates: Path) -> None:
    async with opened(with_tls(mongodb_with_tls, mongodb_certificates, "ca")) as driver:
        for _ in range(2):
            await check(driver)
        await outcome(driver, ('{"find": "item"}', ()))


async def test_the_loss_of_a_held_tls_connection_is_reported(
    mongodb_with_tls: MongoStandIn, mongodb_certificates: Path
) -> None:
    lost = asyncio.Event()
    async with opened(with_tls(mongodb_with_tls, mongodb_certificates, "ca")) as driver:
        driver.on_lost = lost.set
        await check(driver)
        assert not lost.is_set()
        mongodb_with_tls.kill()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await lost.wait()
        finally:
            mongodb_with_tls.start()
            await asyncio.to_thread(mongodb_with_tls.wait_ready)


@pytest.mark.parametrize(
    ("authority", "words"), [("other-ca", "localhost:"), ("nowhere", "nowhere.crt does not exist")]
)
async def test_a_certificate_that_is_not_trusted_is_tls(
    mongodb_with_tls: MongoStandIn, mongodb_certificates: Path, authority: str, words: str
) -> None:
    for fault in await faults_of(with_tls(mongodb_with_tls, mongodb_certificates, authority)):
        assert fault.kind is ErrorKind.TLS
        assert words in str(fault)


async def test_tls_to_a_server_without_is_tls(mongodb: MongoPair, mongodb_certificates: Path) -> None:
    for fault in await faults_of(with_tls(mongodb.primary, mongodb_certificates, "ca")):
        assert fault.kind in {ErrorKind.TLS, ErrorKind.RESET}


async def test_a_server_that_requires_tls_closes_the_connection(mongodb_with_tls: MongoStandIn) -> None:
    for fault in await faults_of(target_of(mongodb_with_tls, timeout_s=5)):
        assert fault.kind is ErrorKind.RESET
        assert "tls=true" in (fault.hint or "")
