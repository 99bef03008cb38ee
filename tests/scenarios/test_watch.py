"""`watch`, piped: rounds, changes between them, conditions, and other processes that change things meanwhile."""

import itertools
import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.scenarios.shop import PATIENCE_S, Shop, lines

Line = dict[str, Any]


def one(line: Line, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in line["connections"] if one["name"] == name)
    return found


def first(stream: Iterator[Line], holds: Callable[[Line], bool], what: str) -> Line:
    """The first line of which it holds; the test's own time limit is the process's end."""
    for line in itertools.islice(stream, 2000):
        if holds(line):
            return line
    raise AssertionError(f"never shown: {what}")


@pytest.fixture
def watch(shop: Shop) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts a watch that ends by itself should a test wait in vain."""

    def start(*options: str) -> "subprocess.Popen[str]":
        interval = () if "--interval" in options else ("--interval", "100ms")
        return shop.start("watch", *interval, "--until", "primary=degraded", "--timeout", f"{PATIENCE_S}s", *options)

    return start


def test_a_line_is_the_object_of_status(shop: Shop) -> None:
    ended = shop.run("watch", "--count", "1", "--interval", "50ms")
    (line,) = map(json.loads, ended.stdout.splitlines())
    status = shop.object("status")
    assert line.keys() == status.keys()
    assert [one.keys() for one in line["connections"]] == [one.keys() for one in status["connections"]]
    assert line["schema"] == "omnidb.status/v1"


def test_it_counts_rounds(shop: Shop) -> None:
    ended = shop.run("watch", "--count", "3", "--interval", "1s")
    taken = [[one["checked_at"] for one in json.loads(line)["connections"]] for line in ended.stdout.splitlines()]
    assert len(taken) == 3
    assert all(a < b for earlier, later in itertools.pairwise(taken) for a, b in zip(earlier, later, strict=True))


@pytest.mark.parametrize("interval", ["1", "1s", "50ms", "0.05", "1m"])
def test_the_forms_of_an_interval(shop: Shop, interval: str) -> None:
    assert shop.code("watch", "--count", "1", "--interval", interval) == 0


def test_it_watches_the_named_ones_and_shows_no_others(shop: Shop) -> None:
    ended = shop.run("watch", "primary", "--count", "1")
    assert [one["name"] for one in json.loads(ended.stdout)["connections"]] == ["primary"]


@pytest.mark.parametrize("wanted", ["healthy", "recovery", "primary=healthy"])
def test_a_condition_that_is_true_at_the_start_counts(shop: Shop, wanted: str) -> None:
    assert len(shop.run("watch", "--until", wanted, "--timeout", "20s").stdout.splitlines()) == 1


def test_what_was_seen_before_it_began_fulfils_no_condition(shop: Shop) -> None:
    shop.run("status")
    shop.take_away("primary")
    ended = shop.run("watch", "--until", "healthy", "--timeout", "500ms", "--interval", "50ms")
    assert ended.returncode == 124
    assert all(one(json.loads(line), "primary")["health"] == "unhealthy" for line in ended.stdout.splitlines())


def test_it_waits_for_a_failover_and_for_the_recovery(shop: Shop) -> None:
    shop.write(breaker="{reset_timeout: 1s, half_open_successes: 1}")
    waits = shop.start("watch", "--interval", "50ms", "--until", "failover", "--timeout", f"{PATIENCE_S}s")
    next(lines(waits))
    shop.take_away("primary")
    *_, last = lines(waits)
    assert waits.wait() == 0
    assert one(last, "primary")["route"]["serving"] == "replica"
    waits = shop.start("watch", "--interval", "50ms", "--until", "recovery", "--timeout", f"{PATIENCE_S}s")
    next(lines(waits))
    shop.bring_back("primary")
    *_, last = lines(waits)
    assert waits.wait() == 0
    assert one(last, "primary")["route"]["serving"] == "primary"
    assert [event for event in shop.events() if "connected" not in event][-3:] == [
        "circuit:half-open primary",
        "circuit:close primary",
        "recovery primary",
    ]


def test_time_runs_out(shop: Shop) -> None:
    assert shop.code("watch", "--until", "primary=unhealthy", "--timeout", "200ms", "--interval", "50ms") == 124


def test_what_another_process_does_is_shown_between_two_checks(shop: Shop, watch: Callable[..., Any]) -> None:
    seen = lines(watch("--interval", "1h"))
    next(seen)
    shop.run("circuit", "open", "primary", "--reason", "new disk")
    held = first(seen, lambda line: one(line, "primary")["circuit"]["manual"], "the hold")
    assert one(held, "primary")["circuit"]["reason"] == "new disk"
    assert one(held, "primary")["route"]["serving"] == "replica"
    shop.run("circuit", "close", "primary")
    first(seen, lambda line: not one(line, "primary")["circuit"]["manual"], "the end of the hold")


def test_a_hold_is_seen_through_a_storm_of_checks(shop: Shop, watch: Callable[..., Any]) -> None:
    seen = lines(watch("--interval", "1ms"))
    next(seen)
    for _ in range(3):
        shop.run("circuit", "open", "primary")
        first(seen, lambda line: one(line, "primary")["circuit"]["manual"], "the hold")
        shop.run("circuit", "close", "primary")
        first(seen, lambda line: not one(line, "primary")["circuit"]["manual"], "the end of the hold")


def test_another_interval_makes_no_other_connection_of_it(shop: Shop) -> None:
    """The saved state belongs to the topology's settings, not to how often somebody watches."""
    shop.run("status")
    shop.run("watch", "--interval", "77ms", "--count", "1")
    shop.run("status")
    assert sorted(event for event in shop.events() if event.startswith("health")) == [
        f"health:changed {name}" for name in ("archive", "primary", "replica")
    ]


