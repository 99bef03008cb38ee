"""What a status amounts to, case by case."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.cli.verdict import FailOn, as_asked, finding, host_may_be_isolated
from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import (
    CircuitView,
    ConnectionSnapshot,
    ErrorView,
    RoleView,
    RouteView,
    Snapshot,
    SplitBrain,
    assemble,
)

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def connection(
    name: str = "a",
    *,
    health: Health = Health.HEALTHY,
    circuit: CircuitState = CircuitState.CLOSED,
    manual: bool = False,
    serving: str | None = "itself",
    age_s: float = 1.0,
    error: str | None = None,
    address: str = "one.internal:5432/app",
) -> ConnectionSnapshot:
    serving = name if serving == "itself" else serving
    return ConnectionSnapshot(
        name,
        "postgresql",
        address,
        (),
        health,
        None,
        1.0,
        NOW - timedelta(seconds=age_s),
        ErrorView(error, "no") if error else None,
        RoleView(None, None),
        None,
        CircuitView(circuit, manual, None, None, 0, 0, None, None, None),
        RouteView(serving, serving not in {None, name}, "", ()),
    )


def snapshot(*connections: ConnectionSnapshot, standbys: str = "", split: bool = False) -> Snapshot:
    splits = (SplitBrain("well", "well", "b", (), NOW, "split brain"),) if split else ()
    return assemble("shop", NOW, connections, frozenset(standbys.split()), splits)


WELL = connection("well")
CASES = (
    ("well", (WELL,), ExitCode.DONE),
    ("circuits turned off", (connection(circuit=CircuitState.DISABLED),), ExitCode.DONE),
    ("degraded", (connection(health=Health.DEGRADED), WELL), ExitCode.DEGRADED),
    ("half-open", (connection(circuit=CircuitState.HALF_OPEN), WELL), ExitCode.DEGRADED),
    ("on a backup", (connection(serving="well"), WELL), ExitCode.DEGRADED),
    ("unserved", (connection(health=Health.UNHEALTHY, serving=None), WELL), ExitCode.DOWN),
    ("held and unserved", (connection(circuit=CircuitState.OPEN, manual=True, serving=None),), ExitCode.DEGRADED),
    ("never checked", (connection(health=Health.UNKNOWN), WELL), ExitCode.NO_EVIDENCE),
    ("unknown goes before down", (connection(health=Health.UNKNOWN), connection(serving=None)), ExitCode.NO_EVIDENCE),
)


@pytest.mark.parametrize(("connections", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_finding(connections: tuple[ConnectionSnapshot, ...], code: ExitCode) -> None:
    assert finding(snapshot(*connections)) is code


@pytest.mark.parametrize(
    ("age_s", "code"),
    [(59, ExitCode.DONE), (60, ExitCode.DONE), (61, ExitCode.NO_EVIDENCE), (-3600.0, ExitCode.NO_EVIDENCE)],
)
def test_old_evidence_is_none(age_s: float, code: ExitCode) -> None:
    assert finding(snapshot(connection(age_s=age_s)), max_age={"a": timedelta(seconds=60)}) is code


def test_the_host_may_be_isolated_when_everything_fails_at_once_over_the_network() -> None:
    lost = [
        connection(name, health=Health.UNHEALTHY, serving=None, error="timeout", address=f"{name}.internal:5432/app")
        for name in "abc"
    ]
    assert host_may_be_isolated(snapshot(*lost))
    assert finding(snapshot(*lost)) is ExitCode.NO_EVIDENCE
    assert not host_may_be_isolated(snapshot(*lost[:2]))
    assert not host_may_be_isolated(snapshot(*lost, WELL))
    refused = replace(lost[0], error=ErrorView("auth", "no"))
    assert finding(snapshot(refused, *lost[1:])) is ExitCode.DOWN


@pytest.mark.parametrize(
    ("fail_on", "codes"), [("degraded", [0, 10, 11, 12]), ("down", [0, 0, 11, 12]), ("never", [0, 0, 0, 0])]
)
def test_what_fails(fail_on: str, codes: list[int]) -> None:
    findings = (ExitCode.DONE, ExitCode.DEGRADED, ExitCode.DOWN, ExitCode.NO_EVIDENCE)
    assert [as_asked(code, FailOn(fail_on)) for code in findings] == codes


def test_a_standby_that_is_down_is_no_outage() -> None:
    down = connection("b", health=Health.UNHEALTHY, circuit=CircuitState.OPEN, serving=None)
    assert finding(snapshot(WELL, down, standbys="b")) is ExitCode.DEGRADED
    assert finding(snapshot(WELL, down)) is ExitCode.DOWN


def test_a_split_brain_goes_before_all() -> None:
    unknown = connection(health=Health.UNKNOWN)
    assert finding(snapshot(WELL, unknown, split=True)) is ExitCode.SPLIT_BRAIN
    assert as_asked(ExitCode.SPLIT_BRAIN, FailOn.DOWN) is ExitCode.SPLIT_BRAIN
    assert finding(snapshot(unknown, split=True)) is ExitCode.NO_EVIDENCE, "one that is not shown is not found"


def test_a_check_that_this_host_could_not_make_is_missing_evidence() -> None:
    assert finding(snapshot(WELL, connection(error="local"))) is ExitCode.NO_EVIDENCE
