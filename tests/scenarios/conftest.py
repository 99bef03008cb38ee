from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.server_fleet import Fleet
from tests.scenarios.server_mariadb import Mariadb
from tests.scenarios.server_pairs import ServerPair
from tests.scenarios.server_postgres import Postgres
from tests.scenarios.server_redis import Redis
from tests.scenarios.shop import Shop
from tests.servers.proxy import Proxy

ENGINES: Mapping[str, tuple[str, Callable[[Any], ServerPair]]] = {
    "postgresql": ("fragile_postgres", Postgres),
    "mariadb": ("fragile_mariadb", Mariadb),
    "redis": ("fragile_redis", Redis),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=ENGINES)
def pair(request: pytest.FixtureRequest) -> ServerPair:
    """A primary and its replica, of each engine in turn; a test may do to them what it likes."""
    servers, pair = ENGINES[request.param]
    made = pair(request.getfixturevalue(servers))
    made.prepare()
    return made


@pytest.fixture
def fleet(pair: ServerPair, tmp_path: Path) -> Iterator[Fleet]:
    """omnidb over that pair."""
    made = Fleet(tmp_path, pair)
    yield made
    made.close()


@pytest.fixture
def proxy(pair: ServerPair) -> Iterator[Proxy]:
    """Before the primary of the pair: `fleet.write(urls={"primary": fleet.pair.url(proxy)})`."""
    with Proxy(pair.primary.port) as made:
        yield made


@pytest.fixture
def every_pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """omnidb over the pairs of all engines at once."""
    pairs = [pair(request.getfixturevalue(servers)) for servers, pair in ENGINES.values()]
    made = Fleet(tmp_path, *pairs)
    yield made
    made.close()
