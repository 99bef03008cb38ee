"""What a view hands to a format: the object itself, and how people and line-oriented tools see it.

Nothing but `body` is built before a format asks for it.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Shape(StrEnum):
    """What a format can draw, and what a view has: the two together say which formats a command allows."""

    BODY = "body"
    ITEMS = "items"
    ROWS = "rows"
    NAMES = "names"
    TABLE = "table"
    RESULT = "result"
    LINES = "lines"


class Style(StrEnum):
    """What a piece of text means; the terminal gives each meaning its colour."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"
    STRONG = "strong"


class Cell(Struct, frozen=True):
    """A piece of text with one meaning. The text says everything: colour only repeats it.

    `short` is what stands for it where a table is too wide for its terminal.
    """

    text: str
    style: Style = Style.PLAIN
    short: str | None = None


Line = tuple[Cell, ...]


class Column(Struct, frozen=True):
    """A column of a table for people.

    `priority` 0 always stays; of the others the highest number goes first when the terminal is narrow.
    A column of sentences has a `min_width`: down to it, it is wrapped rather than left out.
    """

    title: str = ""
    priority: int = 0
    right: bool = False
    min_width: int | None = None


class Note(Struct, frozen=True):
    """A sentence under the table, with the symbol of what it is about.

    `names` are the connections that share it; they follow the text, on a terminal as many as there is room for.
    """

    mark: Cell
    text: str
    names: tuple[str, ...] = ()


class Command(Struct, frozen=True):
    """A command to run next, and what it does."""

    text: str
    purpose: str


class TableView(Struct, frozen=True):
    """What people see. `empty` is said where there are no rows; `lines` stand as they are, unwrapped.

    `alarm` goes before everything else, `verdict` follows the notes: what made the exit code.
    """

    alarm: str = ""
    title: Line = ()
    columns: tuple[Column, ...] = ()
    rows: Sequence[Line] = ()
    empty: str = ""
    lines: Sequence[Line] = ()
    notes: Sequence[Note] = ()
    verdict: str = ""
    commands: Sequence[Command] = ()


def with_texts(view: TableView, change: Callable[[str], str]) -> TableView:
    """The same view with every text that comes from outside omnidb changed."""
    changed = {
        line: _with_texts(line, change) for line in set(view.lines)
    }  # a long topology says the same again and again
    return replace(
        view,
        alarm=change(view.alarm),
        title=_with_texts(view.title, change),
        rows=[_with_texts(row, change) for row in view.rows],
        empty=change(view.empty),
        lines=[changed[line] for line in view.lines],
        notes=[
            replace(note, text=change(note.text), names=tuple(map(change, note.names)) if note.names else ())
            for note in view.notes
        ],
        verdict=change(view.verdict),
        commands=[replace(command, text=change(command.text)) for command in view.commands],
    )


def _with_texts(line: Line, change: Callable[[str], str]) -> Line:
    return tuple(Cell(change(cell.text), cell.style, cell.short and change(cell.short)) for cell in line)


class Report(Struct, frozen=True):
    """One answer of omnidb, for every format that its view has parts for.

    `body` is for JSON and YAML, `items` one object a line, `header` and `rows` are for CSV and TSV, `names` is one
    name a line, `table` is for people. A part that is None cannot be asked for; rows may go without a header.
    """

    body: object
    table: Callable[[], TableView]
    items: Callable[[], Iterable[object]] | None = None
    header: tuple[str, ...] = ()
    rows: Callable[[], Iterable[Sequence[object]]] | None = None
    names: Callable[[], Iterable[str]] | None = None

    @property
    def parts(self) -> tuple[Shape, ...]:
        """What this document can be drawn from."""
        has = {Shape.ITEMS: self.items, Shape.ROWS: self.rows, Shape.NAMES: self.names}
        return (Shape.BODY, Shape.TABLE, *(part for part, source in has.items() if source is not None))
