"""`events`: what happened, when, to what, why and by whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from omnidb_cli.core.events.model import EventType
from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Column, Line, Report, Shape, Style, TableView

SCHEMA = "omnidb.events/v1"
PARTS = (Shape.BODY, Shape.TABLE, Shape.ITEMS, Shape.ROWS)
HEADER = ("id", "at", "type", "name", "reason", "actor", "detail")

EventObject = Mapping[str, Any]
"""One event as `core.announce.event_object` makes it."""

_COLUMNS = (
    Column("AT (UTC)"),
    Column("NAME"),
    Column("EVENT"),
    Column("WHAT", priority=1, min_width=16),
    Column("WHO", priority=2),
)
_STYLES = {
    EventType.CIRCUIT_OPEN: Style.BAD,
    EventType.NO_ROUTE: Style.BAD,
    EventType.SPLIT_BRAIN: Style.BAD,
    EventType.ERROR: Style.BAD,
    EventType.HOLD_CHANGED: Style.WARN,
    EventType.CIRCUIT_HALF_OPEN: Style.WARN,
    EventType.FAILOVER: Style.WARN,
    EventType.CIRCUIT_CLOSE: Style.GOOD,
    EventType.RECOVERY: Style.GOOD,
}
_HEALTH_STYLES = {"healthy": Style.GOOD, "degraded": Style.WARN, "unhealthy": Style.BAD}


def events_document(events: Sequence[EventObject]) -> Report:
    """The history, in the order given."""
    return Report(
        body={"schema": SCHEMA, "events": events},
        table=lambda: TableView(columns=_COLUMNS, rows=_rows(events), empty="Nothing has happened."),
        items=lambda: events,
        header=HEADER,
        rows=lambda: ([one[key] for key in HEADER] for one in events),
    )


def event_document(event: EventObject) -> Report:
    """One event, as `--follow` writes it: a line of the history by itself, without a header."""
    return Report(
        body=event,
        table=lambda: TableView(lines=[event_line(event)]),
        items=lambda: [event],
        rows=lambda: [[event[key] for key in HEADER]],
    )


def event_line(event: EventObject) -> Line:
    """One event on one line: when, what, which kind, why, and who where somebody did it."""
    by = (Cell(f"by {event['actor']}", Style.QUIET),) if event["actor"] else ()
    return *_cells(event, event_time(event))[:4], *by


def _rows(events: Sequence[EventObject]) -> list[Line]:
    """A row each. Where there is little room the time of day is enough on the day of the last one."""
    last = event_time(events[-1]) if events else None
    return [_cells(one, last or event_time(one)) for one in events]


def _cells(event: EventObject, today: datetime) -> Line:
    at = event_time(event)
    return (
        Cell(words.day_and_time(at, fraction=True), Style.QUIET, short=words.short_time(at, today)),
        Cell(event["name"], Style.STRONG) if event["name"] else words.NOTHING,
        Cell(str(event["type"]), event_style(event)),
        Cell(event_words(event)),
        Cell(event["actor"]) if event["actor"] else words.NOTHING,
    )


def event_time(event: EventObject) -> datetime:
    """When it happened."""
    return datetime.fromisoformat(event["at"])


def event_style(event: EventObject) -> Style:
    """What an event means, for its colour."""
    if event["type"] == EventType.HEALTH_CHANGED:
        return _HEALTH_STYLES.get(event["detail"].get("current", ""), Style.PLAIN)
    return _STYLES.get(event["type"], Style.PLAIN)


def event_words(event: EventObject) -> str:
    """What happened, in words; nothing where the type says it all."""
    detail, reason = event["detail"], event["reason"]
    match event["type"]:
        case EventType.FAILOVER:
            said = f"{detail.get('backup')} serves instead"
        case EventType.RECOVERY:
            said = "primary serving again"
        case EventType.NO_ROUTE:
            said = "no eligible endpoint"
        case EventType.HOLD_CHANGED:
            until = detail.get("held_until")
            said = f"held until {words.day_and_time(datetime.fromisoformat(until))}" if until else "held without end"
        case _:
            change = (detail.get("previous"), detail.get("current"))
            said = " → ".join(str(state) for state in change if state is not None)
    why = detail.get("note") or detail.get("error") or reason
    return ": ".join(str(part) for part in (said, why) if part)
