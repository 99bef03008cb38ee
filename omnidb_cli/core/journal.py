"""Where an orchestrator writes down what happens, so that other processes learn of it."""

from typing import Protocol

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.events import Event
from omnidb_cli.core.reducer import Action
from omnidb_cli.core.routing.router import Assignment


class Journal(Protocol):
    """Who writes down what happens, so that other processes learn of it. Every method is quick and never waits."""

    def record(self, name: str, given: Action, at: Instant) -> None: ...
    def routed(self, name: str, serving: Assignment, events: tuple[Event, ...]) -> None: ...
    def published(self, event: Event) -> None: ...
