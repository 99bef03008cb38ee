"""The faces of `watch` that write lines."""

import json

from omnidb_cli.cli.commands.watch.displays import JsonLinesDisplay, Shown, TextDisplay
from omnidb_cli.cli.verdict import verdict
from omnidb_cli.core.events.model import Event, EventType
from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.streams import Streams
from tests.output.scenes import NOW, ago, all_well, broken_primary, connection, isolated, snapshot, streams

WENT_DOWN = Event(
    EventType.HEALTH_CHANGED, "primary", ago(41), previous="healthy", current="unhealthy", error="refused"
)
FAILED_OVER = Event(EventType.FAILOVER, "primary", ago(41), primary="primary", backup="replica")
CAME = Event(EventType.CONNECTED, "primary", ago(41))
BROKEN = snapshot(broken_primary(), connection("replica"))


def shown(of: Snapshot, rounds: int, *events: Event, stale: str | None = None) -> Shown:
    return Shown(of, list(events), verdict(of), rounds, 1.0, stale)


class Reader:
    """What was written since it was asked last."""

    def __init__(self, to: Streams) -> None:
        self._to, self._read = to, 0

    def __call__(self) -> list[str]:
        text = self._to.out.getvalue()  # type: ignore[attr-defined]
        new, self._read = text[self._read :], len(text)
        return new.splitlines()


def plain() -> tuple[TextDisplay, Reader]:
    to = streams(terminal=True, env={"TERM": "dumb"})
    return TextDisplay(to), Reader(to)


def test_a_plain_watch_begins_with_the_counts_and_what_is_not_well() -> None:
    face, read = plain()
    face.show(shown(BROKEN, 1))
    counts, trouble = read()
    assert counts == "2026-11-23 07:30:00 UTC: shop · 2 connections · 1 unhealthy · 1 failed over · 1 healthy"
    assert trouble.startswith(
        "✗ primary is unhealthy since 07:29 UTC (41s): connection refused; replica serves instead"
    )


def test_rounds_that_find_nothing_new_say_nothing() -> None:
    face, read = plain()
    face.show(shown(all_well(), 1))
    assert len(read()) == 1
    for rounds in (1, 2, 3):
        face.show(shown(all_well(), rounds, CAME))
    assert read() == []


def test_each_change_is_a_line_and_a_round_has_one_summary() -> None:
    face, read = plain()
    face.show(shown(all_well(), 1))
    read()
    face.show(shown(BROKEN, 1, WENT_DOWN))
    assert [line.split("  ")[1:] for line in read()] == [
        ["primary", "health:changed", "healthy → unhealthy: refused"],
    ]
    face.show(shown(BROKEN, 2, FAILED_OVER))
    change, counts = read()
    assert change.split("  ")[1:] == ["primary", "failover", "replica serves instead"]
    assert counts.endswith("shop · 2 connections · 1 unhealthy · 1 failed over · 1 healthy")
    face.show(shown(BROKEN, 3))
    assert read() == []


def test_an_alarm_is_said_once_and_again_when_it_comes_back() -> None:
    face, read = plain()
    face.show(shown(isolated(), 1, stale="state not available"))
    alarms = [line for line in read() if line.startswith("✗ ") and "3 connections" not in line]
    assert [alarm[:24] for alarm in alarms] == ["✗ this host may be isola", "✗ state not available"]
    face.show(shown(isolated(), 2, stale="state not available"))
    assert read() == []
    face.show(shown(isolated(), 3))
    assert read() == ["✓ state available again"]
    face.show(shown(isolated(), 4, stale="state not available"))
    assert read() == ["✗ state not available"]


def test_it_ends_with_the_counts_that_were_not_told_yet_and_how() -> None:
    face, read = plain()
    face.show(shown(all_well(), 1))
    face.show(shown(BROKEN, 1, FAILED_OVER))
    read()
    face.ended("until failover: met after 12s")
    counts, how = read()
    assert "1 failed over" in counts
    assert how == "until failover: met after 12s"


def test_programs_get_the_objects_and_nothing_else() -> None:
    to = streams("json")
    face = JsonLinesDisplay(to)
    face.show(shown(BROKEN, 1, FAILED_OVER, stale="state not available"))
    face.show(shown(BROKEN, 2, stale="state not available"))
    face.ended("until failover: met after 12s")
    assert [json.loads(line)["schema"] for line in to.out.getvalue().splitlines()] == ["omnidb.status/v1"] * 2
    assert to.err.getvalue().count("state not available") == 1
    assert json.loads(to.out.getvalue().splitlines()[0])["taken_at"].startswith(NOW.strftime("%Y-%m-%dT%H:%M"))
