"""A line of the benchmark's table, and the table."""

from collections.abc import Iterable
from typing import NamedTuple

HEADINGS = ("what", "measured", "goal", "reached")


class Row(NamedTuple):
    """One measurement. `reached` is None where nothing was asked for."""

    what: str
    measured: str
    goal: str = "–"
    reached: bool | None = None


def at_most(what: str, value: float, limit: float, *, unit: str, note: str = "") -> Row:
    """A row that is reached when `value` is no more than `limit`."""
    return Row(what, f"{value:.3g}{unit}{note}", f"≤ {limit:g}{unit}", value <= limit)


def failed(what: str, goal: str, why: str) -> Row:
    """A row for what could not be measured: never reached."""
    return Row(what, f"failed: {why}", goal, reached=False)


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|---|---|"]
    for row in rows:
        reached = {None: "–", True: "yes", False: "**no**"}[row.reached]
        measured = row.measured.replace("|", "\\|")
        lines.append(f"| {row.what} | {measured} | {row.goal} | {reached} |")
    return "\n".join(lines)
