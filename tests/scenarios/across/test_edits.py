"""The topology is edited between two commands (semantics, Across processes 4)."""

from tests.scenarios.across.ground import Ground
from tests.scenarios.shop import TOPOLOGY

MOVED = TOPOLOGY.replace("primary.db", "elsewhere.db")
SLOWER = TOPOLOGY.replace("interval: 30s", "interval: 40s")
ALONE = """\
name: shop
connections:
  primary: {url: "sqlite:///primary.db"}
  replica: {url: "sqlite:///replica.db"}
failover: {primary: replica}
circuit_breaker: BREAKER
"""


def test_another_url_is_another_server_with_a_fresh_circuit(shop: Ground) -> None:
    shop.create("elsewhere")
    shop.take_away("primary")
    assert shop.statuses(1) == [("open", "replica")]
    shop.write(text=MOVED)
    last = shop.connection("primary", "--last")
    assert (last["health"], last["circuit"]["state"], last["error"]) == ("unknown", "closed", None)
    assert shop.object("exec", "primary", "SELECT name FROM who")["rows"] == [["elsewhere"]]
    assert shop.statuses(2) == [("closed", "primary")] * 2
    assert shop.circuits() == ["circuit:open health-check-failed", "failover", "recovery"]


def test_another_threshold_starts_the_count_anew(shop: Ground) -> None:
    shop.write(breaker="{threshold: 2, reset_timeout: 1h}")
    shop.tear("primary")
    shop.fails()
    shop.write(breaker="{threshold: 3, reset_timeout: 1h}")
    shop.fails(2)
    assert (shop.saved("primary")["state"], shop.saved("primary")["failures"]) == ("closed", 2)
    shop.fails()
    assert shop.saved("primary")["state"] == "open"
    shop.write(breaker="{threshold: 3, reset_timeout: 2h}")
    assert shop.circuit("primary")["state"] == "closed"
    assert shop.served() == "primary"


def test_another_interval_is_the_same_connection(shop: Ground) -> None:
    shop.take_away("primary")
    assert shop.statuses(1) == [("open", "replica")]
    shop.write(text=SLOWER)
    assert shop.circuit("primary")["state"] == "open"
    assert shop.connection("primary", "--last")["health"] == "unhealthy"


def test_a_hold_stays_with_who_why_and_until_when(shop: Ground) -> None:
    shop.create("elsewhere")
    shop.run("circuit", "open", "primary", "--for", "1h", "--reason", "new disk")
    before = shop.circuit("primary")
    for text, breaker in ((MOVED, "{threshold: 9}"), (TOPOLOGY, "false"), (TOPOLOGY, "{threshold: 4}")):
        shop.write(text=text, breaker=breaker)
        after = shop.circuit("primary")
        assert {**after, "opened_at": None} == {**before, "opened_at": None}
        assert shop.statuses(1) == [("open", "replica")]
    assert shop.code("exec", "primary", "SELECT 1", "--no-failover") == 20
    shop.run("circuit", "close", "primary")
    assert shop.served() == "primary"


def test_a_hold_with_a_time_ends_after_an_edit_too(shop: Ground) -> None:
    shop.run("circuit", "open", "primary", "--for", "500ms")
    shop.write(breaker="{threshold: 9}")
    shop.outlast("primary")
    assert shop.statuses(3)[-1] == ("closed", "primary")
    assert shop.circuits()[-2:] == ["circuit:close health-recovered", "recovery"]


def test_one_that_is_left_out_for_a_while_keeps_its_hold(shop: Ground) -> None:
    shop.run("circuit", "open", "archive", "--reason", "old disk")
    shop.write(text=ALONE)
    assert [one["name"] for one in shop.object("status")["connections"]] == ["primary", "replica"]
    shop.write()
    assert shop.circuit("archive")["reason"] == "old disk"


def test_another_order_of_backups_serves_from_the_next_command_on(shop: Ground) -> None:
    shop.run("circuit", "open", "primary")
    assert shop.statuses(1) == [("open", "replica")]
    shop.write(failover="{primary: [archive, replica]}")
    assert shop.served() == "archive"
    assert shop.statuses(1) == [("open", "archive")]
    shop.write(failover="{}")
    assert shop.statuses(1) == [("open", None)]
    assert shop.code("exec", "primary", "SELECT 1") == 20
    assert shop.circuits()[1:] == ["failover", "failover", "no-route"]
