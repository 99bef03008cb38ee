"""Targets on the MongoDB servers of the tests."""

from typing import Any

import pytest
from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from omnidb_cli.errors import ConnectError, DriverError
from tests.drivers.contract import PATIENCE_S, fault_of, opened, session_of
from tests.servers.mongodb import DATABASE, PASSWORD, MongoStandIn
from tests.servers.proxy import Proxy


def target_of(server: MongoStandIn | Proxy, **changes: Any) -> Target:
    """The login `app` there; `changes` are fields of the target."""
    target = Target(
        name="mongo",
        engine="mongodb",
        scheme="mongodb",
        hosts=((server.host, server.port),),
        username="app",
        password=PASSWORD,
        database=DATABASE,
        params={"authSource": "admin"},
    )
    return replace(target, **changes)


async def faults_of(target: Target) -> tuple[DriverError, DriverError]:
    """Why a check and a session fail."""
    async with opened(target) as driver:
        fault = await fault_of(driver)
        with pytest.raises(ConnectError) as raised:
            await session_of(driver, timeout_s=target.timeout_s or PATIENCE_S).__aenter__()
    return fault, raised.value
