"""Targets on the Redis servers of the tests."""

from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.base import Target
from tests.servers.proxy import Proxy
from tests.servers.redis import PASSWORD, RedisServer


def target_of(server: RedisServer | Proxy, **changes: Any) -> Target:
    """The login `app` there; `changes` are fields of the target."""
    target = Target(
        name="cache",
        engine="redis",
        scheme="redis",
        hosts=((server.host, server.port),),
        username="app",
        password=PASSWORD,
    )
    return replace(target, **changes)
