"""`fall` and `rise` count over commands, each a process of its own (semantics, Health 4)."""

import re
from typing import Any

import pytest

from tests.scenarios.across.ground import PAIR, WHO, Ground

COUNTED = """\
name: shop
connections:
  primary: {url: "sqlite:///primary.db"}
  replica: {url: "sqlite:///replica.db"}
failover: FAILOVER
health_check: {interval: 30s, timeout: 2s, rise: 2, fall: 3}
circuit_breaker: BREAKER
"""


@pytest.fixture
def shop(shop: Ground) -> Ground:
    shop.write(text=COUNTED, failover=PAIR, breaker="{reset_timeout: 1h}")
    return shop


def counted(shop: Ground) -> tuple[str, str | None]:
    """What a check finds, with the count at the end of its error."""
    return _counted(shop.connection("primary"))


def _counted(one: dict[str, Any]) -> tuple[str, str | None]:
    count = re.search(r"\((\d of \d \w+ checks)\)$", one["error"]["message"]) if one["error"] else None
    return one["health"], count and count[1]


def down(shop: Ground) -> None:
    shop.run("status")
    shop.take_away("primary")
    assert [counted(shop)[0] for _ in range(3)] == ["degraded", "degraded", "unhealthy"]


def test_failed_checks_are_degraded_with_their_count_until_they_are_enough(shop: Ground) -> None:
    assert counted(shop) == ("healthy", None)
    shop.take_away("primary")
    assert counted(shop) == ("degraded", "1 of 3 failed checks")
    assert counted(shop) == ("degraded", "2 of 3 failed checks")
    assert shop.saved("primary")["state"] == "closed"
    assert shop.object("route", "primary", "--last")["serving"] == "primary"
    assert counted(shop) == ("unhealthy", None)
    assert shop.saved("primary")["reason"] == "health-check-failed"
    assert shop.told() == [
        *("health:healthy", "health:degraded", "health:unhealthy"),
        *("circuit:open health-check-failed", "failover"),
    ]


def test_what_fails_is_never_shown_healthy_nor_ended_with_0(shop: Ground) -> None:
    shop.run("status")
    shop.take_away("primary")
    for _ in range(4):
        shown = shop.run("status", "primary")
        line = next(line for line in shown.stdout.splitlines() if line.startswith("primary"))
        assert "healthy" not in line.replace("unhealthy", "")
        assert shown.returncode == 10


def test_one_passing_check_ends_a_count(shop: Ground) -> None:
    shop.run("status")
    for _ in range(2):
        shop.take_away("primary")
        assert [counted(shop)[1] for _ in range(2)] == ["1 of 3 failed checks", "2 of 3 failed checks"]
        shop.bring_back("primary")
        assert counted(shop) == ("healthy", None)
    assert shop.circuits() == []


def test_rising_keeps_the_last_failure_as_its_error_with_the_count(shop: Ground) -> None:
    down(shop)
    failure = shop.connection("primary", "--last")["error"]
    shop.bring_back("primary")
    rising = shop.connection("primary")
    assert (rising["health"], rising["circuit"]["state"]) == ("unhealthy", "open")
    assert rising["error"] == {**failure, "message": f"{failure['message']} (1 of 2 passing checks)"}
    assert shop.connection("primary", "--last")["error"] == rising["error"]
    assert counted(shop) == ("healthy", None)
    assert (shop.saved("primary")["state"], shop.saved("primary")["successes"]) == ("half-open", 1)
    assert counted(shop) == ("healthy", None)
    assert shop.saved("primary")["state"] == "closed"
    assert shop.circuits()[-2:] == ["circuit:close health-recovered", "recovery"]


def test_a_failure_while_it_rises_begins_anew(shop: Ground) -> None:
    down(shop)
    for _ in range(2):
        shop.bring_back("primary")
        assert counted(shop) == ("unhealthy", "1 of 2 passing checks")
        shop.take_away("primary")
        assert counted(shop)[0] == "unhealthy"
    assert shop.circuits() == ["circuit:open health-check-failed", "failover"]


def test_the_very_first_check_decides_at_once(shop: Ground) -> None:
    shop.take_away("primary")
    shop.run("status")
    assert shop.connection("primary", "--last")["health"] == "unhealthy"
    assert shop.connection("replica", "--last")["health"] == "healthy"
    assert shop.connection("primary", "--last")["route"]["serving"] == "replica"


def test_checks_of_status_watch_route_and_failed_connects_of_exec_all_count(shop: Ground) -> None:
    shop.run("status")
    shop.take_away("primary")
    assert shop.served() == "replica"
    assert _counted(shop.connection("primary", "--last")) == ("degraded", "1 of 3 failed checks")
    assert shop.object("route", "primary")["serving"] == "primary"
    assert _counted(shop.connection("primary", "--last")) == ("degraded", "2 of 3 failed checks")
    shop.run("watch", "--count", "1")
    assert shop.connection("primary", "--last")["health"] == "unhealthy"
    assert shop.object("exec", "primary", WHO)["served_by"] == "replica"


def test_unhealthy_and_degraded_never_come_without_an_error(shop: Ground) -> None:
    shop.run("status")
    seen = []
    for is_up in (False, True, False, False, False, True, True):
        here = shop.database("primary").exists()
        if here and not is_up:
            shop.take_away("primary")
        elif is_up and not here:
            shop.bring_back("primary")
        seen.append(shop.connection("primary"))
        seen.append(shop.connection("primary", "--last"))
    assert [one["health"] for one in seen if (one["error"] is None) != (one["health"] == "healthy")] == []
    assert {one["health"] for one in seen} == {"healthy", "degraded", "unhealthy"}
