"""`route`: who would serve a connection now, and why not the others."""

from omnidb_cli.core.snapshot import Candidate, Route
from omnidb_cli.output.report import Cell, Column, Line, Report, Shape, Style, TableView

SCHEMA = "omnidb.route/v1"
PARTS = (Shape.BODY, Shape.TABLE, Shape.ITEMS, Shape.ROWS, Shape.NAMES)
HEADER = ("name", "eligible", "serving", "reason")

_COLUMNS = (Column("CANDIDATE"), Column("VERDICT"), Column("WHY", min_width=20))


def route_document(route: Route) -> Report:
    """The route in every format; `name` is just who serves, and no line when none does."""
    return Report(
        body=route_object(route),
        table=lambda: _table(route),
        items=lambda: [route_object(route)],
        header=HEADER,
        rows=lambda: ((one.name, one.eligible, one.name == route.serving, one.reason) for one in route.candidates),
        names=lambda: [route.serving] if route.serving else [],
    )


def route_object(route: Route) -> dict[str, object]:
    """The object of `route -o json`."""
    return {
        "schema": SCHEMA,
        "requested": route.requested,
        "serving": route.serving,
        "failover": route.is_failover,
        "reason": route.reason,
        "candidates": route.candidates,
    }


def _table(route: Route) -> TableView:
    return TableView(
        title=(Cell(route.requested, Style.STRONG), _verdict(route), Cell(route.reason)),
        columns=_COLUMNS,
        rows=[_cells(one, route) for one in route.candidates],
    )


def _verdict(route: Route) -> Cell:
    if route.serving is None:
        return Cell("✗ no eligible endpoint", Style.BAD)
    if route.is_failover:
        return Cell(f"→ {route.serving} serves instead", Style.WARN)
    return Cell("✓ direct", Style.GOOD)


def _cells(one: Candidate, route: Route) -> Line:
    if one.name == route.serving:
        verdict = Cell("✓ serves", Style.GOOD)
    else:
        verdict = Cell("● eligible", Style.QUIET) if one.eligible else Cell("✗ not eligible", Style.BAD)
    return Cell(one.name, Style.STRONG), verdict, Cell(one.reason)
