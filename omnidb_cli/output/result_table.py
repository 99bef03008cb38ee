"""A statement's result as a table: a page on a terminal, everything elsewhere."""

from collections.abc import Callable, Iterator, Sequence

from omnidb_cli.output.columns import Texts, blocks, column_texts, columns_of, plain_texts
from omnidb_cli.output.document import Cell, Column, Line, Style, TableView
from omnidb_cli.output.layout import GAP, display_width, natural_widths
from omnidb_cli.output.results import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of

PAGE = 200
"""Rows that a terminal gets; elsewhere, the rows that decide how wide the columns are."""

_NULL = Cell("NULL", Style.QUIET)


class TableResult:
    """On a terminal the first page, drawn; a result too wide for it becomes a list of records.

    Elsewhere every row: the first page decides the widths, the rest follows as it comes.
    """

    def __init__(self, streams: Streams, draw: Callable[[TableView, Streams], None]) -> None:
        self._streams = streams
        self._draw = draw
        self._names: tuple[str, ...] = ()
        self._columns: tuple[Column, ...] = ()
        self._page: list[Row] = []
        self._widths: list[int] | None = None
        self._more = False

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the column names."""
        self._names = tuple(columns)

    def rows(self, batch: Sequence[Row]) -> bool:
        """Keeps a page; on a terminal no more is wanted once a row beyond it has been seen."""
        if self._widths is not None:
            self._write_plain(batch)
            return True
        room = PAGE - len(self._page)
        self._page += batch[:room]
        if len(batch) <= room:
            return True
        if self._streams.drawn:
            self._more = True
            return False
        self._begin_plain()
        self._write_plain(batch[room:])
        return True

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - a table says nothing besides
        """Draws what was kept; nothing of a statement without rows, whose status goes with the receipt."""
        if self._names and self._streams.drawn:
            self._draw_page()
        elif self._names and self._widths is None:
            self._begin_plain()
        self._streams.flush()
        if self._more:
            self._streams.warning(
                f"only the first {PAGE} rows are shown",
                hint="every row comes with -o csv, -o jsonl, or when the output is piped",
            )

    def _begin_plain(self) -> None:
        self._columns = self._aligned_columns()
        titles = [column.title for column in self._columns]
        texts = columns_of(self._page, self._texts) or [()] * len(titles)
        self._widths = [max(map(display_width, (title, *column))) for title, column in zip(titles, texts, strict=True)]
        self._write_lines([[title] for title in titles])
        self._write_plain(self._page)

    def _write_plain(self, batch: Sequence[Row]) -> None:
        for block in blocks(batch):
            self._write_lines(columns_of(block, self._texts))

    def _texts(self, values: Sequence[object]) -> Texts:
        return column_texts(values, null=_NULL.text, known=self._cell_texts)

    def _cell_texts(self, values: Sequence[object], kind: type | None) -> Texts:
        texts = plain_texts(values, kind)
        together = "".join(texts)
        return texts if together.isascii() and together.isprintable() else list(map(self._streams.cell, texts))

    def _write_lines(self, texts: Sequence[Texts]) -> None:
        padded = [
            _padded(column, width, right=place.right)
            for column, width, place in zip(texts, self._widths or (), self._columns, strict=True)
        ]
        lines = map((" " * GAP).join, zip(*padded, strict=True))
        self._streams.draw("".join([line.rstrip(" ") + "\n" for line in lines]))

    def _draw_page(self) -> None:
        columns, rows = self._aligned_columns(), [self._cells(row) for row in self._page]
        titles = [column.title for column in columns]
        width = self._streams.width
        needed = sum(natural_widths(titles, [[cell.text for cell in row] for row in rows])) + GAP * (len(columns) - 1)
        if not rows:
            view = TableView(lines=[tuple(Cell(title, Style.QUIET) for title in titles)])
        elif width is None or needed <= width:
            view = TableView(columns=columns, rows=rows)
        else:
            view = TableView(columns=(Column(), Column(min_width=20)), rows=list(_records(titles, rows)))
        self._draw(view, self._streams)

    def _aligned_columns(self) -> tuple[Column, ...]:
        values = zip(*self._page, strict=True) if self._page else ((),) * len(self._names)
        return tuple(
            Column(self._streams.cell(name), right=_numeric(column))
            for name, column in zip(self._names, values, strict=True)
        )

    def _cells(self, row: Row) -> Line:
        return tuple(_NULL if value is None else Cell(self._streams.cell(text_of(value))) for value in row)


def _padded(texts: Texts, width: int, *, right: bool) -> Texts:
    """Each text with the blanks that it lacks; a wider one stays as it is."""
    pad = str.rjust if right else str.ljust
    if "".join(texts).isascii():
        return [pad(text, width) for text in texts]
    return [pad(text, width - display_width(text) + len(text)) for text in texts]


def _numeric(column: Sequence[object]) -> bool:
    from numbers import Number

    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(value, Number) and not isinstance(value, bool) for value in known)


def _records(titles: Sequence[str], rows: Sequence[Line]) -> Iterator[Line]:
    for number, row in enumerate(rows, start=1):
        yield Cell(f"row {number}", Style.QUIET), Cell("")
        yield from ((Cell(f"  {title}", Style.STRONG), cell) for title, cell in zip(titles, row, strict=True))
