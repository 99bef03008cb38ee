"""A watch beside other commands: its whole story, and its last line, agree with what is saved for everybody."""

import signal
from itertools import groupby

from tests.scenarios.across.ground import PAIR, WHO, Ground, in_order, one, stopped
from tests.scenarios.shop import until

HOLD_ENDS = [
    "circuit:open manual",
    "failover",
    "circuit:half-open hold-expired",
    "circuit:close health-recovered",
    "recovery",
]
THROUGH_A_HOLD = [
    *(("closed", 0, "primary"), ("open", 0, "replica")),
    *(("half-open", 0, "replica"), ("half-open", 1, "replica"), ("closed", 0, "primary")),
]
"""Every standing of primary on its way; some may pass between two lines, and none comes twice."""

OUTAGE_ENDS = [
    *("circuit:open health-check-failed", "failover"),
    *("circuit:half-open health-recovered", "circuit:close health-recovered", "recovery"),
]


def test_a_hold_ends_while_it_runs_and_the_circuit_closes_and_stays_closed(shop: Ground) -> None:
    watch = shop.watching()
    shop.run("circuit", "open", "primary", "--for", "700ms")
    watch.until(lambda one: one["circuit"]["manual"])
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    watch.read(20)
    assert in_order(watch.path(), THROUGH_A_HOLD)
    assert watch.path()[-1] == THROUGH_A_HOLD[-1]
    watch.end()
    assert shop.circuits() == HOLD_ENDS


def test_a_hold_ends_while_it_is_stopped(shop: Ground) -> None:
    watch = shop.watching()
    shop.run("circuit", "open", "primary", "--for", "700ms")
    watch.until(lambda one: one["circuit"]["manual"])
    watch.process.send_signal(signal.SIGSTOP)
    until(lambda: stopped(watch.process), "it is stopped")
    shop.outlast("primary")
    watch.process.send_signal(signal.SIGCONT)
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    watch.read(20)
    assert in_order(watch.path(), THROUGH_A_HOLD)
    assert watch.path()[-1] == THROUGH_A_HOLD[-1]
    watch.end()
    assert shop.circuits() == HOLD_ENDS


def test_others_close_it_while_it_is_stopped_and_it_leaves_that_so(shop: Ground) -> None:
    watch = shop.watching()
    shop.run("circuit", "open", "primary", "--for", "700ms")
    watch.until(lambda one: one["circuit"]["manual"])
    watch.process.send_signal(signal.SIGSTOP)
    until(lambda: stopped(watch.process), "it is stopped")
    shop.outlast("primary")
    assert shop.statuses(2) == [("half-open", "replica"), ("closed", "primary")]
    watch.process.send_signal(signal.SIGCONT)
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    watch.read(20)
    watch.end()
    assert shop.circuits() == HOLD_ENDS
    assert shop.served() == "primary"


def test_others_hold_it_while_it_is_stopped_and_it_does_not_undo_that(shop: Ground) -> None:
    watch = shop.watching()
    watch.process.send_signal(signal.SIGSTOP)
    until(lambda: stopped(watch.process), "it is stopped")
    shop.run("circuit", "open", "primary", "--reason", "new disk")
    held = shop.saved("primary")
    watch.process.send_signal(signal.SIGCONT)
    watch.until(lambda one: one["circuit"]["manual"])
    watch.read(10)
    watch.end()
    assert shop.saved("primary") == held
    assert shop.circuits() == HOLD_ENDS[:2]


def test_one_that_is_killed_in_an_outage_leaves_it_to_single_commands(shop: Ground) -> None:
    watch = shop.watching()
    shop.take_away("primary")
    watch.until(lambda one: one["route"]["serving"] == "replica")
    until(lambda: shop.saved("primary")["state"] == "open", "the outage is saved")
    watch.process.kill()
    watch.process.wait()
    assert shop.statuses(2) == [("open", "replica")] * 2
    assert shop.served() == "replica"
    shop.bring_back("primary")
    assert shop.statuses(3) == [("half-open", "replica"), ("closed", "primary"), ("closed", "primary")]
    assert shop.circuits() == OUTAGE_ENDS


