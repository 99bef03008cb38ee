"""Failing calls open a circuit, time half-opens it and calls close it: each call a process of its own."""

import json
import signal

import pytest

from tests.scenarios.across.ground import FOREVER, WHO, Ground, locked, waits_for

OPENED = ["circuit:open failure-threshold", "failover"]
TRIED = ["circuit:half-open reset-timeout-elapsed", "recovery"]
CLOSED = "circuit:close trials-succeeded"


def breaker(shop: Ground, reset_timeout: str) -> None:
    shop.write(breaker=f"{{threshold: 2, reset_timeout: {reset_timeout}, half_open_successes: 2}}")


@pytest.fixture
def tripped(shop: Ground) -> Ground:
    """Two calls to primary failed and opened its circuit; its wait is over, and nobody has run since."""
    breaker(shop, "300ms")
    shop.tear("primary")
    shop.fails(2)
    shop.outlast("primary")
    return shop


@pytest.fixture
def half_open(tripped: Ground) -> Ground:
    """One trial call went well."""
    assert tripped.served() == "primary"
    assert tripped.saved("primary")["state"] == "half-open"
    return tripped


def test_failures_of_several_commands_add_up_and_a_success_between_clears_them(shop: Ground) -> None:
    breaker(shop, "1h")
    shop.tear("primary")
    shop.fails()
    assert (shop.saved("primary")["state"], shop.saved("primary")["failures"]) == ("closed", 1)
    assert shop.served() == "primary"
    assert shop.saved("primary")["failures"] == 0
    shop.fails(2)
    assert shop.saved("primary")["state"] == "open"
    assert shop.code("exec", "primary", WHO, "--no-failover") == 20
    assert shop.served() == "replica"
    assert shop.circuits() == OPENED


def test_two_good_trials_close_it_and_it_stays_closed(tripped: Ground) -> None:
    served = [(tripped.served(), tripped.saved("primary")["state"]) for _ in range(4)]
    assert served == [("primary", "half-open")] + [("primary", "closed")] * 3
    assert tripped.saved("primary")["failures"] == 0
    assert tripped.circuits() == [*OPENED, *TRIED, CLOSED]


def test_passing_checks_prove_nothing_about_calls(tripped: Ground) -> None:
    assert tripped.statuses(3) == [("half-open", "primary")] * 3
    assert tripped.object("route", "primary")["serving"] == "primary"
    assert (tripped.saved("primary")["state"], tripped.saved("primary")["successes"]) == ("half-open", 0)
    assert tripped.circuits() == [*OPENED, *TRIED]


def test_a_failed_trial_doubles_the_wait_each_time_and_closing_resets_it(tripped: Ground) -> None:
    for times in (2, 4):
        tripped.fails()
        circuit = tripped.saved("primary")
        assert (circuit["state"], circuit["reason"]) == ("open", "trial-failed")
        assert 0.9 <= circuit["wait_s"] / (0.3 * times) <= 1.1
        tripped.outlast("primary")
    assert [tripped.served() for _ in range(2)] == ["primary"] * 2
    assert tripped.saved("primary")["state"] == "closed"
    tripped.fails(2)
    assert 0.9 <= tripped.saved("primary")["wait_s"] / 0.3 <= 1.1
    assert tripped.circuits().count("circuit:open trial-failed") == 2


def test_the_wait_stops_growing_at_its_limit(shop: Ground) -> None:
    shop.write(breaker="{threshold: 2, reset_timeout: 200ms, max_reset_timeout: 200ms}")
    shop.tear("primary")
    shop.fails(2)
    for _ in range(2):
        shop.outlast("primary")
        shop.fails()
    assert 0.9 <= shop.saved("primary")["wait_s"] / 0.2 <= 1.1


def test_two_trials_at_once_of_two_processes_both_count(tripped: Ground) -> None:
    assert tripped.at_once(("exec", "primary", WHO), ("exec", "primary", WHO)) == [0, 0]
    assert tripped.saved("primary")["state"] == "closed"
    assert tripped.circuits() == [*OPENED, *TRIED, CLOSED]


def test_failed_trials_at_once_reopen_it_once_and_the_next_call_is_refused(tripped: Ground) -> None:
    generation = tripped.saved("primary")["generation"]
    trial = ("exec", "primary", "INSERT INTO torn VALUES (2)", "--no-failover")
    with locked(tripped.database("primary"), "IMMEDIATE"):
        running = [tripped.start(*trial) for _ in range(2)]
        for process in running:
            waits_for(process, tripped.database("primary"))
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [21, 21]
    circuit = tripped.saved("primary")
    assert (circuit["state"], circuit["reason"], circuit["generation"]) == ("open", "trial-failed", generation + 2)
    assert 0.9 <= circuit["wait_s"] / 0.6 <= 1.1
    tripped.rewrite("primary", lambda row: row["circuit"].update(wait_s=3600.0))  # not over before the next line
    assert tripped.code(*trial) == 20


def test_a_trial_that_was_killed_keeps_no_permit_from_the_others(half_open: Ground) -> None:
    hanging = [half_open.start("exec", "primary", FOREVER) for _ in range(2)]
    for process in hanging:
        waits_for(process, half_open.database("primary"))
        process.kill()
        process.wait()
    assert half_open.served() == "primary"
    assert half_open.saved("primary")["state"] == "closed"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_trial_decides_nothing(half_open: Ground, how: signal.Signals) -> None:
    trial = half_open.start("exec", "primary", FOREVER)
    waits_for(trial, half_open.database("primary"))
    trial.send_signal(how)
    trial.wait()
    assert (half_open.saved("primary")["state"], half_open.saved("primary")["successes"]) == ("half-open", 1)
    assert half_open.served() == "primary"
    assert half_open.saved("primary")["state"] == "closed"


def test_a_typo_decides_nothing(half_open: Ground) -> None:
    assert [half_open.code("exec", "primary", "SELEC") for _ in range(3)] == [23] * 3
    assert (half_open.saved("primary")["state"], half_open.saved("primary")["successes"]) == ("half-open", 1)


def test_a_trial_that_ends_well_after_another_has_failed_counts_for_nothing(half_open: Ground) -> None:
    with locked(half_open.database("primary"), "IMMEDIATE"):
        late = half_open.start("exec", "primary", "INSERT INTO who VALUES ('late')", "-o", "json")
        waits_for(late, half_open.database("primary"))
        half_open.fails()
        half_open.outlast("primary")
        assert half_open.code("exec", "primary", WHO) == 0  # the first trial of a new half-open
    out, _ = late.communicate()
    assert (late.returncode, json.loads(out)["served_by"]) == (0, "primary")
    assert (half_open.saved("primary")["state"], half_open.saved("primary")["successes"]) == ("half-open", 1)
    assert half_open.circuits().count("circuit:open trial-failed") == 1


def test_a_connection_without_a_backup_gets_its_trials_too(shop: Ground) -> None:
    shop.write(failover="{}", breaker="{threshold: 1, reset_timeout: 200ms, half_open_successes: 1}")
    shop.tear("primary")
    shop.fails()
    shop.outlast("primary")
    assert [shop.code("exec", "primary", WHO) for _ in range(2)] == [0, 0]
    assert shop.saved("primary")["state"] == "closed"
    assert shop.circuits() == ["circuit:open failure-threshold", "no-route", *TRIED, CLOSED]
