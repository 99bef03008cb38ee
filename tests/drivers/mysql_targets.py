"""Targets on the MariaDB servers of the tests."""

from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from tests.servers.mariadb import DATABASE, PASSWORD, MariaDB
from tests.servers.proxy import Proxy


def target_of(server: MariaDB | Proxy, **changes: Any) -> Target:
    """The login `app` there; `changes` are fields of the target."""
    target = Target(
        name="shop",
        engine="mysql",
        scheme="mysql",
        hosts=((server.host, server.port),),
        username="app",
        password=PASSWORD,
        database=DATABASE,
    )
    return replace(target, **changes)