def test_a_reset_of_the_state_ends_every_hold(shop: Shop, watch: Callable[..., Any]) -> None:
    shop.run("circuit", "open", "primary")
    seen = lines(watch("--interval", "100ms"))
    assert one(next(seen), "primary")["circuit"]["manual"]
    shop.run("state", "reset")
    first(seen, lambda line: not one(line, "primary")["circuit"]["manual"], "the end of the hold")
    shop.run("circuit", "open", "replica")
    first(seen, lambda line: one(line, "replica")["circuit"]["manual"], "a hold after the reset")


def test_trouble_with_the_store_is_said_and_watching_goes_on(shop: Shop, watch: Callable[..., Any]) -> None:
    shop.run("circuit", "open", "archive")
    whole = shop.state.read_bytes()
    shop.state.write_bytes(b"not a database" * 1000)
    process = watch()
    seen = lines(process)
    next(seen)
    assert process.stderr.readline().startswith("warning: state not available")
    shop.take_away("primary")
    first(seen, lambda line: one(line, "primary")["route"]["serving"] == "replica", "the failover")
    shop.state.unlink()
    shop.state.write_bytes(whole)
    first(seen, lambda line: one(line, "archive")["circuit"]["manual"], "the hold, once it can be read")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE_S) == 143
    assert "circuit:open primary" in shop.events()


def test_a_locked_store_holds_up_no_check(shop: Shop, watch: Callable[..., Any]) -> None:
    shop.run("status")
    seen = lines(watch())
    next(seen)
    db = sqlite3.connect(shop.state, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    shop.take_away("primary")
    first(seen, lambda line: one(line, "primary")["health"] == "unhealthy", "what was seen meanwhile")
    db.execute("ROLLBACK")
    db.close()


def test_what_is_dead_delays_nobody(shop: Shop, watch: Callable[..., Any]) -> None:
    """A locked database answers no check before its time limit; the others are checked again and again."""
    db = sqlite3.connect(shop.database("primary"), isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    seen = lines(watch())
    checked = {one(line, "replica")["checked_at"] for line in itertools.islice(seen, 5)}
    assert len(checked) > 1
    first(seen, lambda line: one(line, "primary")["health"] == "unhealthy", "the dead one")
    db.close()
