"""`route` and `status` check now, and keep what they saw; `--last` touches nothing."""

import json
import socket
import time

from tests.scenarios.across.ground import PAIR, WHO, Ground, Host, locked, waits_for
from tests.scenarios.shop import PATIENCE_S

WITH_A_SILENT_ONE = """\
name: shop
connections:
  primary: {url: "sqlite:///primary.db"}
  replica: {url: "sqlite:///replica.db"}
  silent: {url: "redis://127.0.0.1:PORT/0"}
failover: FAILOVER
health_check: {timeout: 30s}
circuit_breaker: BREAKER
"""


def test_route_checks_every_candidate_and_saves_what_it_saw(shop: Ground) -> None:
    shop.run("status")
    shop.take_away("primary", "replica")
    assert shop.object("route", "primary")["serving"] == "archive"
    for name in ("primary", "replica"):
        assert shop.row(name)["health"]["health"] == "unhealthy"
        assert shop.saved(name)["reason"] == "health-check-failed"
    assert shop.circuits()[:2] == ["circuit:open health-check-failed", "failover"]
    assert shop.object("route", "primary", "--last")["serving"] == "archive"
    assert shop.served() == "archive"


def test_route_hands_out_no_dead_server(shop: Ground) -> None:
    shop.write(failover=PAIR)
    shop.run("status")
    shop.take_away("primary")
    assert shop.run("route", "primary", "-o", "url").stdout.strip().endswith("replica.db")
    shop.take_away("replica")
    nobody = shop.run("route", "primary", "-o", "url")
    assert (nobody.returncode, nobody.stdout) == (11, "")


def test_last_touches_nothing_and_is_12_when_it_is_old(shop: Ground) -> None:
    shop.run("status")
    shop.take_away("primary")
    before = shop.state.read_bytes(), shop.row("primary")
    assert shop.code("route", "primary", "--last") == 0
    assert shop.object("route", "primary", "--last")["serving"] == "primary"
    assert shop.code("status", "--last") == 0
    time.sleep(0.05)
    for command in (("route", "primary"), ("status",)):
        assert shop.code(*command, "--last", "--max-age", "10ms") == 12
    shop.rewrite("primary", lambda row: row["health"].update(checked_at=row["health"]["checked_at"] - 91))
    for command in (("route", "primary"), ("status",)):  # three intervals of 30 s have passed
        assert shop.code(*command, "--last") == 12
    assert before[1]["health"]["consecutive_successes"] == shop.row("primary")["health"]["consecutive_successes"]


def test_status_takes_in_a_hold_placed_while_it_waited_for_a_database(shop: Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shop.write(text=WITH_A_SILENT_ONE.replace("PORT", str(silent.getsockname()[1])), failover=PAIR)
        silent.settimeout(PATIENCE_S)
        status = shop.start("status", "-o", "json")
        connection, _ = silent.accept()  # it has read the state, and waits for an answer
        assert shop.code("circuit", "open", "primary", "--reason", "new disk") == 0
        connection.close()
    out, _ = status.communicate()
    primary = json.loads(out)["connections"][0]
    assert (primary["circuit"]["manual"], primary["circuit"]["reason"]) == (True, "new disk")
    assert primary["route"]["serving"] == "replica"
    assert shop.saved("primary")["held"]


def test_an_exec_that_took_long_undoes_no_hold(shop: Ground) -> None:
    shop.write(failover=PAIR, breaker="{threshold: 2}")
    shop.tear("primary")
    shop.fails()
    with locked(shop.database("primary"), "IMMEDIATE"):
        insert = shop.start("exec", "primary", "INSERT INTO who VALUES ('long')")
        waits_for(insert, shop.database("primary"))
        shop.run("circuit", "open", "primary", "--reason", "new disk")
    insert.communicate()
    assert insert.returncode == 0
    assert (shop.saved("primary")["held"], shop.saved("primary")["note"]) == (True, "new disk")
    assert shop.served() == "replica"


def test_with_circuits_off_a_healed_primary_is_checked_again_after_30_seconds(shop: Ground) -> None:
    shop.write(breaker="false", failover=PAIR)
    shop.take_away("primary")
    assert shop.served() == "replica"
    shop.bring_back("primary")
    assert shop.served() == "replica"  # the verdict is fresh
    shop.rewrite("primary", lambda row: row["health"].update(checked_at=row["health"]["checked_at"] - 31))
    assert shop.served() == "primary"
    assert shop.row("primary")["health"]["health"] == "healthy"


def test_what_was_seen_before_the_clock_was_set_back_binds_nobody(shop: Ground, host: Host) -> None:
    shop.write(failover=PAIR, breaker="{reset_timeout: 1h, half_open_successes: 1}")
    host.jump(7200.0)
    shop.take_away("primary")
    assert shop.statuses(1) == [("open", "replica")]
    host.jump(0.0)
    assert shop.statuses(1) == [("open", "replica")]  # the check of now counts, though the saved one is newer
    assert abs(shop.row("primary")["health"]["checked_at"] - time.time()) < 600
    shop.bring_back("primary")
    assert shop.statuses(1) == [("closed", "primary")]


def test_a_clock_set_back_makes_no_wait_longer_than_it_was(shop: Ground, host: Host) -> None:
    shop.write(breaker="{threshold: 1, reset_timeout: 1s, half_open_successes: 2}")
    shop.tear("primary")
    host.jump(7200.0)
    shop.fails()
    host.jump(0.0)
    shop.run("status")
    time.sleep(1.4)
    assert [shop.served() for _ in range(2)] == ["primary"] * 2
    assert shop.saved("primary")["state"] == "closed"


def test_a_clock_set_back_between_two_trials_loses_neither(shop: Ground, host: Host) -> None:
    shop.write(breaker="{threshold: 1, reset_timeout: 200ms, half_open_successes: 2}")
    shop.tear("primary")
    shop.fails()
    shop.outlast("primary")
    assert shop.served() == "primary"
    host.jump(-3600.0)
    assert shop.served() == "primary"
    assert shop.saved("primary")["state"] == "closed"


def test_a_clock_set_forward_ends_a_hold_by_no_more_than_the_jump(shop: Ground, host: Host) -> None:
    shop.run("circuit", "open", "primary", "--for", "2h")
    host.jump(3600.0)
    assert shop.circuit("primary")["manual"]
    assert shop.code("exec", "primary", WHO, "--no-failover") == 20
    host.jump(2 * 3600.0 + 60)
    assert shop.statuses(3)[-1] == ("closed", "primary")
