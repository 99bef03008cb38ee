import subprocess
import sys

import omnidb_cli.drivers.mysql.private_api  # noqa: F401 - which puts its own receiver in place

# isort: split
from asyncmy import connect

from tests.drivers.mysql_targets import target_of
from tests.servers.mariadb import MariadbPair


def loaded(code: str, *modules: str) -> list[str]:
    """Which of the modules a fresh interpreter has loaded after the code."""
    asked = f"{code}\nimport sys\nprint(*(name for name in {modules!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()


def test_the_driver_loads_its_client_without_the_machinery_of_package_metadata() -> None:
    modules = ("asyncmy.connection", "importlib.metadata", "email.message")
    assert loaded("import omnidb_cli.drivers.mysql.connection", *modules) == ["asyncmy.connection"]


def test_a_client_that_is_there_already_keeps_its_version() -> None:
    code = "import asyncmy.version as there\nimport omnidb_cli.drivers.mysql.connection\nassert there.__VERSION__"
    assert loaded(code, "importlib.metadata") == ["importlib.metadata"]


async def test_connections_of_others_in_the_process_may_bring_what_they_want(mariadb: MariadbPair) -> None:
    [(host, port)] = target_of(mariadb.primary).hosts
    login = {"host": host, "port": port, "user": "repl", "password": "repl"}
    async with connect(**login) as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT REPEAT('x', 3000000)")
        [(text,)] = await cursor.fetchall()
    assert len(text) == 3_000_000
