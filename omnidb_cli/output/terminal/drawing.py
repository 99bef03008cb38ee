"""Tables on a terminal, drawn by Rich. Imported only where there is one (or colour is forced)."""

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import zip_longest

from msgspec.structs import replace
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from omnidb_cli.output.report import Cell, Column, Command, Line, Note, Style, TableView
from omnidb_cli.output.terminal.layout import GAP, Place, display_width, fit, natural_widths, with_names

UNBOUNDED = 10_000
"""Stands for "as wide as it needs" where Rich wants a number."""

_NAME_LINES = 3
"""So many lines the sentence may take that several connections share, with their names."""

_COLORS = {
    Style.PLAIN: "",
    Style.GOOD: "green",
    Style.WARN: "yellow",
    Style.BAD: "bold red",
    Style.QUIET: "dim",
    Style.STRONG: "bold",
}


def rendered(renderable: RenderableType, *, width: int | None, color: bool) -> str:
    """The drawing as text, with escape sequences only where there is colour."""
    console = Console(
        file=StringIO(),
        width=width or UNBOUNDED,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(renderable)
    return "".join(line.rstrip(" ") + "\n" for line in capture.get().splitlines())


def sheet(view: TableView, *, width: int | None) -> RenderableType:
    """Everything of a view: title, table, lines, sentences and the next commands, a blank line between them."""
    blocks: list[RenderableType] = []
    if view.alarm:
        blocks.append(Text(view.alarm, _COLORS[Style.BAD]))
    if view.title:
        blocks.append(title(view.title))
    if view.rows:
        blocks.append(table(view, width=width))
    elif view.empty:
        blocks.append(Text(view.empty, "dim"))
    if view.lines:
        blocks.append(Group(*(joined(line, "  ", unwrapped=True) for line in view.lines)))
    if view.notes:
        blocks.append(notes(view.notes, width))
    if view.verdict:
        blocks.append(Text(view.verdict, _COLORS[Style.STRONG]))
    if view.commands:
        blocks.append(_commands(view, width))
    return Group(*_spaced(blocks))


def _spaced(blocks: Sequence[RenderableType]) -> Iterator[RenderableType]:
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield block


def piece(cell: Cell) -> Text:
    """One cell as coloured text."""
    return Text(cell.text, _COLORS[cell.style], end="")


def joined(line: Line, separator: str, *, unwrapped: bool = False) -> Text:
    """The cells of a line, one after the other."""
    text = Text(no_wrap=unwrapped, overflow="ignore" if unwrapped else None)
    for number, cell in enumerate(line):
        text.append(separator if number else "", "dim").append_text(piece(cell))
    return text


def title(line: Line) -> Text:
    """The first line of a view."""
    return joined(line, " · ")


def table(view: TableView, *, width: int | None, fold: bool = True) -> RenderableType:
    """The columns that fit into `width`; texts too long for theirs are folded, or (for one line a row) cut with `…`."""
    natural = _natural(view)
    places = fit(view.columns, natural, width)
    if len(places) < len(view.columns) or any(place.width < natural[place.column] for place in places):
        view = replace(view, rows=[tuple(_shortened(cell) for cell in row) for row in view.rows])
        natural = _natural(view)
        places = fit(view.columns, natural, width)
    if all(place.width == natural[place.column] for place in places):
        return _unfolded(view, places)
    return _folded(view, places, fold)


def _natural(view: TableView) -> list[int]:
    titles = [column.title for column in view.columns]
    return natural_widths(titles, [[cell.text for cell in row] for row in view.rows])


def _shortened(cell: Cell) -> Cell:
    return cell if cell.short is None else Cell(cell.short, cell.style)


def _unfolded(view: TableView, places: Sequence[Place]) -> RenderableType:
    """The same table where every text fits: ten times as fast as Rich's own, which measures each cell anew."""
    lines = [_aligned(line, view.columns, places) for row in view.rows for line in _lines(row)]
    titles = [Cell(column.title, Style.QUIET) for column in view.columns]
    if any(cell.text for cell in titles):
        rule = "─" * (sum(place.width for place in places) + GAP * (len(places) - 1))
        lines[:0] = [_aligned(titles, view.columns, places), Text(rule, "dim")]
    return Group(*lines)


def _lines(row: Line) -> Iterable[Line]:
    """The row, or as many as its cells have lines."""
    if not any("\n" in cell.text for cell in row):
        return (row,)
    parts = [[Cell(text, cell.style) for text in cell.text.split("\n")] for cell in row]
    return zip_longest(*parts, fillvalue=Cell(""))


def _aligned(row: Sequence[Cell], columns: Sequence[Column], places: Sequence[Place]) -> Text:
    line = Text(no_wrap=True)
    for number, place in enumerate(places):
        cell, is_right = row[place.column], columns[place.column].right
        blanks = " " * (place.width - display_width(cell.text))
        gap = " " * GAP if number else ""
        line.append(gap + blanks if is_right else gap)
        line.append(cell.text, _COLORS[cell.style])
        line.append("" if is_right else blanks)
    return line


def _folded(view: TableView, places: Sequence[Place], fold: bool) -> Table:
    titles = [column.title for column in view.columns]
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_header=any(titles))
    drawn.border_style = drawn.header_style = "dim"
    for place in places:
        drawn.add_column(
            titles[place.column],
            justify="right" if view.columns[place.column].right else "left",
            width=place.width,
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
        )
    for row in view.rows:
        drawn.add_row(*(piece(row[place.column]) for place in places))
    return drawn


def notes(told: Sequence[Note], width: int | None) -> Table:
    """The sentences, each behind the symbol of what it is about; the names of those who share one on a few lines."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    room = None if width is None else (width - len("✗ ")) * _NAME_LINES
    for note in told:
        grid.add_row(piece(note.mark), Text(with_names(note.text, note.names, room)))
    return grid


def _commands(view: TableView, width: int | None) -> Group:
    """The next commands, never broken; what they do is said where there is room for it."""
    longest = max(display_width(command.text) for command in view.commands)
    needed = max(display_width(command.purpose) for command in view.commands) + longest + len("next:   # ")
    return Group(
        *(_command(command, longest if width is None or needed <= width else None) for command in view.commands)
    )


def _command(command: Command, longest: int | None) -> Text:
    line = Text("next: ", "dim", no_wrap=True, overflow="ignore").append(command.text, "not dim bold")
    if longest is not None:
        line.append(" " * (longest - display_width(command.text)) + f"  # {command.purpose}")
    return line
