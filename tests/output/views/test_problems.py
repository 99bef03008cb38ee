"""What is said of a connection that is not well, and which command comes next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from omnidb_cli.core.circuit import CircuitState
from omnidb_cli.core.health import Health
from omnidb_cli.core.snapshot import Candidate, ConnectionSnapshot, ErrorView, RouteView, Snapshot, summarize
from omnidb_cli.output.views.problems import next_commands, problems
from tests.output.scenes import NOW, ago, all_well, broken_primary, circuit, connection, held_reports, shop

FAILED_LOOK = connection("db", error=ErrorView("timeout", "no answer in 5s."), health=Health.DEGRADED)
ELSEWHERE = RouteView("replica", True, "failback is manual: omnidb failback db", ())
NOBODY = RouteView(
    None, False, "", (Candidate("db", False, "circuit open"), Candidate("replica", False, "unhealthy: refused"))
)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            broken_primary(),
            "primary is unhealthy: connection refused; replica serves instead; "
            "its circuit stays open until a look at it is good.",
        ),
        (FAILED_LOOK, "db is degraded: no answer in 5s."),
        (connection("db", health=Health.UNKNOWN, checked_at=None), "db has never been looked at."),
        (
            connection("db", route=ELSEWHERE),
            "db could serve, but replica does (failback is manual: omnidb failback db).",
        ),
        (
            connection("db", circuit=circuit(CircuitState.OPEN, reason="failure-threshold"), route=NOBODY),
            "db has an open circuit (failure-threshold); nobody can serve it (replica: unhealthy: refused).",
        ),
        (
            connection("db", circuit=circuit(CircuitState.OPEN, manual=True, reason="manual", opened_at=ago(86_400))),
            "db is held out of rotation by hand since 2026-11-22 07:30:00 until somebody closes it.",
        ),
        (
            held_reports(),
            "reports is held out of rotation by anna@desk (kernel upgrade, back by eight) since 07:10:00 until "
            "07:40:00 UTC (10m left); nobody can serve it: it has no backup.",
        ),
    ],
)
def test_sentence(one: ConnectionSnapshot, sentence: str) -> None:
    assert [note.text for note in problems(one, NOW)] == [sentence]


def test_nothing_is_said_of_what_is_well() -> None:
    assert list(problems(connection("db"), NOW)) == []
    assert next_commands(all_well(), "omnidb") == []


def test_ages_and_waits_count_to_the_moment_of_the_drawing() -> None:
    waiting = circuit(CircuitState.OPEN, reason="trial-failed", retry_at=NOW + timedelta(seconds=12))
    later = NOW + timedelta(seconds=10)
    (note,) = problems(connection("db", circuit=waiting), later)
    assert "trial calls begin in 2s" in note.text


def snapshot(*connections: ConnectionSnapshot) -> Snapshot:
    return Snapshot("shop", NOW, summarize(connections), connections)


def commands(*connections: ConnectionSnapshot) -> list[str]:
    return [command.text for command in next_commands(snapshot(*connections), "omnidb -c x.yaml")]


def test_the_next_command() -> None:
    assert commands(broken_primary()) == ["omnidb -c x.yaml route primary", "omnidb -c x.yaml events --name primary"]
    assert commands(held_reports()) == ["omnidb -c x.yaml circuit close reports"]
    assert commands(connection("db", route=ELSEWHERE)) == ["omnidb -c x.yaml route db"]
    assert commands(connection("db", health=Health.UNKNOWN)) == ["omnidb -c x.yaml status"]


def test_what_nobody_serves_comes_before_what_a_backup_serves() -> None:
    unserved = connection("db", circuit=circuit(CircuitState.OPEN), route=NOBODY)
    assert commands(broken_primary(), unserved)[0] == "omnidb -c x.yaml route db"


def test_three_commands_are_enough() -> None:
    assert len(next_commands(shop(), "omnidb")) == 3
    assert len(next_commands(replace(shop(), topology=None), "omnidb")) == 3
