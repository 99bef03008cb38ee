"""Unknown names, and calls outside connect and disconnect."""

import asyncio
from typing import Any

import pytest

from omnidb_cli import (
    ConfigurationError,
    ConnectionUnavailableError,
    NotConnectedError,
    Orchestrator,
    UnknownConnectionError,
)
from tests.core.clock import advance
from tests.core.fakes import Fleet, who

NAMED = ["get", "route", "record_success", "record_failure", "open_circuit", "close_circuit", "failback"]


@pytest.mark.parametrize("method", NAMED)
async def test_every_method_with_a_name_refuses_one_that_is_not_there(method: str) -> None:
    async with Fleet("primary", "replica") as fleet:
        with pytest.raises(UnknownConnectionError) as caught:
            getattr(fleet.db, method)("primry")
        assert isinstance(caught.value, KeyError)
        assert str(caught.value) == 'no connection named "primry"'
        assert caught.value.hint == 'did you mean "primary"?'


@pytest.mark.parametrize("connected", [True, False])
async def test_execute_and_check_refuse_unknown_names_connected_or_not(*, connected: bool) -> None:
    fleet = Fleet("a")
    if connected:
        await fleet.db.connect()
    for failover in (True, False):
        with pytest.raises(UnknownConnectionError):
            await fleet.db.execute("ghost", who, failover=failover)
    with pytest.raises(UnknownConnectionError):
        await fleet.db.check("ghost")
    with pytest.raises(UnknownConnectionError):
        fleet.db.get("ghost")
    await fleet.db.disconnect()


async def test_execute_get_and_check_need_a_connection() -> None:
    fleet = Fleet("a")
    for _ in range(2):
        with pytest.raises(NotConnectedError):
            await fleet.db.execute("a", who)
        with pytest.raises(NotConnectedError):
            await fleet.db.execute("a", who, failover=False)
        with pytest.raises(NotConnectedError):
            fleet.db.get("a")
        with pytest.raises(NotConnectedError):
            await fleet.db.check()
        async with fleet:
            assert await fleet.db.execute("a", who) == "a"
            fleet.db.open_circuit("a")
            with pytest.raises(ConnectionUnavailableError):
                await fleet.db.execute("a", who)
            fleet.db.close_circuit("a")


async def test_nothing_is_executed_before_the_first_check_is_over() -> None:
    fleet = Fleet("a", "b")
    fleet["b"].hangs = True
    connecting = asyncio.create_task(fleet.db.connect())
    await advance(1)
    assert not fleet.db.is_connected
    with pytest.raises(NotConnectedError):
        fleet.db.get("a")
    with pytest.raises(NotConnectedError):
        await fleet.db.execute("a", who)
    await connecting
    assert await fleet.db.execute("a", who) == "a"
    await fleet.db.disconnect()


@pytest.mark.parametrize("config", [False, True, 5, {"threshold": 5}])
def test_circuits_are_a_config_or_none(config: Any) -> None:
    with pytest.raises(ConfigurationError, match="circuit_breaker must be"):
        Orchestrator({"a": 1}, circuit_breaker=config)
