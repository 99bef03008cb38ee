"""The work of `watch`: keeps the core checking, the saved state in step with others, and shows every change."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.cli.collector import settle
from omnidb_cli.cli.commands.watch.displays import Shown
from omnidb_cli.cli.commands.watch.rounds import Rounds
from omnidb_cli.cli.commands.watch.state_sync import StateSync
from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.cli.signals import on_resize
from omnidb_cli.cli.verdict import verdict
from omnidb_cli.cli.wiring import open_drivers, orchestrator, with_topology
from omnidb_cli.core.events.model import EventType
from omnidb_cli.duration import format_duration
from omnidb_cli.output.views.finding import NOTHING_FOUND, verdict_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnidb_cli.cli.commands.watch.conditions import Condition
    from omnidb_cli.cli.commands.watch.displays import Display
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import Snapshot
    from omnidb_cli.topology import Topology

_TICK_S = 1.0
_QUIET = frozenset({EventType.CONNECTED, EventType.DISCONNECTED})


class WatchOptions(Struct, frozen=True):
    """What to watch, how often, and when to end. Times are seconds."""

    names: tuple[str, ...] = ()
    interval_s: float = 5.0
    rounds: int | None = None
    until: str | None = None
    timeout_s: float | None = None


def watching(
    names: "Sequence[str]", interval_s: float | None, rounds: int | None, until: str | None, timeout_s: float | None
) -> WatchOptions:
    """What the options of a command line ask for; None is what is usual."""
    usual = WatchOptions()
    return WatchOptions(tuple(names), interval_s or usual.interval_s, rounds, until, timeout_s)


async def watch_until_done(
    context: "Context", topology: "Topology", wanted: WatchOptions, face: "Display", met: "Condition | None"
) -> ExitCode:
    """Watches until the count or the condition is reached; 124 when the condition's time ran out before."""
    try:
        async with asyncio.timeout(wanted.timeout_s):
            return await _watch(context, topology, wanted, face, met)
    except TimeoutError:
        waited = "" if wanted.timeout_s is None else f" within {format_duration(wanted.timeout_s)}"
        face.ended(f"timeout: condition not met{waited}: {wanted.until}")
        return ExitCode.TIMED_OUT


def every(topology: "Topology", interval_s: float) -> "Topology":
    """The topology with every connection checked each `interval_s` seconds."""
    connections = {
        name: replace(one, health_check=replace(one.health_check, interval_s=interval_s))
        for name, one in topology.connections.items()
    }
    return replace(
        topology, connections=connections, health_check=replace(topology.health_check, interval_s=interval_s)
    )


async def _watch(
    context: "Context", topology: "Topology", wanted: WatchOptions, face: "Display", met: "Condition | None"
) -> ExitCode:
    changed = asyncio.Event()
    rounds = Rounds(topology.connections, wanted.interval_s, changed.set)
    drivers = open_drivers(topology, to_check=True)
    settle()
    async with StateSync(context, topology, rounds, changed.set) as keeper:
        db = orchestrator(every(topology, wanted.interval_s), drivers, keeper)
        keeper.restore(db)
        watcher = _Watcher(db, topology, wanted, face, changed, context.program)
        try:
            async with asyncio.TaskGroup() as tasks:
                works = [db.connect(), keeper.keep_in_step(db), rounds.run()]
                works += [_every_second(changed)] if face.is_alive else []
                helpers = [tasks.create_task(work) for work in works]
                code = await watcher.run(rounds, keeper, met)
                for helper in helpers:
                    helper.cancel()
            return code
        finally:
            await db.disconnect()


async def _every_second(changed: asyncio.Event) -> None:
    """Has a screen drawn anew, for what was seen meanwhile and for the ages.

    At once when it has got another size, or is on the terminal again.
    """
    loop, resized = asyncio.get_running_loop(), asyncio.Event()
    with on_resize(lambda: loop.call_soon_threadsafe(resized.set)):
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await resized.wait()
            resized.clear()
            changed.set()


class _Watcher:
    """Shows what the core says, each time that something changed."""

    def __init__(
        self,
        db: "Orchestrator",
        topology: "Topology",
        wanted: WatchOptions,
        face: "Display",
        changed: asyncio.Event,
        program: str,
    ) -> None:
        self._db = db
        self._topology = topology
        self._wanted = wanted
        self._face = face
        self._changed = changed
        self._program = program
        self._finding = NOTHING_FOUND
        self._events = db.events()
        for event_type in EventType:
            if event_type not in _QUIET:
                db.on(event_type, lambda _event: changed.set())

    async def run(self, rounds: Rounds, keeper: StateSync, met: "Condition | None") -> ExitCode:
        """Shows until the count or the condition is reached. What was not checked in this run decides nothing."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self._face.is_alive or keeper.trouble:
            self._changed.set()
        while True:
            await self._changed.wait()
            await asyncio.sleep(0)  # one picture for everything that happened in the same instant
            self._changed.clear()
            if not rounds.done and not self._face.is_alive:
                self._face.tell_of_state(keeper.trouble)
                continue
            snapshot = self._show(rounds, keeper)
            if not rounds.done:
                continue
            if met is not None and met(snapshot):
                self._face.ended(f"until {self._wanted.until}: met after {format_duration(loop.time() - began)}")
                return ExitCode.DONE
            if self._wanted.rounds is not None and rounds.done >= self._wanted.rounds:
                return self._counted_out(rounds.done, waited=met is not None)

    def _counted_out(self, rounds: int, *, waited: bool) -> ExitCode:
        """Ends after the last round: with what it found, or without what was waited for."""
        told = f"{rounds} check round{'s' * (rounds != 1)}"
        if waited:
            self._face.ended(f"timeout: condition not met within {told}: {self._wanted.until}")
            return ExitCode.TIMED_OUT
        finding = self._finding
        self._face.ended(f"{told} done: {verdict_line(finding, finding.code) or 'all is well'}")
        return ExitCode.of(finding.code)

    def _show(self, rounds: Rounds, keeper: StateSync) -> "Snapshot":
        snapshot = with_topology(self._db.snapshot(), self._topology, self._wanted.names or None)
        self._finding = verdict(snapshot, program=self._program)
        events, wait = keeper.unseen(self._events.drain()), rounds.next_in_s()
        self._face.show(Shown(snapshot, events, self._finding, rounds.done, wait, keeper.trouble))
        return snapshot
