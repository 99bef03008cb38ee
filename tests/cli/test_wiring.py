"""From a topology to a core: settings, verdicts, and what a driver reports by itself."""

import asyncio
from typing import Any

import pytest

from omnidb_cli import drivers
from omnidb_cli.cli import wiring
from omnidb_cli.cli.wiring import offline_orchestrator, orchestrator, target_of, with_topology, without_secrets
from omnidb_cli.core.health.model import CheckResult, Health, Observation
from omnidb_cli.errors import LONGEST_MESSAGE, ConnectError, ErrorKind
from omnidb_cli.state import store
from omnidb_cli.topology import Redactor, parse
from omnidb_cli.topology.secrets.secret import Secret

TOPOLOGY = parse(
    """
name: t
connections:
  a: {url: "postgresql://app:hush-hush@db:5433/app", tags: [eu], role: primary, health_check: {timeout: 3s, fall: 2}}
  b: {url: "sqlite:///b.db"}
failover: {a: {to: b, failback: manual}}
health_check: {interval: 1h}
""",
    engines=drivers,
    stores=store,
)


class Fake:
    """A driver that answers as it is told."""

    def __init__(self) -> None:
        self.on_lost = None
        self.trouble: Exception | None = None
        self.checks = 0
        self.loaded = False

    def load(self) -> None:
        self.loaded = True

    async def check(self) -> Observation:
        self.checks += 1
        if self.trouble is not None:
            raise self.trouble
        return Observation(latency_s=0.001)

    async def aclose(self) -> None: ...


def test_a_target_has_all_that_a_driver_needs() -> None:
    target = target_of(TOPOLOGY.connections["a"], TOPOLOGY.secrets.learn)
    assert (target.hosts, target.username, target.password) == ((("db", 5433),), "app", "hush-hush")
    assert (target.database, target.timeout_s, target.path) == ("app", 3.0, None)


@pytest.mark.parametrize("to_check", [True, False])
def test_whoever_checks_has_everything_loaded_before(monkeypatch: pytest.MonkeyPatch, *, to_check: bool) -> None:
    monkeypatch.setattr(wiring, "open_driver", lambda _target: Fake())
    drivers: Any = wiring.open_drivers(TOPOLOGY, to_check=to_check)
    assert [one.loaded for one in drivers.values()] == [to_check, to_check]


async def test_a_client_that_is_missing_fails_the_check_that_needs_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(Fake):
        def load(self) -> None:
            raise ImportError("no such client")

        async def check(self) -> Observation:
            self.load()
            return Observation(latency_s=0.001)

    monkeypatch.setattr(wiring, "open_driver", lambda target: Missing() if target.name == "a" else Fake())
    drivers = wiring.open_drivers(TOPOLOGY, to_check=True)
    async with orchestrator(TOPOLOGY, drivers) as db:
        assert db.health() == {"a": Health.UNHEALTHY, "b": Health.HEALTHY}


async def test_a_lost_connection_is_checked_at_at_once() -> None:
    drivers = {"a": Fake(), "b": Fake()}
    db = orchestrator(TOPOLOGY, drivers)  # type: ignore[arg-type]
    changed = asyncio.Event()
    await db.connect()
    db.on("failover", lambda _event: changed.set())
    drivers["a"].trouble = ConnectError("gone, and hush-hush went with it", kind=ErrorKind.RESET)
    assert drivers["a"].on_lost is not None
    drivers["a"].on_lost()
    drivers["a"].on_lost()
    while drivers["a"].checks < 2:
        await asyncio.sleep(0)
    drivers["a"].on_lost()  # `fall: 2`: the second failed check decides
    await asyncio.wait_for(changed.wait(), 10)
    assert db.health()["a"] is Health.UNHEALTHY
    error = db.snapshot().connections[0].error
    assert error is not None
    assert (error.kind, error.message) == ("reset", "gone, and *** went with it")
    await db.disconnect()


def test_what_only_the_topology_knows_is_added_to_the_snapshot() -> None:
    shown = with_topology(offline_orchestrator(TOPOLOGY).snapshot(), TOPOLOGY)
    assert [(one.engine, one.address, one.tags, one.role.expected) for one in shown.connections] == [
        ("postgresql", "db:5433/app", ("eu",), "primary"),
        ("sqlite", "b.db", (), None),
    ]
    assert [
        one.name for one in with_topology(offline_orchestrator(TOPOLOGY).snapshot(), TOPOLOGY, ["b"]).connections
    ] == ["b"]


def test_what_a_server_says_in_a_verdict_is_redacted_and_stays_short() -> None:
    redact = Redactor([Secret("ab"), Secret("hunter2")])
    said = CheckResult(Health.DEGRADED, detail="stopped: " + "ab " * 600, position="hunter2/0", kind="lag")
    result = without_secrets(said, redact)
    assert result.position == "***/0"
    assert result.detail is not None
    assert "ab" not in result.detail
    assert len(result.detail) == LONGEST_MESSAGE
    quiet = CheckResult()
    assert without_secrets(quiet, redact) is quiet
