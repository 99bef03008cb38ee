"""What a process notes, writes down and takes over, in step with others over one store."""

from pathlib import Path
from time import monotonic, time

import pytest

from omnidb_cli import drivers
from omnidb_cli.cli.saved_state import merge, recorder_of, restore
from omnidb_cli.cli.wiring import offline_orchestrator
from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.orchestrator import Orchestrator
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.state import store
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.store import open_state
from omnidb_cli.topology import Topology, parse

TOPOLOGY = parse(
    'name: t\nconnections: {a: {url: "sqlite:///a.db"}, b: {url: "sqlite:///b.db"}}\nfailover: {a: b}\n',
    engines=drivers,
    stores=store,
)


class Process:
    """What one process has of the saved state."""

    def __init__(self, url: str, topology: Topology = TOPOLOGY) -> None:
        self.state: Recorder = recorder_of(topology, open_state(url, topology.name))
        self.db: Orchestrator = offline_orchestrator(topology, self.state)
        restore(self.db, self.state, self.state.restore())

    def circuit(self, name: str) -> CircuitState:
        return self.db.stats()[name].circuit


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/state.db"


def test_what_one_writes_another_restores(url: str) -> None:
    one = Process(url)
    one.db.open_circuit("a", reason="disk", actor="me")
    one.state.finish()
    other = Process(url)
    assert other.circuit("a") is CircuitState.OPEN
    assert other.db.route("a").serving == "b"


def test_what_happened_since_the_writing_is_kept_on_top_of_what_is_adopted(url: str) -> None:
    """A watch checks all the time: a hold by somebody else must reach it all the same, and its own checks survive."""
    watching, other = Process(url), Process(url)
    other.db.open_circuit("a", actor="me")
    other.state.finish()
    watching.db.record_check("a", CheckResult(Health.HEALTHY))
    rows = watching.state.flush()
    watching.db.record_check("a", CheckResult(Health.UNHEALTHY, detail="gone"))
    merge(watching.db, watching.state, rows)
    assert watching.circuit("a") is CircuitState.OPEN
    assert watching.db.snapshot().connections[0].circuit.manual
    assert watching.db.health()["a"] is Health.UNHEALTHY
    assert watching.state.finish()["a"].memory.health.health is Health.UNHEALTHY


def test_serving_itself_is_no_news(url: str, tmp_path: Path) -> None:
    process = Process(url)
    process.db.record_check("a", CheckResult(Health.HEALTHY))
    process.state.finish()
    assert not process.state.restore()["a"].serving_known
    assert Process(url).state.finish() == {}


def test_nothing_noted_touches_nothing(url: str, tmp_path: Path) -> None:
    process = Process(url)
    assert process.state.finish() == {}
    assert list(tmp_path.iterdir()) == []


def test_an_edited_connection_starts_anew_but_stays_held(url: str) -> None:
    one = Process(url)
    one.db.record_check("a", CheckResult(Health.UNHEALTHY))
    one.db.open_circuit("b", actor="me")
    one.state.finish()
    text = 'name: t\nconnections: {a: {url: "sqlite:///new-a.db"}, b: {url: "sqlite:///new-b.db"}}\nfailover: {a: b}\n'
    edited = Process(url, parse(text, engines=drivers, stores=store))
    assert (edited.circuit("a"), edited.circuit("b")) == (CircuitState.CLOSED, CircuitState.OPEN)
    assert edited.db.health()["a"] is Health.UNKNOWN


def test_since_when_a_primary_is_eligible_is_saved_by_the_wall_clock_and_comes_back_on_this_processs(url: str) -> None:
    process = Process(url)
    process.state.routed("a", Assignment("b", known=True, eligible_since=monotonic() - 500), ())
    process.state.finish()
    saved = Process(url).state.restore()["a"]
    assert saved.eligible_since == pytest.approx(time() - 500, abs=60)
    assert process.state.serving(saved).eligible_since == pytest.approx(monotonic() - 500, abs=60)
