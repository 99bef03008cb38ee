"""The history in the state file: appended to by every change, and cut back every so often, each class by itself."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from omnidb_cli.core.events.model import Event
from omnidb_cli.state import records
from omnidb_cli.state.retention import AGELESS, BUDGETS, Budget, EventClass, class_of

PRUNE_EVERY: Final = 256
"""After how many events of the file the old ones are looked for: finding them costs more than a write does."""

_DAY_US: Final = 86_400_000_000
_OF_CLASS: Final = "SELECT id FROM events WHERE topology = ? AND class = ?"


def append(db: sqlite3.Connection, topology: str, events: Sequence[Event], now_us: int) -> None:
    """Adds the events to the history of `topology`, oldest first, and drops what no budget keeps any longer."""
    if not events:
        return
    db.executemany(
        "INSERT INTO events (topology, at_us, type, class, name, record) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                topology,
                records.microseconds(event.at),
                event.type,
                class_of(event),
                event.name,
                records.encode_event(event),
            )
            for event in sorted(events, key=lambda event: event.at)
        ],
    )
    last = last_id(db)
    if last // PRUNE_EVERY > (last - len(events)) // PRUNE_EVERY:
        _prune(db, now_us)


def last_id(db: sqlite3.Connection) -> int:
    """The number that was given last, to whichever topology; 0 where none was."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return 0 if row is None else int(row[0])


def _prune(db: sqlite3.Connection, now_us: int) -> None:
    """For every topology of the file: one that seldom writes may never be the one that gives the deciding number."""
    for (topology,) in db.execute("SELECT DISTINCT topology FROM writers").fetchall():
        for kind, budget in BUDGETS.items():
            last = max(_beyond(db, topology, kind, budget.events), _outdated(db, topology, kind, budget, now_us))
            db.execute("DELETE FROM events WHERE topology = ? AND class = ? AND id <= ?", (topology, kind, last))


def _beyond(db: sqlite3.Connection, topology: str, kind: EventClass, newest: int) -> int:
    """The number of the newest event that is not among the `newest` ones; 0 where there are no more."""
    row = db.execute(f"{_OF_CLASS} ORDER BY id DESC LIMIT 1 OFFSET ?", (topology, kind, newest)).fetchone()
    return 0 if row is None else int(row[0])


def _outdated(db: sqlite3.Connection, topology: str, kind: EventClass, budget: Budget, now_us: int) -> int:
    """The number up to which events are too old. Reads those alone, and the first one that is not."""
    since_us = now_us - budget.days * _DAY_US
    first = db.execute(f"{_OF_CLASS} AND at_us >= ? ORDER BY id LIMIT 1", (topology, kind, since_us)).fetchone()
    ageless = _beyond(db, topology, kind, AGELESS)
    return ageless if first is None else min(first[0] - 1, ageless)