def test_two_of_them_tell_one_story(shop: Ground) -> None:
    watches = [shop.watching(), shop.watching()]
    shop.take_away("primary")
    for watch in watches:
        watch.until(lambda one: one["circuit"]["state"] == "open")
    shop.bring_back("primary")
    for watch in watches:
        watch.until(lambda one: one["circuit"]["state"] == "closed")
        watch.read(10)
    for watch in watches:
        watch.end()
    assert shop.circuits() == OUTAGE_ENDS


def test_calls_of_others_open_it_and_their_trials_close_it_under_its_eyes(shop: Ground) -> None:
    shop.write(failover=PAIR, breaker="{threshold: 2, reset_timeout: 1s, half_open_successes: 2}")
    shop.tear("primary")
    watch = shop.watching()
    shop.fails(2)
    watch.until(lambda one: one["circuit"]["state"] == "open")
    watch.until(lambda one: one["circuit"]["state"] == "half-open")
    assert [shop.served() for _ in range(2)] == ["primary"] * 2
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    watch.read(10)
    states = [state for state, _, _ in watch.path()]
    assert [state for state, _ in groupby(states)] == ["closed", "open", "half-open", "closed"]
    watch.end()
    assert shop.circuits() == [
        *("circuit:open failure-threshold", "failover"),
        *("circuit:half-open reset-timeout-elapsed", "recovery", "circuit:close trials-succeeded"),
    ]


def test_a_hold_and_its_end_reach_one_that_checks_once_an_hour(shop: Ground) -> None:
    watch = shop.watching("--interval", "1h")
    shop.run("circuit", "open", "primary", "--for", "700ms")
    watch.until(lambda one: one["circuit"]["manual"])
    assert one(watch.seen[-1], "primary")["route"]["serving"] == "replica"
    watch.until(lambda one: one["circuit"]["state"] == "half-open")
    shop.statuses(2)
    watch.until(lambda one: one["circuit"]["state"] == "closed")
    watch.until(lambda one: one["route"]["serving"] == "primary")
    watch.end()
    assert shop.circuits() == HOLD_ENDS


def test_after_a_reset_of_the_state_health_is_fresh_soon(shop: Ground) -> None:
    watch = shop.watching("--interval", "1h")
    until(lambda: shop.state.exists() and shop.row("primary")["health"], "what it saw is saved")
    before = shop.connection("primary", "--last")["checked_at"]
    assert shop.code("state", "reset") == 0
    watch.until(lambda one: one["checked_at"] is not None and one["checked_at"] > before)
    until(lambda: shop.row("primary")["health"], "it is saved anew")
    assert shop.connection("primary", "--last")["health"] == "healthy"
    assert shop.code("exec", "primary", WHO) == 0
    watch.end()


def test_trouble_with_the_store_is_said_at_once_and_once_each_time(shop: Ground) -> None:
    shop.run("circuit", "open", "archive")
    whole = shop.state.read_bytes()
    watch = shop.watching("--interval", "1h")
    assert watch.process.stderr is not None
    for number in range(2):
        _replace(shop, b"not a database" * 1000)
        next(line for line in watch.process.stderr if "state not available" in line)
        _replace(shop, whole)
        shop.run("circuit", "open", "archive", "--reason", f"seen again {number}", "--replace")
        watch.until(lambda one: str(one["circuit"]["reason"]).startswith("seen again"), "archive")
        shop.run("circuit", "close", "archive")
        watch.until(lambda one: not one["circuit"]["manual"], "archive")
    watch.end()
    assert "state not available" not in watch.process.stderr.read()


def _replace(shop: Ground, content: bytes) -> None:
    """Puts another file in the place of the state, in one step."""
    for journal in ("-wal", "-shm"):
        shop.state.with_name(shop.state.name + journal).unlink(missing_ok=True)
    new = shop.state.with_suffix(".new")
    new.write_bytes(content)
    new.replace(shop.state)
