"""Targets on the PostgreSQL servers of the tests."""

from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from tests.servers.postgres import DATABASE, PASSWORD, PostgresServer
from tests.servers.proxy import Proxy


def target_of(server: PostgresServer | Proxy, **changes: Any) -> Target:
    """The login `app` there; `changes` are fields of the target."""
    target = Target(
        name="pg",
        engine="postgresql",
        scheme="postgresql",
        hosts=((server.host, server.port),),
        username="app",
        password=PASSWORD,
        database=DATABASE,
    )
    return replace(target, **changes)
