"""`circuit list`, and what `circuit open` and `circuit close` answer."""

from collections.abc import Sequence
from datetime import datetime

from omnidb_cli.core.circuit.model import CircuitState, Reason
from omnidb_cli.core.snapshot import CircuitView
from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Column, Line, Report, Shape, Style, TableView

SCHEMA = "omnidb.circuits/v1"
PARTS = (Shape.BODY, Shape.TABLE, Shape.ITEMS, Shape.ROWS, Shape.NAMES)
HEADER = (
    "name",
    "state",
    "manual",
    "reason",
    "actor",
    "failures",
    "successes",
    "opened_at",
    "retry_at",
    "held_until",
)

_COLUMNS = (
    Column("NAME"),
    Column("CIRCUIT"),
    Column("BY", priority=3),
    Column("WHY", priority=1, min_width=21),
    Column("SINCE", priority=2),
    Column("UNTIL", min_width=11),
)


def circuits_document(circuits: Sequence[tuple[str, CircuitView]], *, now: datetime) -> Report:
    """Every circuit with its state, who opened it, why, since when and until when. Ages count to `now`."""
    return Report(
        body={"schema": SCHEMA, "circuits": [_item(name, circuit) for name, circuit in circuits]},
        table=lambda: TableView(
            columns=_COLUMNS,
            rows=[_cells(name, circuit, now) for name, circuit in circuits],
            empty="There are no circuits.",
        ),
        items=lambda: (_item(name, circuit) for name, circuit in circuits),
        header=HEADER,
        rows=lambda: ((name, *(getattr(circuit, key) for key in HEADER[1:])) for name, circuit in circuits),
        names=lambda: (name for name, _ in circuits),
    )


def _item(name: str, circuit: CircuitView) -> dict[str, object]:
    return {"name": name, "circuit": circuit}


def _cells(name: str, circuit: CircuitView, now: datetime) -> Line:
    by_hand = Cell(circuit.actor or "hand", Style.WARN)
    automatic = Cell("omnidb", Style.QUIET) if circuit.opened_at else words.NOTHING
    return (
        Cell(name, Style.STRONG),
        words.circuit_cell(circuit),
        by_hand if circuit.manual else automatic,
        Cell(circuit.reason) if circuit.reason else words.NOTHING,
        _since(circuit.opened_at, now) if circuit.opened_at else words.NOTHING,
        _until(circuit, now),
    )


def _since(opened_at: datetime, now: datetime) -> Cell:
    age = words.age(opened_at, now)
    return Cell(age, short=age.removesuffix(" ago"))


def _until(circuit: CircuitView, now: datetime) -> Cell:
    if circuit.held_until:
        clock = words.time_of_day(circuit.held_until, now)
        return Cell(f"{clock} UTC ({words.left(circuit.held_until, now)})")
    if circuit.manual:
        return Cell("closed by hand")
    if circuit.retry_at:
        return Cell(f"tried {words.wait(circuit.retry_at, now)}")
    by_health = circuit.state is CircuitState.OPEN and circuit.reason == Reason.HEALTH_CHECK_FAILED
    return Cell("a passing check") if by_health else words.NOTHING
