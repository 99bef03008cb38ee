"""A hold whose time is up, in commands that come after its end, each a process of its own."""

import json
import signal
import time

import pytest

from tests.scenarios.across.ground import PAIR, WHO, Ground, in_order, locked, waits_for

HOLD = ("circuit", "open", "primary", "--for", "300ms")
ENDED = [
    "circuit:open manual",
    "failover",
    "circuit:half-open hold-expired",
    "circuit:close health-recovered",
    "recovery",
]


@pytest.fixture
def held(shop: Ground) -> Ground:
    """Primary was checked and then held; the hold is over, and nobody has run since."""
    shop.run("status")
    assert shop.code(*HOLD) == 0
    shop.outlast("primary")
    return shop


def test_two_passing_checks_close_it_and_it_stays_closed(held: Ground) -> None:
    assert held.statuses(4) == [("half-open", "replica"), *[("closed", "primary")] * 3]
    assert held.circuits() == ENDED
    assert held.saved("primary")["state"] == "closed"


def test_checks_that_are_written_down_late_count_too(held: Ground) -> None:
    for _ in range(2):
        with locked(held.state, "IMMEDIATE"):
            status = held.start("status")
            waits_for(status, held.state)
            time.sleep(0.5)  # much longer than the two clocks of a host may differ
        status.communicate()
    assert held.circuits() == ENDED


@pytest.mark.parametrize("command", [("exec", "primary", WHO), ("route", "primary")], ids=["exec", "route"])
def test_it_heals_by_exec_alone_and_by_route_alone(held: Ground, command: tuple[str, ...]) -> None:
    key = "served_by" if command[0] == "exec" else "serving"
    assert [held.object(*command)[key] for _ in range(3)] == ["replica", "primary", "primary"]
    assert held.circuits() == ENDED


def test_what_only_reads_says_half_open_and_writes_nothing(held: Ground) -> None:
    before = held.row("primary")
    listed = held.circuit("primary")
    assert (listed["state"], listed["reason"], listed["successes"]) == ("half-open", "hold-expired", 0)
    last = held.connection("primary", "--last")
    assert (last["circuit"]["state"], last["circuit"]["manual"], last["route"]["serving"]) == (
        *("half-open", False, "replica"),
    )
    assert held.object("route", "primary", "--last")["serving"] == "replica"
    assert held.row("primary") == before
    assert held.circuits() == ENDED[:2]


def test_a_server_that_died_meanwhile_is_kept_out_by_its_health(held: Ground) -> None:
    held.take_away("primary")
    assert held.statuses(2) == [("open", "replica")] * 2
    circuit = held.circuit("primary")
    assert (circuit["manual"], circuit["reason"], circuit["actor"]) == (False, "health-check-failed", None)
    held.bring_back("primary")
    assert held.statuses(3) == [("half-open", "replica"), ("closed", "primary"), ("closed", "primary")]
    assert in_order(["circuit:half-open hold-expired", "circuit:open health-check-failed", "recovery"], held.told())
    assert held.told().count("recovery") == 1


def test_good_calls_count_as_good_checks_do(shop: Ground) -> None:
    shop.write(breaker="{half_open_successes: 3}")
    shop.run("circuit", "open", "archive", "--for", "200ms")
    shop.outlast("archive")
    shop.run("exec", "archive", WHO)  # a check and a call
    assert (shop.saved("archive")["state"], shop.saved("archive")["successes"]) == ("half-open", 2)
    shop.run("status", "archive")
    assert shop.saved("archive")["state"] == "closed"


def test_with_circuits_off_it_serves_again_at_once(shop: Ground) -> None:
    shop.write(breaker="false")
    shop.run(*HOLD)
    shop.outlast("primary")
    assert shop.served() == "primary"
    assert shop.statuses(2) == [("disabled", "primary")] * 2
    assert not shop.circuit("primary")["manual"]


def test_two_commands_at_once_after_the_end_tell_it_once(held: Ground) -> None:
    assert held.at_once(*[("status", "--fail-on", "never")] * 3) == [0, 0, 0]
    assert held.statuses(2)[-1] == ("closed", "primary")
    assert held.circuits() == ENDED


def test_it_ends_during_an_exec_that_goes_on_where_it_runs(shop: Ground) -> None:
    shop.write(failover=PAIR)
    shop.run("status")
    shop.run("circuit", "open", "primary", "--for", "2s")
    with locked(shop.database("replica"), "IMMEDIATE"):
        insert = ("exec", "primary", "INSERT INTO who VALUES ('late')", "--allow-write-on-backup", "-o", "json")
        running = shop.start(*insert)
        waits_for(running, shop.database("replica"))
        shop.outlast("primary")
    out, _ = running.communicate()
    assert (running.returncode, json.loads(out)["served_by"]) == (0, "replica")
    assert shop.saved("replica")["state"] == "closed"
    assert shop.statuses(3)[-1] == ("closed", "primary")
    assert shop.circuits() == ENDED


def test_one_that_was_killed_during_its_hold_leaves_it_to_the_others(shop: Ground) -> None:
    shop.run("status")
    watch = shop.watching()
    shop.run("circuit", "open", "primary", "--for", "1s")
    watch.until(lambda one: one["circuit"]["manual"])
    watch.process.send_signal(signal.SIGKILL)
    watch.process.wait()
    shop.outlast("primary")
    assert shop.statuses(3)[-1] == ("closed", "primary")
    assert [one for one in shop.circuits() if "connected" not in one] == ENDED
