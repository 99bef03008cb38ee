"""Replication that has stopped, is late, or has nothing to do: what the codes, the JSON and the table say of it."""

import re
import time

from tests.scenarios.server_fleet import Fleet
from tests.scenarios.server_mariadb import Mariadb
from tests.scenarios.server_pairs import ServerPair
from tests.scenarios.server_postgres import Postgres
from tests.scenarios.server_redis import Redis
from tests.scenarios.shop import until

MAX_LAG_S = 0.3

_NO_LINK = r"replication stopped: the link to its primary \S+ has been down for \d+s"
STOPPED = {
    Postgres: (r"replication stopped: WAL replay is paused", True),
    Mariadb: (r"replication from \S+ stopped: the SQL thread is stopped", False),
    Redis: (_NO_LINK, True),
}
"""What `stop_replication` comes to, as the engines' pages have it: the words, and whether there is a lag to show."""

CUT_OFF = {
    Postgres: (r"replication stopped: no WAL receiver is running, so it is not connected to its primary", False),
    Mariadb: (r"replication from \S+ stopped: the I/O thread has no connection( \(.+\))?", False),
    Redis: (_NO_LINK, True),
}
"""The same of a primary that is gone."""


def resume(pair: ServerPair) -> None:
    """Undoes `stop_replication`."""
    match pair:
        case Postgres():
            pair.replica.sql("SELECT pg_wal_replay_resume()")
        case Mariadb():
            pair.replica.sql("START SLAVE")
        case Redis():
            pair.replica.ask("REPLICAOF", pair.primary.host, pair.primary.port)
    pair.catch_up()


def is_told(fleet: Fleet, why: str, *, with_lag: bool = True) -> None:
    """What is degraded about the replica is said in the JSON, in its row of the table, and in a sentence below it."""
    check = until(lambda: (found := fleet.check())["replica"]["health"] == "degraded" and found, "it is seen")
    replica = check["replica"]
    assert (check.code, replica["error"]["kind"], replica["circuit"]["state"]) == (10, "lag", "closed")
    assert re.fullmatch(why, replica["error"]["message"]), replica["error"]
    assert (replica["lag_seconds"] is not None) is with_lag
    ended = fleet.run("status")
    assert ended.returncode == 10
    shown = r"[\d.]+m?s +" if with_lag else ""
    row = rf"^replica +▲ degraded +● closed +direct +\S+ +{shown}replica "
    assert re.search(row, ended.stdout, re.MULTILINE), ended.stdout
    assert re.search(rf"^▲ replica is degraded since \d\d:\d\d UTC \([^)]+\): {why}\.$", ended.stdout, re.MULTILINE), (
        ended.stdout
    )


def test_stopped_replication_is_degraded_in_words_until_it_goes_on(fleet: Fleet) -> None:
    pair = fleet.pair
    why, with_lag = STOPPED[type(pair)]
    pair.stop_replication()
    is_told(fleet, why, with_lag=with_lag)
    route = fleet.object("route", "primary")
    assert [(one["name"], one["eligible"]) for one in route["candidates"]] == [("primary", True), ("replica", True)]
    resume(pair)
    until(lambda: fleet.code("status") == 0, "it is well again")
    *_, last = fleet.object("events", "--name", "replica")["events"]
    assert (last["detail"]["previous"], last["detail"]["current"]) == ("degraded", "healthy")


def test_the_backup_of_a_dead_primary_has_stopped_replication_and_serves(fleet: Fleet) -> None:
    pair = fleet.pair
    why, with_lag = CUT_OFF[type(pair)]
    pair.primary.kill()
    is_told(fleet, why, with_lag=with_lag)
    answer = fleet.exec(pair.read)
    assert (answer.code, answer.served_by, answer.rows) == (0, "replica", pair.rows_after(0))


def test_an_idle_primary_is_no_lag_and_a_late_replica_is(fleet: Fleet) -> None:
    pair = fleet.pair
    fleet.write(keys={"replica": f"role: replica, max_lag: {MAX_LAG_S}s"})
    idle_since = time.monotonic()
    until(lambda: time.monotonic() > idle_since + 2 * MAX_LAG_S, "nothing is written for longer than max_lag")
    status = fleet.check()
    assert (status.code, status["replica"]["lag_seconds"]) == (0, 0)
    if pair.can_lag:
        with pair.lagging():
            is_told(fleet, rf"replication lag [\d.]+s is above max_lag {MAX_LAG_S}s")
            assert fleet.connection("replica", "--last")["lag_seconds"] > MAX_LAG_S
        until(lambda: fleet.code("status") == 0, "it is well again")
