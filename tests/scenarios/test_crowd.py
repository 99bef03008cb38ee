"""Many processes at once over one topology, some of them killed: nothing is lost and nothing is torn."""

import itertools
import json
import random
import signal
import sqlite3
from contextlib import closing

from tests.scenarios.shop import Shop

CROWD = 40


def intact(shop: Shop) -> bool:
    with closing(sqlite3.connect(shop.state)) as db:
        return bool(db.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def test_forty_processes_that_open_close_and_execute_at_once(shop: Shop) -> None:
    acts = (
        ("circuit", "open", "primary", "--reason", "crowd", "--replace", "--force"),
        ("circuit", "close", "primary"),
        ("exec", "primary", "SELECT name FROM who", "-o", "json"),
        ("circuit", "open", "replica", "archive", "--replace", "--force"),
        ("circuit", "close", "replica", "archive"),
    )
    crowd = [shop.start(*act) for act, _ in zip(itertools.cycle(acts), range(CROWD), strict=False)]
    ended = [(process.args[3], *process.communicate(timeout=120), process.returncode) for process in crowd]
    assert {(code, said) for act, _, said, code in ended if act == "circuit"} == {(0, "")}
    assert {code for act, _, _, code in ended if act == "exec"} <= {0, 20}
    served = [json.loads(rows) for act, rows, _, code in ended if act == "exec" and code == 0]
    assert all(answer["rows"] == [[answer["served_by"]]] for answer in served)
    assert intact(shop)
    assert history_agrees(shop)


def test_processes_that_are_killed_in_the_middle_leave_the_state_whole(shop: Shop) -> None:
    shop.run("circuit", "open", "archive")
    dice = random.Random(7)
    for name in ("primary", "replica"):
        hold = ("circuit", "open", name, "--replace", "--force")
        crowd = [shop.start(*act) for act in (hold, ("circuit", "close", name)) for _ in range(5)]
        for process in dice.sample(crowd, 6):
            process.send_signal(signal.SIGKILL)
        for process in crowd:
            process.communicate(timeout=120)
            assert process.returncode in {0, -signal.SIGKILL}
    assert intact(shop)
    assert shop.circuit("archive")["manual"]
    assert history_agrees(shop)
    assert shop.code("circuit", "open", "primary", "--force") == 0
    assert shop.circuit("primary")["manual"]


def history_agrees(shop: Shop) -> bool:
    """Opening and closing take turns in the history of each circuit, and its end is how the circuit stands."""
    events = shop.object("events")["events"]
    for circuit in shop.object("circuit", "list")["circuits"]:
        turns = [one["type"] for one in events if one["name"] == circuit["name"] and one["type"].startswith("circuit:")]
        if any(earlier == later for earlier, later in itertools.pairwise(turns)):
            return False
        if (turns[-1:] == ["circuit:open"]) != circuit["circuit"]["manual"]:
            return False
    return True
