"""`configs/fleet.yaml` as it is, over running servers, with the accounts that the engines' pages tell one to make."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.project.pages import ROOT, blocks, page, section
from tests.project.session import commands, still
from tests.scenarios.server_fleet import Fleet, searched
from tests.scenarios.server_mariadb import Mariadb
from tests.scenarios.server_pairs import MARK, ServerPair
from tests.scenarios.server_postgres import Postgres
from tests.scenarios.server_redis import Redis
from tests.scenarios.shop import until
from tests.servers.mariadb import PASSWORD, MariadbPair

FILE = ROOT / "configs/fleet.yaml"
DEFAULTS = dict(re.findall(r"\$\{env:(FLEET_\w+):-([^}]+)\}", FILE.read_text(encoding="utf-8")))
"""Where the file says that the servers are, if the environment does not."""

SECRET = f"{MARK}3t/fleet"
NAMES = [f"{engine}-{role}" for engine in ("pg", "mysql", "redis") for role in ("primary", "replica")]
READS = {"pg": "SELECT pg_is_in_recovery()", "mysql": "SELECT @@global.read_only", "redis": "DBSIZE"}
ON_THE_BACKUP = {"pg": [[True]], "mysql": [[1]], "redis": [[0]]}


def documented(name: str) -> list[str]:
    """The statements by which the page of an engine makes the account, the secret filled in."""
    text = section(page(f"engines/{name}.md"), "The account")
    if name == "redis":
        *_, reader = re.findall(r"^ACL (SETUSER omnidb .+) >secret$", text, re.MULTILINE)
        return [f"{reader} >{SECRET}"]
    block = re.search(r"```sql\n(.+?)```", text, re.DOTALL)
    assert block is not None
    return block[1].replace("…", SECRET).strip().splitlines()


def make_account(pair: ServerPair) -> None:
    match pair:
        case Postgres():
            pair.primary.sql("DROP ROLE IF EXISTS omnidb", *documented("postgresql"))
            pair.catch_up()
        case Mariadb():
            pair.primary.sql("".join(["DROP USER IF EXISTS omnidb;", *documented("mysql")]))
            pair.catch_up()
        case Redis():
            for server in (pair.primary, pair.replica):
                server.ask("ACL", *documented("redis")[0].split())


def addresses(pair: ServerPair) -> Mapping[str, str]:
    engine = {"postgresql": "PG", "mysql": "MYSQL", "redis": "REDIS"}[pair.engine]
    places = {"PRIMARY": pair.primary, "REPLICA": pair.replica}
    shown = {f"FLEET_{engine}_{role}": f"{server.host}:{server.port}" for role, server in places.items()}
    return {**shown, f"FLEET_{engine}_PASSWORD": SECRET}


@pytest.fixture
def six(every_pair: Fleet, fragile_mariadb: MariadbPair) -> Iterator[Fleet]:
    """omnidb over the six by the file that comes with it."""
    every_pair.config = FILE
    every_pair.env["OMNIDB_CONFIG"] = str(every_pair.config)
    for pair in every_pair.pairs:
        make_account(pair)
        every_pair.env.update(addresses(pair))
    yield every_pair
    fragile_mariadb.heal()
    fragile_mariadb.primary.sql(  # as the other tests have it
        f"CREATE OR REPLACE USER omnidb IDENTIFIED BY '{PASSWORD}'; GRANT SLAVE MONITOR ON *.* TO omnidb;"
        " GRANT SELECT ON shop.* TO omnidb"
    )


def test_one_table_shows_role_lag_and_latency_of_all_six(six: Fleet) -> None:
    status = six.check()
    assert (status.code, list(status.connections)) == (0, NAMES)
    for name, one in status.connections.items():
        role = name.partition("-")[2]
        assert (one["health"], one["role"]["actual"], one["route"]["serving"]) == ("healthy", role, name)
        assert one["latency_ms"] > 0
        assert one["lag_seconds"] is None if role == "primary" else 0 <= one["lag_seconds"] < 10
    table = six.run("status")
    assert (table.returncode, table.stderr) == (0, "")
    head, *body = table.stdout.splitlines()[2:]
    assert " ".join(head.split()) == "NAME HEALTH CIRCUIT ROUTE LATENCY LAG ROLE CHECKED SINCE (UTC) ENGINE ADDRESS"
    assert len(body) == 6
    for name, row in zip(NAMES, body, strict=True):
        role = name.partition("-")[2]
        lag = "–" if role == "primary" else r"[\d.]+m?s"
        address = six.env[f"FLEET_{name.replace('-', '_').upper()}"]
        since = r"\d\d:\d\d \([^)]+\)"
        ages = rf"(just now|\S+ ago) +{since}"
        wanted = rf"{name} +✓ healthy +● closed +direct +[\d.]+m?s +{lag} +{role} +{ages} +\w+ +{address}"
        assert re.match(wanted, row), row


def test_no_host_is_hidden_and_no_password_shown(every_pair: Fleet) -> None:
    bare = every_pair.run("-c", str(FILE), "config", "show")
    assert len(DEFAULTS) == 6
    assert all(f"@{host}" in bare.stdout for host in DEFAULTS.values())
    for pair in every_pair.pairs:
        every_pair.env.update(addresses(pair))
    assert every_pair.run("-c", str(FILE), "config", "validate").returncode == 0
    shown = every_pair.object("-c", str(FILE), "config", "show")["connections"]
    for name, one in shown.items():
        assert every_pair.env[f"FLEET_{name.replace('-', '_').upper()}"] in one["url"]
        assert one["password"] == "***"


@pytest.mark.parametrize("engine", ["pg", "mysql", "redis"])
def test_any_primary_that_is_killed_is_explained_and_routed_around_and_concerns_no_other(
    six: Fleet, engine: str
) -> None:
    primary, replica = f"{engine}-primary", f"{engine}-replica"
    pair = six.pairs[["pg", "mysql", "redis"].index(engine)]
    assert six.check().code == 0
    pair.primary.kill()
    status = six.check()
    down = status[primary]
    assert (status.code, down["health"], down["error"]["kind"]) == (10, "unhealthy", "refused")
    assert (down["circuit"]["state"], down["route"]["serving"]) == ("open", replica)
    for name in NAMES:
        if name not in {primary, replica}:
            one = status[name]
            assert (one["health"], one["circuit"]["state"], one["route"]["serving"]) == ("healthy", "closed", name)
    route = six.object("route", primary)
    assert (route["serving"], route["failover"]) == (replica, True)
    first, second = route["candidates"]
    assert (first["name"], first["eligible"]) == (primary, False)
    assert "connection refused" in first["reason"]
    assert (second["name"], second["eligible"], bool(second["reason"])) == (replica, True, True)
    answer = six.exec(READS[engine], name=primary)
    assert (answer.code, answer.served_by, answer.rows) == (0, replica, ON_THE_BACKUP[engine])
    told = six.run("status")
    assert re.search(rf"^{primary} +✗ unhealthy +○ open +→ {replica} ", told.stdout, re.MULTILINE)
    why = rf"^✗ {primary} is unhealthy since .*: .*connection refused; {replica} serves"
    assert re.search(why, told.stdout, re.MULTILINE)


def test_all_primaries_hang_at_once(six: Fleet) -> None:
    for pair in six.pairs:
        pair.primary.hang()
    status = six.check()
    assert status.code == 10
    for engine, read in READS.items():
        down = status[f"{engine}-primary"]
        assert (down["health"], down["error"]["kind"], down["circuit"]["state"]) == ("unhealthy", "timeout", "open")
        assert down["route"]["serving"] == f"{engine}-replica"
        answer = six.exec(read, name=f"{engine}-primary")
        assert (answer.code, answer.served_by, answer.rows) == (0, f"{engine}-replica", ON_THE_BACKUP[engine])


def test_the_night_goes_as_the_page_tells_it(six: Fleet) -> None:
    (told,) = [one.text for one in blocks("console") if "pkill -9 postgres" in one.text]
    happened = "\n".join(f"$ {command}\n{carried_out(six, command)}" for command in commands(told))
    for variable, shown in DEFAULTS.items():
        happened = happened.replace(six.env[variable], shown)
    assert still(told) == still(happened)


def carried_out(six: Fleet, command: str) -> str:
    """What a command of the page prints; what it does to the server itself is done to the one that stands for it."""
    postgres = six.pairs[0]
    match command.split(" ", 2):
        case ["ssh", "pg1.internal", "pkill -9 postgres"]:
            postgres.primary.kill()
            until(lambda: six.check("pg-replica").code == 10, "its replica knows")
            return ""
        case ["ssh", "pg1.internal", "systemctl start postgresql"]:
            postgres.start(postgres.primary)
            return ""
        case ["omnidb", *_]:
            env = {**six.env, "PATH": f"{Path(sys.executable).parent}:{six.env['PATH']}"}
            done = subprocess.run(
                ["sh", "-c", command], env=env, text=True, timeout=six.limit_s, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return searched(done).stdout + (f"(exit code {done.returncode})\n" if done.returncode else "")
    raise AssertionError(f"nobody knows how to carry out {command}")
