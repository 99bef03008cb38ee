"""Checks MongoDB, as stand-ins answer them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnidb_cli.core.health.model import Health, HealthPolicy, evaluate
from omnidb_cli.drivers.base import Driver
from omnidb_cli.drivers.mongodb.check import Behind, ServerState, answer_of
from omnidb_cli.errors import DriverError, ErrorKind, StatementError
from tests.drivers.contract import PATIENCE_S, check, fault_of, opened, until
from tests.drivers.mongodb_targets import target_of
from tests.servers.mongodb import DATABASE, VERSION, MongoPair, MongoStandIn


@pytest.fixture
async def driver(mongodb: MongoPair) -> AsyncIterator[Driver]:
    async with opened(target_of(mongodb.primary, username="omnidb")) as driver:
        yield driver


async def test_a_primary_says_so(driver: Driver) -> None:
    answer = await check(driver)
    assert (answer.role, answer.writable, answer.lag_s, answer.stalled) == ("primary", True, None, None)
    assert answer.version == VERSION


async def test_a_held_check_is_one_command_on_the_same_connection(mongodb: MongoPair, driver: Driver) -> None:
    await check(driver)
    connections = mongodb.primary.tell()["connections"]
    mongodb.primary.forget()
    for _ in range(3):
        await check(driver)
    assert mongodb.primary.commands() == ["hello"] * 3
    assert mongodb.primary.tell()["connections"] == connections


async def test_a_secondary_that_keeps_up_has_no_lag(mongodb: MongoPair) -> None:
    mongodb.caught_up()
    async with opened(target_of(mongodb.replica, username="omnidb")) as driver:
        answer = await check(driver)
    assert (answer.role, answer.writable, answer.lag_s, answer.stalled) == ("replica", False, 0.0, None)


async def test_a_login_that_may_not_read_the_state_of_the_set_gives_an_unknown_lag(mongodb: MongoPair) -> None:
    async with opened(target_of(mongodb.replica, username="plain")) as driver:
        mongodb.replica.forget()
        answers = [await check(driver) for _ in range(2)]
    for answer in answers:
        assert (answer.role, answer.lag_s, answer.stalled) == ("replica", None, None)
    assert mongodb.replica.commands().count("replSetGetStatus") == 1  # it is not asked for again


async def test_stopped_replication_is_degraded(fragile_mongodb: MongoPair) -> None:
    primary, replica = fragile_mongodb
    async with opened(target_of(replica, username="omnidb")) as driver:
        replica.tell(paused=True)
        primary.tell(documents={f"{DATABASE}.item": []})
        target = primary.tell()["applied"]
        await until(lambda: _known(replica) == target)
        answer = await check(driver)
    result = evaluate(answer, HealthPolicy(role="replica"))
    assert (result.health, result.kind) == (Health.DEGRADED, ErrorKind.LAG)
    assert "no sync source" in (result.detail or "")
    assert answer.lag_s is not None


def _known(replica: MongoStandIn) -> object:
    """How far the replica knows the primary to be; None when it sees none."""
    return replica.tell()["primary"]


async def test_a_primary_out_of_sight_is_degraded(fragile_mongodb: MongoPair) -> None:
    primary, replica = fragile_mongodb
    async with opened(target_of(replica, username="omnidb")) as driver:
        await check(driver)
        primary.kill()
        await until(lambda: _known(replica) is None)
        answer = await check(driver)
    assert answer.stalled == "replication stopped: it sees no primary"
    assert answer.lag_s is None


async def test_a_promoted_secondary_is_degraded_and_takes_writes(fragile_mongodb: MongoPair) -> None:
    async with opened(target_of(fragile_mongodb.replica, username="omnidb")) as driver:
        await check(driver)
        fragile_mongodb.replica.tell(state="PRIMARY")
        result = evaluate(await check(driver), HealthPolicy(role="replica"))
    assert (result.health, result.kind) == (Health.DEGRADED, ErrorKind.ROLE)


async def test_a_primary_that_stepped_down_is_unhealthy(fragile_mongodb: MongoPair) -> None:
    async with opened(target_of(fragile_mongodb.primary, username="omnidb")) as driver:
        await check(driver)
        fragile_mongodb.primary.tell(state="SECONDARY")
        result = evaluate(await check(driver), HealthPolicy(role="primary"))
    assert (result.health, result.kind) == (Health.UNHEALTHY, ErrorKind.ROLE)


@pytest.mark.parametrize(("state", "words"), [("ARBITER", "arbiter"), ("RECOVERING", "state RECOVERING")])
async def test_a_member_that_serves_no_data_is_unhealthy(fragile_mongodb: MongoPair, state: str, words: str) -> None:
    replica = fragile_mongodb.replica
    async with opened(target_of(replica, username="omnidb")) as driver:
        replica.tell(state=state)
        fault = await fault_of(driver)
        assert fault.kind is ErrorKind.ROLE
        assert words in str(fault)
        assert f"{replica.host}:{replica.port}/{DATABASE}" in str(fault)
        replica.tell(state="SECONDARY")
        assert (await check(driver)).role == "replica"


async def test_a_standalone_server_takes_writes(fragile_mongodb: MongoPair) -> None:
    async with opened(target_of(fragile_mongodb.primary)) as driver:
        fragile_mongodb.primary.tell(state="STANDALONE")
        answer = await check(driver)
    assert (answer.role, answer.writable) == ("primary", True)


async def test_a_router_has_no_role(fragile_mongodb: MongoPair) -> None:
    async with opened(target_of(fragile_mongodb.primary)) as driver:
        fragile_mongodb.primary.tell(state="STANDALONE", extra={"msg": "isdbgrid"})
        answer = await check(driver)
    assert (answer.role, answer.writable) == (None, True)


async def test_a_server_opened_for_reading_only_is_not_writable(fragile_mongodb: MongoPair) -> None:
    async with opened(target_of(fragile_mongodb.primary)) as driver:
        fragile_mongodb.primary.tell(extra={"readOnly": True})
        answer = await check(driver)
    assert answer.writable is False


@pytest.mark.parametrize("statement", ['{"find": "item", "limit": 1}', '{"count": "item"}'])
async def test_the_check_statement_is_asked(mongodb: MongoPair, statement: str) -> None:
    async with opened(target_of(mongodb.primary, statement=statement)) as driver:
        mongodb.primary.forget()
        await check(driver)
        assert {"find", "count"} & set(mongodb.primary.commands())


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ('{"nonsense": 1}', "nonsense may change data"),
        ('{"delete": "item", "deletes": [{"q": {}, "limit": 0}]}', "delete may change data"),
        ("SELECT 1", "is not JSON"),
        ('{"find": "item", "filter": {"$nonsense": 1}}', "unknown top level operator"),
    ],
)
async def test_a_check_statement_that_fails_is_the_check_s_error(
    mongodb: MongoPair, statement: str, words: str
) -> None:
    async with opened(target_of(mongodb.primary, statement=statement)) as driver:
        fault = await fault_of(driver)
    assert isinstance(fault, StatementError)
    assert "the check statement" in str(fault)
    assert words in str(fault)
    assert mongodb.primary.tell(count=f"{DATABASE}.item")["count"] == 3


@pytest.mark.parametrize("how", ["kill", "restart"])
async def test_the_loss_of_the_held_connection_is_reported_as_it_happens(
    fragile_mongodb: MongoPair, driver: Driver, how: str
) -> None:
    lost = asyncio.Event()
    driver.on_lost = lost.set
    await check(driver)
    await asyncio.to_thread(getattr(fragile_mongodb.primary, how))
    async with asyncio.timeout(PATIENCE_S):
        await lost.wait()
    if how == "kill":
        assert (await fault_of(driver)).kind is ErrorKind.REFUSED
    else:
        await check(driver)


async def test_an_orderly_close_is_no_loss(mongodb: MongoPair) -> None:
    losses: list[int] = []
    async with opened(target_of(mongodb.primary)) as driver:
        driver.on_lost = lambda: losses.append(1)
        for _ in range(3):
            await check(driver)
    await asyncio.sleep(0)
    assert losses == []


def test_a_secondary_that_applies_nothing_for_long_stands_still() -> None:
    now = datetime.now(UTC)
    own = {"self": True, "state": 2, "health": 1, "optime": "a", "optimeDate": now - timedelta(seconds=7)}
    primary = {"state": 1, "health": 1, "optime": "b", "optimeDate": now}
    seen = ServerState({"secondary": True, "setName": "rs"}, {"syncSourceHost": "x", "members": [own, primary]})
    fresh = answer_of(seen, 0.1, None, behind=Behind("a", 100.0), now_s=105.0)
    assert (fresh.lag_s, fresh.stalled) == (7.0, None)
    old = answer_of(seen, 0.1, None, behind=Behind("a", 100.0), now_s=111.0)
    assert old.stalled == "replication stopped: it has applied nothing for 11s"


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"members": None},
        {"members": [{"self": True}]},
        {"members": [{"self": True}, {"state": 1, "health": 1}]},
    ],
)
def test_what_cannot_be_told_is_unknown(status: dict[str, Any] | None) -> None:
    answer = answer_of(ServerState({"secondary": True, "setName": "rs"}, status), 0.1, None, behind=None, now_s=0.0)
    assert answer.lag_s is None


@pytest.mark.parametrize(
    "hello", [{}, {"isreplicaset": True}, {"setName": "rs"}, {"setName": "rs", "arbiterOnly": True}]
)
def test_who_serves_no_data_is_said(hello: dict[str, Any]) -> None:
    with pytest.raises(DriverError) as raised:
        answer_of(ServerState(hello), 0.1, None, behind=None, now_s=0.0)
    assert raised.value.kind is ErrorKind.ROLE
