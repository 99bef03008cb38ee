"""Whole commands over real servers, against the clients that those engines bring along, started in parallel."""

from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen
from time import perf_counter

from tests.bench.processes import fault_of, omnidb, start, surroundings
from tests.bench.row import Row, at_most, failed
from tests.bench.scale import Scale
from tests.bench.servers import Servers, topology_over
from tests.bench.timing import alternate, ratio
from tests.servers import mariadb, postgres, redis
from tests.servers.base import binary

_STATUS = "omnidb status over six servers"
_EXEC = 'omnidb exec on PostgreSQL, "SELECT 1"'


def rows(scale: Scale, servers: Servers, folder: Path) -> list[Row]:
    """The rows of this section; a command that fails is named in its row."""
    topology = topology_over(servers, folder)
    commands = {
        _STATUS: [*omnidb(), "-c", str(topology), "status"],
        _EXEC: [*omnidb(), "-c", str(topology), "exec", "postgres-primary", "SELECT 1"],
    }
    faults = {what: fault for what, command in commands.items() if (fault := fault_of(start(command, folder)))}
    if faults:
        return [failed(what, "≤ 2.5 ×", fault) for what, fault in faults.items()]
    six, one = native_clients(servers), [_psql(servers.postgres.primary.port)]
    runs = {what: partial(_together, [command], folder) for what, command in commands.items()}
    runs |= {"six": partial(_together, six, folder), "one": partial(_together, one, folder)}
    seconds = alternate(runs, scale.starts, clock=perf_counter)
    beside_six = _beside(seconds["six"], "psql, mariadb and redis-cli at once")
    return [
        at_most(_STATUS, ratio(seconds, _STATUS, "six"), 2.5, unit=" ×", note=beside_six),
        at_most(_EXEC, ratio(seconds, _EXEC, "one"), 3.5, unit=" ×", note=_beside(seconds["one"], "`psql -c`")),
    ]


def native_clients(servers: Servers) -> list[list[str]]:
    """One command for each of the six servers, by the engine's own client."""
    return [
        *(_psql(server.port) for server in servers.postgres[:2]),
        *(_mariadb(server.port) for server in servers.mariadb),
        *(_redis_cli(server.port) for server in servers.redis[:2]),
    ]


def _beside(seconds: list[float], what: str) -> str:
    return f" {what} ({median(seconds) * 1000:.0f} ms)"


def _psql(port: int) -> list[str]:
    program = binary("psql", package="postgresql-client")
    return [program, "-X", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-d", postgres.DATABASE, "-c", "SELECT 1"]


def _mariadb(port: int) -> list[str]:
    program = binary("mariadb", "mysql", package="mariadb-client")
    return [program, "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", "omnidb", "-e", "SELECT 1"]


def _redis_cli(port: int) -> list[str]:
    return [binary("redis-cli", package="redis-tools"), "-p", str(port), "--user", "app", "ping"]


def _together(commands: list[list[str]], folder: Path) -> None:
    """Starts all of them at once and waits for the last. Raises RuntimeError when one fails."""
    passwords = {"PGPASSWORD": postgres.PASSWORD, "MYSQL_PWD": mariadb.PASSWORD, "REDISCLI_AUTH": redis.PASSWORD}
    env = surroundings(folder) | passwords
    started = [Popen(one, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, cwd=folder, env=env) for one in commands]
    codes = [process.wait() for process in started]
    if any(codes):
        raise RuntimeError(f"{commands[codes.index(next(filter(None, codes)))][0]} failed")
