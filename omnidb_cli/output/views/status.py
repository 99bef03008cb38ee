"""`status`: every connection's health, circuit and route."""

from collections.abc import Iterator
from datetime import datetime

from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot, Summary
from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Column, Line, Report, Shape, Style, TableView
from omnidb_cli.output.views.finding import NOTHING_FOUND, Finding, verdict_line
from omnidb_cli.output.views.problems import next_commands, problems

SCHEMA = "omnidb.status/v1"
PARTS = (Shape.BODY, Shape.TABLE, Shape.ITEMS, Shape.ROWS, Shape.NAMES)
WATCH_PARTS = (Shape.TABLE, Shape.LINES)
HEADER = (
    "name",
    "engine",
    "address",
    "health",
    "circuit",
    "manual",
    "serving",
    "failover",
    "role",
    "lag_seconds",
    "latency_ms",
    "checked_at",
    "error_kind",
    "error",
)


def status_document(
    snapshot: Snapshot,
    *,
    program: str = "omnidb",
    finding: Finding = NOTHING_FOUND,
    exit_code: int | None = None,
) -> Report:
    """The status in every format. `program` is how the next command would be called, options included.

    The table says what `finding` found, and why the command ends with `exit_code`, where that is given.
    """
    return Report(
        body=status_object(snapshot),
        table=lambda: status_table(
            snapshot, now=snapshot.taken_at, program=program, finding=finding, exit_code=exit_code
        ),
        items=lambda: snapshot.connections,
        header=HEADER,
        rows=lambda: map(_row, snapshot.connections),
        names=lambda: (connection.name for connection in snapshot.connections),
    )


def status_object(snapshot: Snapshot) -> dict[str, object]:
    """The object of `status -o json`, its leaves still in the core's own types."""
    return {
        "schema": SCHEMA,
        "topology": snapshot.topology,
        "taken_at": snapshot.taken_at,
        "summary": snapshot.summary,
        "connections": snapshot.connections,
    }


def _row(one: ConnectionSnapshot) -> tuple[object, ...]:
    kind, message = (one.error.kind, one.error.message) if one.error else (None, None)
    return (
        one.name,
        one.engine,
        one.address,
        one.health,
        one.circuit.state,
        one.circuit.manual,
        one.route.serving,
        one.route.failover,
        one.role.actual,
        one.lag_seconds,
        one.latency_ms,
        one.checked_at,
        kind,
        message,
    )


def status_table(
    snapshot: Snapshot,
    *,
    now: datetime,
    program: str = "omnidb",
    finding: Finding = NOTHING_FOUND,
    exit_code: int | None = None,
) -> TableView:
    """The table, what is not well in sentences, what made the exit code, and the next commands. Ages count to `now`."""
    columns, rows = status_rows(snapshot, now=now)
    return TableView(
        alarm=f"✗ {finding.headline}" if finding.headline else "",
        title=status_title(snapshot, finding),
        columns=columns,
        rows=rows,
        notes=problems(snapshot, now),
        verdict="" if exit_code is None else verdict_line(finding, exit_code),
        commands=next_commands(snapshot, program, is_stale=finding.is_stale),
    )


def status_rows(snapshot: Snapshot, *, now: datetime) -> tuple[tuple[Column, ...], list[Line]]:
    """The columns in which a connection has anything, and a row for each connection."""
    return _columns_with_something([_cells(one, snapshot, now) for one in snapshot.connections])


_COLUMNS = (
    Column("NAME"),
    Column("HEALTH"),
    Column("CIRCUIT"),
    Column("ROUTE"),
    Column("LATENCY", priority=3, right=True),
    Column("LAG", priority=2, right=True),
    Column("ROLE", priority=5),
    Column("CHECKED", priority=1),
    Column("SINCE (UTC)", priority=4),
    Column("ENGINE", priority=7),
    Column("ADDRESS", priority=6),
)


def _cells(one: ConnectionSnapshot, snapshot: Snapshot, now: datetime) -> Line:
    return (
        Cell(one.name, Style.STRONG),
        words.health_cell(one.health),
        words.circuit_cell(one.circuit),
        words.route_cell(one, is_unserved=snapshot.is_unserved(one)),
        words.latency_cell(one.latency_ms),
        words.span_cell(one.lag_seconds),
        words.role_cell(one.role),
        words.age_cell(one.checked_at, now),
        words.since_cell(one.health_since, now),
        Cell(one.engine, Style.QUIET) if one.engine else words.NOTHING,
        Cell(one.address, Style.QUIET) if one.address else words.NOTHING,
    )


def _columns_with_something(rows: list[Line]) -> tuple[tuple[Column, ...], list[Line]]:
    """Leaves out the columns in which no connection has anything."""
    kept = [
        index
        for index, column in enumerate(_COLUMNS)
        if column.priority == 0 or any(row[index] is not words.NOTHING for row in rows)
    ]
    return tuple(_COLUMNS[index] for index in kept), [tuple(row[index] for index in kept) for row in rows]


def status_title(snapshot: Snapshot, finding: Finding = NOTHING_FOUND) -> Line:
    """The topology, the counts, the worst first, and when it was."""
    return (
        *([Cell(snapshot.topology, Style.STRONG)] if snapshot.topology else []),
        *_counts(snapshot.summary, is_stale=finding.is_stale),
        Cell(f"{words.day_and_time(snapshot.taken_at)} UTC", Style.QUIET),
    )


def _counts(summary: Summary, *, is_stale: bool) -> Iterator[Cell]:
    total = words.counted(summary.total, "connection")
    if summary.total and summary.healthy == summary.total:
        well = f"{total}, {'all ' * (summary.total > 1)}healthy"
        yield Cell(f"{well} when last checked", Style.WARN) if is_stale else Cell(well, Style.GOOD)
    else:
        yield Cell(total)
    yield from _those(summary.split_brains, "split brain" + "s" * (summary.split_brains > 1), Style.BAD)
    yield from _those(summary.unserved, "unserved", Style.BAD)
    yield from _those(summary.unhealthy, "unhealthy", Style.BAD)
    yield from _those(summary.failovers, "failed over", Style.WARN)
    yield from _those(summary.standbys_down, f"standby{'s' * (summary.standbys_down > 1)} down", Style.WARN)
    yield from _those(summary.held, "held", Style.WARN)
    yield from _those(summary.degraded, "degraded", Style.WARN)
    yield from _those(summary.unknown, "unknown", Style.WARN)
    if summary.healthy < summary.total:
        yield from _those(summary.healthy, "healthy", Style.GOOD)


def _those(count: int, word: str, style: Style) -> Iterator[Cell]:
    if count:
        yield Cell(f"{count} {word}", style)
