"""A watcher's step with the store: what it writes, what it takes over, and what it says of trouble."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from omnidb_cli import drivers
from omnidb_cli.cli.commands.watch.rounds import Rounds
from omnidb_cli.cli.commands.watch.state_sync import StateSync
from omnidb_cli.cli.context import Context
from omnidb_cli.cli.saved_state import recorder_of, restore
from omnidb_cli.cli.wiring import offline_orchestrator
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.orchestrator import Orchestrator
from omnidb_cli.errors import StateStoreError
from omnidb_cli.state import store
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite import errors as sqlite_errors
from omnidb_cli.state.sqlite import file as sqlite_file
from omnidb_cli.state.store import open_state
from omnidb_cli.topology import Topology, parse

TOPOLOGY = parse(
    'name: t\nconnections: {a: {url: "sqlite:///a.db"}, b: {url: "sqlite:///b.db"}}\nfailover: {a: b}\n',
    engines=drivers,
    stores=store,
)
UNWELL = CheckResult(Health.UNHEALTHY, detail="gone")


class Watch:
    """A keeper over a core that checks only when a test says what a check found."""

    def __init__(self, path: Path, topology: Topology) -> None:
        context = Context(env={}).with_options(config=None, state=f"sqlite:///{path}", no_color=True, debug=False)
        self.said: list[str | None] = []
        self.keeper = StateSync(
            context,
            topology,
            Rounds(topology.connections, 1.0, lambda: None),
            self._changed,
        )
        self.db: Orchestrator = offline_orchestrator(topology, self.keeper)
        self.events = self.db.events()
        self.checked_soon: list[str] = []
        self.db._board.request_check = self.checked_soon.append

    def _changed(self) -> None:
        if not self.said or self.said[-1] != self.keeper.trouble:
            self.said.append(self.keeper.trouble)

    async def step(self) -> None:
        assert self.keeper._recorder is not None
        await self.keeper._step(self.db, self.keeper._recorder)

    def told(self) -> list[str]:
        """What a screen would be given, as `type name`."""
        return [f"{one.type} {one.name}" for one in self.keeper.unseen(self.events.drain())]

    def is_held(self, name: str) -> bool:
        return next(one for one in self.db.snapshot().connections if one.name == name).circuit.manual


class Other:
    """Another process on the same store."""

    def __init__(self, path: Path) -> None:
        self.state: Recorder = recorder_of(TOPOLOGY, open_state(f"sqlite:///{path}", TOPOLOGY.name))
        self.db = offline_orchestrator(TOPOLOGY, self.state)
        restore(self.db, self.state, self.state.restore())

    def hold(self, name: str) -> None:
        self.db.open_circuit(name, actor="ann")
        self.state.finish()

    def find(self, name: str, result: CheckResult) -> None:
        self.db.record_check(name, result)
        self.state.finish()

    def reset(self) -> None:
        self.state.store.reset()
        self.state.store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
async def watch(path: Path) -> AsyncIterator[Watch]:
    made = Watch(path, TOPOLOGY)
    async with made.keeper:
        made.keeper.restore(made.db)
        yield made


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """The store as it is while another process writes: it can be read, and not written."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


@contextmanager
def unwritable(watch: Watch) -> Iterator[None]:
    """The watcher's store as it is on a full disk; that one write failed makes no news of what others wrote."""

    def refuse(*_: object) -> NoReturn:
        raise StateStoreError("no space")

    with pytest.MonkeyPatch.context() as patch:
        assert watch.keeper._recorder is not None
        patch.setattr(watch.keeper._recorder.store, "update", refuse)
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sqlite_errors, sqlite_file):
        monkeypatch.setattr(module, "BUSY_S", 0.05)


async def test_the_row_just_written_counts_not_the_one_read_before_it(watch: Watch, path: Path) -> None:
    Other(path).hold("a")
    watch.db.record_check("a", UNWELL)
    await watch.step()
    assert watch.is_held("a")
    assert watch.db.health()["a"] is Health.UNHEALTHY


async def test_news_read_in_the_step_of_a_failed_write_is_adopted_in_the_next(watch: Watch, path: Path) -> None:
    Other(path).hold("b")
    watch.db.record_check("a", UNWELL)
    with unwritable(watch):
        await watch.step()
        assert "no space" in (watch.keeper.trouble or "")
    await watch.step()
    assert watch.is_held("b")
    assert watch.keeper.trouble is None


