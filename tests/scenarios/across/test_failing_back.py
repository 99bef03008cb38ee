"""When a primary serves again, decided by commands each of which is a process of its own."""

import time

import pytest

from tests.scenarios.across.ground import PAIR, Ground, Host, in_order, one
from tests.scenarios.shop import until

LATER = "{primary: {to: [replica, archive], failback_after: AFTER}}"
MANUAL = "{primary: {to: replica, failback: manual}}"


def after(shop: Ground, failback_after: str) -> None:
    shop.write(failover=LATER.replace("AFTER", failback_after))


def recovered(shop: Ground) -> float:
    """Primary was held and is eligible again, and the replica serves; since when, as saved."""
    shop.run("status")
    shop.run("circuit", "open", "primary")
    shop.run("circuit", "close", "primary")
    assert shop.statuses(1) == [("closed", "replica")]
    since: float = shop.row("primary")["eligible_since"]
    return since


def test_it_counts_from_the_first_command_that_saw_it_well_whatever_comes_after(shop: Ground) -> None:
    after(shop, "1h")
    since = recovered(shop)
    assert time.time() - 60 < since < time.time()
    for command in (("status",), ("exec", "primary", "SELECT 1"), ("route", "primary"), ("watch", "--count", "1")):
        assert shop.code(*command) in {0, 10}
        assert shop.row("primary")["eligible_since"] == pytest.approx(since, abs=0.01)
    assert shop.row("primary")["serving"] == "replica"


def test_it_serves_again_when_that_time_is_over(shop: Ground) -> None:
    after(shop, "1s")
    shop.run("status")
    shop.run("circuit", "open", "primary")
    shop.run("circuit", "close", "primary")
    shop.run("status")
    time.sleep(1.1)
    assert shop.statuses(2) == [("closed", "primary")] * 2
    assert shop.row("primary")["eligible_since"] is None
    assert shop.circuits() == ["circuit:open manual", "failover", "circuit:close manual", "recovery"]


def test_a_move_to_another_backup_does_not_start_it_again(shop: Ground) -> None:
    after(shop, "1h")
    since = recovered(shop)
    shop.run("circuit", "open", "replica")
    assert shop.statuses(2) == [("closed", "archive")] * 2
    assert shop.row("primary")["eligible_since"] == pytest.approx(since, abs=0.01)
    shop.run("circuit", "close", "replica")
    shop.run("status")
    assert shop.row("primary")["eligible_since"] == pytest.approx(since, abs=0.01)


def test_a_break_does_start_it_again(shop: Ground) -> None:
    after(shop, "1h")
    since = recovered(shop)
    shop.take_away("primary")
    assert shop.statuses(1) == [("open", "replica")]
    assert shop.row("primary")["eligible_since"] is None
    shop.bring_back("primary")
    shop.statuses(2)
    again = shop.row("primary")["eligible_since"]
    assert again is not None
    assert again > since + 0.1


def test_a_watch_that_is_killed_hands_it_on(shop: Ground) -> None:
    after(shop, "1h")
    shop.run("circuit", "open", "primary")
    watch = shop.watching()
    shop.run("circuit", "close", "primary")
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    since = until(lambda: shop.row("primary")["eligible_since"], "it is saved since when it is well")
    watch.process.kill()
    watch.process.wait()
    shop.statuses(1)
    assert shop.row("primary")["eligible_since"] == pytest.approx(since, abs=0.01)
    shop.rewrite("primary", lambda row: row.update(eligible_since=since - 3601))  # an hour goes by
    assert shop.statuses(1) == [("closed", "primary")]


def test_a_clock_that_is_set_back_makes_it_wait_no_longer_than_the_whole_time(shop: Ground, host: Host) -> None:
    after(shop, "1s")
    host.jump(7200.0)
    shop.run("status")
    shop.run("circuit", "open", "primary")
    shop.run("circuit", "close", "primary")
    shop.run("status")
    host.jump(0.0)
    shop.run("status")
    time.sleep(1.1)
    assert shop.statuses(2) == [("closed", "primary")] * 2


def test_a_person_fails_it_back_for_everybody_and_is_named(shop: Ground) -> None:
    shop.write(failover=MANUAL)
    shop.run("status")
    shop.run("circuit", "open", "primary")
    actor = shop.saved("primary")["actor"]
    assert shop.code("failback", "primary") == 32  # held
    shop.run("circuit", "close", "primary")
    assert shop.statuses(2) == [("closed", "replica")] * 2
    watch = shop.watching()
    assert shop.code("failback", "primary") == 0
    watch.until(lambda one: one["route"]["serving"] == "primary")
    watch.end()
    assert shop.served() == "primary"
    assert shop.statuses(2) == [("closed", "primary")] * 2
    (recovery,) = shop.object("events", "--type", "recovery")["events"]
    assert (recovery["actor"], recovery["name"]) == (actor, "primary")
    assert "@" in actor


def test_a_new_outage_after_a_manual_failback_needs_a_new_word(shop: Ground) -> None:
    shop.write(failover=MANUAL, breaker="{half_open_successes: 1}")
    for _ in range(2):
        shop.take_away("primary")
        assert shop.statuses(1) == [("open", "replica")]
        shop.bring_back("primary")
        assert shop.statuses(2) == [("closed", "replica")] * 2
        assert shop.code("failback", "primary") == 0
        assert shop.served() == "primary"
    assert shop.told().count("recovery") == 2


def test_a_total_outage_ends_with_one_recovery(shop: Ground) -> None:
    shop.write(failover=PAIR)
    shop.run("status")
    shop.take_away("primary", "replica")
    assert shop.statuses(2) == [("open", None)] * 2
    shop.bring_back("primary", "replica")
    assert [serving for _, serving in shop.statuses(4)] == ["primary"] * 4
    assert shop.circuits().count("recovery") == 1
    assert "failover" not in shop.circuits()
    assert in_order(["no-route", "recovery"], shop.circuits())


def test_a_backup_that_is_proved_first_after_a_total_outage_takes_nothing_over(shop: Ground) -> None:
    shop.write(failover=PAIR)
    shop.take_away("primary", "replica")
    shop.run("status")
    shop.bring_back("primary", "replica")
    assert shop.statuses(1) == [("half-open", "primary")]
    shop.run("status", "replica")
    assert (shop.saved("replica")["state"], shop.saved("primary")["state"]) == ("closed", "half-open")
    assert shop.object("route", "primary", "--last")["serving"] == "primary"
    assert shop.statuses(2) == [("closed", "primary")] * 2
    assert "failover" not in shop.circuits()


def test_a_total_outage_under_a_watch_does_not_bounce(shop: Ground) -> None:
    shop.write(failover=PAIR)
    watch = shop.watching()
    with_none = [("primary", "replica"), ("replica", "primary")]
    for first, second in with_none:
        shop.take_away(first, second)
        watch.until(lambda one: one["route"]["serving"] is None)
        shop.bring_back(first, second)
        watch.until(lambda one: one["circuit"]["state"] == "closed")
        watch.until(lambda one: one["circuit"]["state"] == "closed", "replica")
        watch.until(lambda one: one["route"]["serving"] == "primary")
    watch.read(20)
    last = watch.seen[-1]
    assert one(last, "primary")["route"]["serving"] == "primary"
    watch.end()
    after_outages = [told for told in shop.circuits() if told in {"recovery", "no-route"}]
    assert after_outages == ["no-route", "recovery"] * 2
