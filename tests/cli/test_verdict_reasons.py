"""Exit codes 10 to 13 say their reason, and each reason says which connection."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from msgspec.structs import replace

from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.cli.verdict import finding, verdict
from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import ErrorView, RouteView, Snapshot
from omnidb_cli.output.views.finding import verdict_line
from tests.output.scenes import (
    NOW,
    ago,
    all_well,
    circuit,
    connection,
    dead_standby,
    fleet,
    held_reports,
    isolated,
    parted,
    shop,
    snapshot,
    unhealthy,
)

TOO_MANY = ErrorView("local", "too many open files")
NEVER = {"health": Health.UNKNOWN, "health_since": None, "checked_at": None}
OLD = connection("cache", checked_at=ago(3 * 3600))
OLDER = connection("orders", checked_at=ago(5 * 3600))
EARLY = connection("cache", checked_at=ago(-3600))
MAX_AGE = {name: timedelta(seconds=90) for name in ("cache", "orders")}
REPLICA = RouteView("replica", True, "", ())
OF_KINDS = snapshot(
    connection("a", route=REPLICA),
    connection("b", health=Health.DEGRADED, error=ErrorView("lag", "slow")),
    connection("c", circuit=circuit(CircuitState.OPEN)),
    connection("d", circuit=circuit(CircuitState.HALF_OPEN)),
    held_reports(),
)


@pytest.mark.parametrize(
    ("found", "max_age", "code", "reason"),
    [
        (all_well(), None, 0, ""),
        (snapshot(OLD), None, 0, ""),
        (snapshot(OLD), MAX_AGE, 12, 'evidence of "cache" is 3h old, older than 90s'),
        (
            snapshot(OLD, OLDER),
            MAX_AGE,
            12,
            'evidence of "cache" and "orders" is too old: that of "orders" is 5h old, older than 90s',
        ),
        (
            snapshot(OLD),
            {"cache": timedelta(seconds=120)},
            12,
            'evidence of "cache" is 3h old, older than 2m',
        ),
        (snapshot(EARLY), MAX_AGE, 12, 'evidence of "cache" is 1h ahead of this clock'),
        (snapshot(connection("a", **NEVER), unhealthy("b")), None, 12, 'never checked: "a"'),
        (snapshot(connection("a", health=Health.UNKNOWN)), None, 12, 'not checked since it was put back: "a"'),
        (
            snapshot(connection("a", error=TOO_MANY), connection("b", error=TOO_MANY), connection("c")),
            None,
            12,
            'this host could not check "a" and "b": too many open files',
        ),
        (
            snapshot(
                *(
                    connection(name, address=f"{name}.internal:1", error=ErrorView("local", f"{name}.internal:1: full"))
                    for name in ("primary", "replica")
                )
            ),
            None,
            12,
            'this host could not check "primary" and "replica": full',
        ),
        (
            isolated(),
            None,
            12,
            "this host may be isolated: every connection failed at once with a network error; "
            "check its own network first",
        ),
        (snapshot(unhealthy("a"), connection("b")), None, 11, '"a" is unserved: no eligible endpoint'),
        (
            fleet(40, broken=10),
            None,
            11,
            '"db-0003", "db-0007", "db-0011", "db-0015", "db-0019" and 5 others are unserved: no eligible endpoint',
        ),
        (
            OF_KINDS,
            None,
            10,
            'failed over: "a"; held: "reports"; degraded: "b"; circuit open: "c"; circuit half-open: "d"',
        ),
        (dead_standby(), None, 10, 'standby down: "replica"'),
        (
            parted(),
            None,
            13,
            'split brain: "primary" and "replica" both take writes since 07:28:00Z (primary at 1/2; replica at 2/3); '
            "hold one of them: omnidb circuit open primary",
        ),
    ],
)
def test_the_reason(found: Snapshot, max_age: Mapping[str, timedelta] | None, code: int, reason: str) -> None:
    said = verdict(found, max_age=max_age)
    assert (said.code, said.reason) == (code, reason)
    assert finding(found, max_age=max_age) is ExitCode.of(code)


def test_the_end_of_a_split_brain_to_hold_is_the_one_that_does_not_serve() -> None:
    primary, replica = parted().connections
    serves = replace(primary, route=RouteView("primary", False, "", ()))
    healthy = replace(parted(), connections=(serves, replica))
    assert verdict(healthy, program="omnidb -c x.yaml").reason.endswith("omnidb -c x.yaml circuit open replica")


@pytest.mark.parametrize("found", [shop(), dead_standby(), parted(), isolated(), fleet(9, broken=3), OF_KINDS])
def test_every_code_but_0_has_a_sentence(found: Snapshot) -> None:
    said = verdict(found)
    assert said.code >= 10
    assert said.reason


def test_only_what_goes_before_everything_else_has_a_headline() -> None:
    assert verdict(isolated()).headline == "this host may be isolated"
    assert verdict(parted()).headline == "split brain: primary and replica"
    assert [verdict(one).headline for one in (shop(), dead_standby(), all_well())] == [None] * 3


def test_a_standby_that_a_person_holds_is_held_and_not_down() -> None:
    held = circuit(CircuitState.OPEN, manual=True, opened_at=NOW)
    found = snapshot(connection("a"), unhealthy("b", circuit=held), standbys=("b",))
    assert verdict(found).reason == 'held: "b"'


def test_the_line_tells_a_code_that_fail_on_took_away() -> None:
    found = verdict(dead_standby())
    assert verdict_line(found, 10) == 'exit code 10: standby down: "replica"'
    assert verdict_line(found, 0) == 'exit code 0 by --fail-on, where it would be 10: standby down: "replica"'
    assert verdict_line(verdict(all_well()), 0) == ""