async def test_a_reset_seen_in_the_step_of_a_failed_write_is_not_forgotten(watch: Watch, path: Path) -> None:
    watch.db.record_check("b", CheckResult(Health.HEALTHY))
    await watch.step()
    Other(path).reset()
    watch.db.record_check("a", UNWELL)
    with unwritable(watch):
        await watch.step()
    await watch.step()
    assert watch.db.health()["b"] is Health.UNKNOWN
    assert watch.checked_soon == ["b"]


async def test_after_a_reset_health_is_asked_for_anew(watch: Watch, path: Path) -> None:
    """Also of what only this watcher ever saved."""
    watch.db.record_check("a", UNWELL)
    watch.db.record_check("b", CheckResult(Health.HEALTHY))
    await watch.step()
    Other(path).reset()
    await watch.step()
    assert set(watch.checked_soon) == {"a", "b"}
    assert set(watch.db.health().values()) == {Health.UNKNOWN}
    await watch.step()
    assert len(watch.checked_soon) == 2


@pytest.mark.usefixtures("impatient")
async def test_trouble_is_said_once_and_so_is_its_end(watch: Watch, path: Path) -> None:
    Other(path).hold("b")
    await watch.step()
    watch.said.clear()
    watch.db.record_check("a", UNWELL)
    with locked(path):
        for _ in range(3):
            await watch.step()
    for _ in range(2):
        await watch.step()
    assert [said and said.partition(":")[0] for said in watch.said] == ["state not available", None]


async def test_a_store_that_does_not_answer_is_said_to_before_it_gives_up(watch: Watch, path: Path) -> None:
    Other(path).hold("b")
    await watch.step()
    watch.said.clear()
    watch.db.record_check("a", UNWELL)
    with locked(path):
        step = asyncio.create_task(watch.step())
        while not watch.said:
            assert not step.done()
            await asyncio.sleep(0.01)
    await step
    assert watch.said == ["state not available: it does not answer; circuits as last known", None]


async def test_a_garbled_history_keeps_no_hold_from_coming_in(watch: Watch, path: Path) -> None:
    Other(path).hold("a")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE events SET record = '?'")
        db.commit()
    await watch.step()
    assert watch.is_held("a")
    assert "event 1 of the history" in (watch.keeper.trouble or "")


async def test_what_another_one_saw_is_told_once(watch: Watch, path: Path) -> None:
    Other(path).find("a", UNWELL)
    await watch.step()
    told = watch.told()
    assert sorted(told) == ["circuit:open a", "failover a", "health:changed a"]
    await watch.step()
    assert watch.told() == []


async def test_what_it_saw_itself_is_told_once(watch: Watch) -> None:
    watch.db.record_check("a", UNWELL)
    assert sorted(watch.told()) == ["circuit:open a", "failover a", "health:changed a"]
    await watch.step()
    assert watch.told() == []


async def test_what_both_saw_is_told_once(watch: Watch, path: Path) -> None:
    Other(path).find("a", UNWELL)
    watch.db.record_check("a", UNWELL)
    await watch.step()
    assert sorted(watch.told()) == ["circuit:open a", "failover a", "health:changed a"]


async def test_what_was_there_when_it_began_is_not_told(path: Path) -> None:
    Other(path).hold("a")
    watch = Watch(path, TOPOLOGY)
    async with watch.keeper:
        watch.keeper.restore(watch.db)
        await watch.step()
        assert watch.told() == []


async def test_a_file_that_is_replaced_tells_what_happens_in_it(watch: Watch, path: Path) -> None:
    for _ in range(6):  # the numbers of the old file's events are greater than those of the new one's
        Other(path).hold("b")
        Other(path).reset()
    await watch.step()
    watch.told()
    path.unlink()
    for journal in ("-wal", "-shm"):
        Path(f"{path}{journal}").unlink(missing_ok=True)
    Other(path).find("a", UNWELL)
    await watch.step()
    assert "failover a" in watch.told()


async def test_others_that_are_not_watched_are_not_told_of(path: Path) -> None:
    watch = Watch(path, TOPOLOGY.restricted(["b"]))
    async with watch.keeper:
        Other(path).hold("a")
        Other(path).hold("b")
        await watch.step()
        told = watch.told()
        assert "circuit:open b" in told
        assert {one.rpartition(" ")[2] for one in told} == {"b"}
