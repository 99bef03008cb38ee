"""What is said of a connection that is not well, and which command comes next."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import Candidate, ConnectionSnapshot, ErrorView, RouteView, Snapshot
from omnidb_cli.output.views.problems import next_commands, problems
from tests.output.scenes import (
    NOW,
    ago,
    all_well,
    broken_primary,
    circuit,
    connection,
    dead_standby,
    held_reports,
    parted,
    shop,
    snapshot,
    unhealthy,
)

FAILED_CHECK = connection("db", error=ErrorView("timeout", "no answer in 5s."), health=Health.DEGRADED)
ELSEWHERE = RouteView("replica", True, "failback is manual: omnidb failback db", ())
NOBODY = RouteView(
    None, False, "", (Candidate("db", False, "circuit open"), Candidate("replica", False, "unhealthy: refused"))
)


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            broken_primary(),
            "primary is unhealthy since 07:29 UTC (41s): connection refused; replica serves instead; "
            "the circuit stays open until a check passes.",
        ),
        (FAILED_CHECK, "db is degraded since 05:30 UTC (2h): no answer in 5s."),
        (connection("db", health=Health.UNKNOWN, checked_at=None), "db has never been checked."),
        (
            connection("db", route=ELSEWHERE),
            "db could serve, but replica does (failback is manual: omnidb failback db).",
        ),
        (
            connection("db", circuit=circuit(CircuitState.OPEN, reason="failure-threshold"), route=NOBODY),
            "db has an open circuit (failure-threshold); no eligible endpoint (replica: unhealthy: refused).",
        ),
        (
            connection("db", circuit=circuit(CircuitState.OPEN, manual=True, reason="manual", opened_at=ago(86_400))),
            "db is held out of rotation by hand since 2026-11-22 07:30:00 UTC until it is closed by hand.",
        ),
        (
            held_reports(),
            "reports is held out of rotation by anna@desk (kernel upgrade, back by eight) since 07:10:00 UTC until "
            "07:40:00 UTC (10m left); no eligible endpoint (it has no backup).",
        ),
    ],
)
def test_sentence(one: ConnectionSnapshot, sentence: str) -> None:
    assert [note.text for note in problems(snapshot(one), NOW)] == [sentence]


def test_nothing_is_said_of_what_is_well() -> None:
    assert problems(snapshot(connection("db")), NOW) == []
    assert next_commands(all_well(), "omnidb") == []


def test_ages_and_waits_count_to_the_moment_of_the_drawing() -> None:
    waiting = circuit(CircuitState.OPEN, reason="trial-failed", retry_at=NOW + timedelta(seconds=12))
    later = NOW + timedelta(seconds=10)
    (note,) = problems(snapshot(connection("db", circuit=waiting)), later)
    assert "trial calls begin in 2s" in note.text


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


def refused(name: str, **fields: object) -> ConnectionSnapshot:
    message = f"{name}.internal:5432: connection refused"
    return unhealthy(name, **{"error": ErrorView("refused", message), **fields})


def told(*connections: ConnectionSnapshot, standbys: tuple[str, ...] = ()) -> list[tuple[str, tuple[str, ...]]]:
    return [(note.text, note.names) for note in problems(snapshot(*connections, standbys=standbys), NOW)]


def test_connections_with_the_same_trouble_share_one_sentence() -> None:
    """Whatever their messages say of their own host, port and name."""
    (shared,) = told(refused("alpha"), connection("well"), refused("beta"), refused("gamma"))
    assert shared == (
        "3 connections are unhealthy since 07:27 UTC (3m): connection refused; no eligible endpoint; "
        "the circuit stays open until a check passes",
        ("alpha", "beta", "gamma"),
    )


def test_two_keep_a_sentence_each_with_its_details() -> None:
    assert [names for _, names in told(refused("alpha"), refused("beta"))] == [(), ()]


@pytest.mark.parametrize(
    "other",
    [
        refused("gamma", error=ErrorView("refused", "too many clients")),
        refused("gamma", error=ErrorView("reset", "gamma.internal:5432: connection refused")),
        refused("gamma", health=Health.DEGRADED),
        refused("gamma", route=RouteView("alpha", True, "", ())),
        refused("gamma", circuit=circuit(CircuitState.HALF_OPEN)),
        refused("gamma", circuit=circuit(CircuitState.OPEN, manual=True, actor="anna")),
    ],
)
def test_what_differs_is_told_apart(other: ConnectionSnapshot) -> None:
    assert len(told(refused("alpha"), refused("beta"), other)) == 3


def test_a_standby_does_not_hide_among_what_is_unserved() -> None:
    assert len(told(refused("alpha"), refused("beta"), refused("gamma"), standbys=("gamma",))) == 3


def test_measurements_do_not_keep_the_same_trouble_apart() -> None:
    def lagging(name: str, seconds: float) -> ConnectionSnapshot:
        error = ErrorView("lag", f"replication lag {seconds:.1f}s is above max_lag 10s")
        return connection(name, health=Health.DEGRADED, health_since=ago(60 * seconds), error=error)

    (shared,) = told(lagging("a", 31), lagging("b", 12.5), lagging("c", 40))
    assert shared[0] == (
        "3 connections are degraded, the first since 06:50 UTC (40m): replication lag …s is above max_lag …s"
    )


def test_backups_are_named_where_they_are_one_and_the_same() -> None:
    def on(backup: str, name: str) -> ConnectionSnapshot:
        return refused(name, route=RouteView(backup, True, "", ()))

    assert "; spare serves instead;" in told(*(on("spare", name) for name in "abc"))[0][0]
    assert "; backups serve instead;" in told(*(on(f"{name}2", name) for name in "abc"))[0][0]


def test_the_worst_comes_first() -> None:
    texts = [text for text, _ in told(held_reports(), FAILED_CHECK, broken_primary(), refused("orders"))]
    assert [text.split()[0] for text in texts] == ["orders", "primary", "db", "reports"]


def test_a_standby_that_is_down_says_for_whom_it_stands_by() -> None:
    (note,) = problems(dead_standby(), NOW)
    assert "; a standby for primary; " in note.text
    assert commands_of(dead_standby()) == ["omnidb events --name replica"]


def test_a_check_that_this_host_could_not_make_is_said_of_a_healthy_one_too() -> None:
    (note,) = problems(snapshot(connection("db", error=ErrorView("local", "too many open files"))), NOW)
    assert (note.mark.text, note.text) == ("?", "db could not be checked from this host: too many open files.")


def test_a_split_brain_comes_with_the_command_that_holds_one_end() -> None:
    assert commands_of(parted())[0] == "omnidb circuit open primary"


def test_old_evidence_asks_for_a_check() -> None:
    assert [one.text for one in next_commands(all_well(), "omnidb", is_stale=True)] == ["omnidb status"]


def commands_of(found: Snapshot) -> list[str]:
    return [command.text for command in next_commands(found, "omnidb")]
