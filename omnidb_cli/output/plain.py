"""Tables where no terminal is: aligned columns, no colour, no box, nothing cut. Needs no Rich."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from omnidb_cli.output.report import Column, TableView
from omnidb_cli.output.terminal.layout import GAP, display_width, natural_widths, with_names


def plain_text(view: TableView) -> str:
    """The whole view as text: title, table, lines, sentences and the next commands, a blank line between them."""
    width = max((len(command.text) for command in view.commands), default=0)
    blocks = (
        [view.alarm] if view.alarm else [],
        [" · ".join(cell.text for cell in view.title)],
        _table(view),
        ["  ".join(cell.text for cell in line) for line in view.lines],
        [f"{note.mark.text} {with_names(note.text, note.names)}" for note in view.notes],
        [view.verdict] if view.verdict else [],
        [f"next: {command.text:<{width}}  # {command.purpose}" for command in view.commands],
    )
    return "\n\n".join(filter(None, map("\n".join, blocks))) + "\n"


def _table(view: TableView) -> list[str]:
    if not view.rows:
        return [view.empty]
    titles = [column.title for column in view.columns]
    rows = [[cell.text for cell in row] for row in view.rows]
    header = [titles] if any(titles) else []
    return list(aligned(view.columns, [*header, *rows], natural_widths(titles, rows)))


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """Each row as one line, or as many as its cells have, the cells padded to `widths`."""
    for row in rows:
        for line in zip_longest(*(text.split("\n") for text in row), fillvalue=""):
            cells = zip(line, columns, widths, strict=True)
            padded = (_padded(text, width, right=column.right) for text, column, width in cells)
            yield (" " * GAP).join(padded).rstrip(" ")


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - display_width(text))
    return blanks + text if right else text + blanks
