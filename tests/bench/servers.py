"""The real servers that are measured with: a pair of each engine, on the loopback, and a topology over all six."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.servers import mariadb, postgres, redis
from tests.servers.base import Server
from tests.servers.folders import folder_for_servers


class Servers(NamedTuple):
    """A primary and a replica of each engine, all ready. `folder` is for more servers; it goes with them."""

    folder: Path
    postgres: postgres.PostgresPair
    mariadb: mariadb.MariadbPair
    redis: redis.RedisPair


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Six servers, ended afterwards. Raises what pytest raises for a test that a missing server skips."""
    with folder_for_servers() as folder:
        yield Servers(folder, postgres.start_pair(folder), mariadb.start_pair(folder), redis.start_pair(folder))


def postgres_url(server: Server) -> str:
    """The URL of a PostgreSQL server of the tests."""
    return f"postgresql://app:{quote(postgres.PASSWORD)}@{server.host}:{server.port}/{postgres.DATABASE}"


def mariadb_url(server: Server) -> str:
    """The URL of a MariaDB server of the tests."""
    return f"mysql://omnidb:{quote(mariadb.PASSWORD, safe='')}@{server.host}:{server.port}/{mariadb.DATABASE}"


def redis_url(server: Server) -> str:
    """The URL of a Redis server of the tests."""
    return f"redis://app:{quote(redis.PASSWORD)}@{server.host}:{server.port}/0"


def topology_over(servers: Servers, folder: Path) -> Path:
    """A topology file over the six: each primary has its replica as its backup."""
    lines = ["name: six", "connections:"]
    for engine, url, pair in (
        ("postgres", postgres_url, servers.postgres),
        ("mariadb", mariadb_url, servers.mariadb),
        ("redis", redis_url, servers.redis),
    ):
        for role, server in (("primary", pair.primary), ("replica", pair.replica)):
            lines.append(f'  {engine}-{role}: {{url: "{url(server)}", role: {role}}}')
    lines += ["failover:", *(f"  {engine}-primary: {engine}-replica" for engine in ("postgres", "mariadb", "redis"))]
    file = folder / "six.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file
