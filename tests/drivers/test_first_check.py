"""The first check of a process: what it has to import is no latency of the server."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import asdict

from omnidb_cli.drivers.base import Target
from tests.drivers import mongodb_targets, mysql_targets, postgres_targets, redis_targets
from tests.servers.mariadb import MariadbPair
from tests.servers.mongodb import MongoPair
from tests.servers.postgres import PostgresPair
from tests.servers.redis import RedisPair

_SOURCE = Path(__file__).resolve().parents[2]

_PROGRAM = """
import asyncio, importlib, sys
from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target

loaded = []
target = Target(**eval(sys.argv[1]))
driver = open_driver(target)
module = sys.modules[type(driver).__module__]
clock = module.perf_counter

def marked():
    loaded.append(list(sys.modules))
    return clock()

async def check():
    try:
        await driver.check()
        loaded.append(list(sys.modules))
    finally:
        await driver.aclose()

module.perf_counter = marked
asyncio.run(check())
print(*loaded[-1][len(loaded[0]):])
"""


def _loaded_meanwhile(target: Target) -> list[str]:
    """What came in between the first reading of the clock and the answer, of other than Python's own."""
    written = repr({field: value for field, value in asdict(target).items() if not callable(value)})
    argv = [sys.executable, "-c", _PROGRAM, written]
    told = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=_SOURCE, timeout=60).stdout
    return [name for name in told.split() if name.partition(".")[0] not in sys.stdlib_module_names]


@pytest.mark.parametrize("statement", [None, "SELECT 1"])
def test_postgres(postgres: PostgresPair, statement: str | None) -> None:
    assert _loaded_meanwhile(postgres_targets.target_of(postgres.primary, statement=statement)) == []


@pytest.mark.parametrize("statement", [None, "GET text"])
def test_redis(redis_pair: RedisPair, statement: str | None) -> None:
    assert _loaded_meanwhile(redis_targets.target_of(redis_pair.primary, statement=statement)) == []


@pytest.mark.parametrize("statement", [None, "SELECT 1"])
def test_mysql(mariadb: MariadbPair, statement: str | None) -> None:
    assert _loaded_meanwhile(mysql_targets.target_of(mariadb.primary, statement=statement)) == []


@pytest.mark.parametrize("statement", [None, '{"find": "items", "limit": 1}'])
def test_mongodb(mongodb: MongoPair, statement: str | None) -> None:
    target = mongodb_targets.target_of(mongodb.primary, statement=statement)
    assert _loaded_meanwhile(target) == []
