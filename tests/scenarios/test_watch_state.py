"""A watch and its saved state: trouble is said at once and so is its end, and a reset is noticed between two checks."""

import itertools
import sqlite3
import subprocess
from contextlib import closing
from typing import Any

from tests.scenarios.shop import PATIENCE_S, TOPOLOGY, Shop, lines, until

ENDING = ("--until", "primary=degraded", "--timeout", f"{PATIENCE_S}s")
"""So that a watch ends by itself, should a test wait in vain."""

GARBAGE = b"not a database" * 1000


def said(watch: "subprocess.Popen[str]") -> str:
    """The next line on its stderr; empty when it has ended."""
    assert watch.stderr is not None
    return watch.stderr.readline()


def checked(line: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["checked_at"] for one in line["connections"]}


def test_trouble_is_said_before_the_first_round_is_over(shop: Shop) -> None:
    """A connection that hangs keeps the first line back, but not the news that holds are not seen."""
    shop.write(text=TOPOLOGY.replace("timeout: 20s", "timeout: 10m"))
    shop.run("circuit", "open", "archive")
    shop.state.write_bytes(GARBAGE)
    with closing(sqlite3.connect(shop.database("primary"), isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        watch = shop.start("watch", "--interval", "1h", *ENDING)
        assert said(watch).startswith("warning: state not available: ")


def test_the_end_of_trouble_is_said_between_two_rounds(shop: Shop) -> None:
    shop.run("circuit", "open", "archive")
    whole = shop.state.read_bytes()
    watch = shop.start("watch", "--interval", "1h", *ENDING)
    seen = lines(watch)
    next(seen)
    shop.state.write_bytes(GARBAGE)
    assert said(watch).startswith("warning: state not available: ")
    shop.state.unlink()
    shop.state.write_bytes(whole)
    assert said(watch) == "warning: state available again\n"


def test_a_store_that_does_not_answer_is_said_to(shop: Shop) -> None:
    shop.run("status")
    watch = shop.start("watch", "--interval", "100ms", *ENDING)
    next(lines(watch))
    with closing(sqlite3.connect(shop.state, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        assert said(watch) == "warning: state not available: it does not answer; circuits as last known\n"
        db.execute("ROLLBACK")
    assert said(watch) == "warning: state available again\n"


def test_after_a_reset_health_is_fresh_long_before_the_next_round(shop: Shop) -> None:
    """Although this watch alone has ever written that state."""
    watch = shop.start("watch", "--interval", "1h", *ENDING)
    seen = lines(watch)
    before = checked(next(seen))
    until(lambda: shop.object("state", "show")["connections"] == len(before), "it is saved")
    shop.run("state", "reset")
    for line in itertools.islice(seen, 100):
        now = checked(line)
        if all(at is not None and at > before[name] for name, at in now.items()):
            break
    else:
        raise AssertionError("never checked again")
