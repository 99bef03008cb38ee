"""Tables where no terminal is: aligned columns, no colour, no box, nothing cut. Needs no Rich."""

from collections.abc import Iterator, Sequence

from omnidb_cli.output.document import Column, TableView
from omnidb_cli.output.layout import GAP, display_width, natural_widths


def plain_text(view: TableView) -> str:
    """The whole view as text: title, table, lines, sentences and the next commands, a blank line between them."""
    width = max((len(command.text) for command in view.commands), default=0)
    blocks = (
        [" · ".join(cell.text for cell in view.title)],
        _table(view),
        ["  ".join(cell.text for cell in line) for line in view.lines],
        [f"{note.mark.text} {note.text}" for note in view.notes],
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
    """Each row as one line, its cells padded to `widths`; a wider cell pushes the rest of its line along."""
    for row in rows:
        cells = zip(row, columns, widths, strict=True)
        yield (" " * GAP).join(_padded(text, width, right=column.right) for text, column, width in cells).rstrip(" ")


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - display_width(text))
    return blanks + text if right else text + blanks
