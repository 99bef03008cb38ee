"""A statement's result as a table: a page on a terminal, everything elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, zip_longest
from time import monotonic

from omnidb_cli.output.encoding import encodable
from omnidb_cli.output.report import Cell, Column, Line, Style, TableView
from omnidb_cli.output.results.columns import Texts, blocks, column_texts, columns_of, plain_texts
from omnidb_cli.output.results.model import ResultSummary, Row
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.terminal.layout import GAP, natural_widths, text_width
from omnidb_cli.output.values import lines_of, text_of, visible_lines

PAGE = 200
"""Rows that a terminal gets."""

AHEAD = 10_000
"""Rows that elsewhere decide together how wide the columns are; fewer where they are long."""

_AHEAD_CHARS = 400_000

_SHORT = 8
"""What numbers, dates and the like take, about."""

PAGE_CHARS = 100_000
"""Characters that the values of a page may have together: beyond, each is cut to its part of them."""

SHORTEST_CUT = 64
"""Characters that a value keeps, however many there are."""

COUNTED = 100_000
"""Rows that are read on a terminal at most, to tell how many there are beyond its page."""

_COUNTED_S = 1.0

_NULL = Cell("NULL", Style.QUIET)
_WHOLE = "every {} comes whole with -o csv, -o jsonl, or when the output is piped"


class TableResult:
    """On a terminal the first page, drawn; a result too wide for it becomes a list of records.

    Elsewhere every row: the first ones decide the widths, the rest follows as it comes, and what is wider widens its
    column from there on. A single text of several lines is printed as it is.
    """

    def __init__(
        self,
        streams: Streams,
        draw: Callable[[TableView, Streams], None],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._streams = streams
        self._draw = draw
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._columns: tuple[Column, ...] = ()
        self._page: list[Row] = []
        self._chars = 0
        self._widths: list[int] | None = None
        self._count = 0
        self._counts_until: float | None = None
        self._is_whole = True
        self._cut = 0

    def begin(self, columns: Sequence[str]) -> None:
        """Takes the column names."""
        self._names = tuple(columns)

    def rows(self, batch: Sequence[Row]) -> bool:
        """Keeps a page, and on a terminal counts on for a while: then no more is wanted."""
        self._count += len(batch)
        if self._streams.drawn:
            return self._on_a_terminal(batch)
        if self._widths is not None:
            self._write_plain(batch)
            return True
        self._page += batch
        self._chars += sum(_size(value) for row in batch for value in row)
        if len(self._page) >= AHEAD or self._chars >= _AHEAD_CHARS:
            self._begin_plain()
        return True

    def _on_a_terminal(self, batch: Sequence[Row]) -> bool:
        if self._counts_until is None:
            self._page += batch[: PAGE - len(self._page)]
            if self._count > PAGE:
                self._draw_page()  # nobody waits for the count to see it
                self._streams.flush()
                self._counts_until = self._clock() + _COUNTED_S
        self._is_whole = self._counts_until is None or (self._count <= COUNTED and self._clock() < self._counts_until)
        return self._is_whole

    def end(self, result: ResultSummary) -> None:  # noqa: ARG002 - a table says nothing besides
        """Draws what was kept; nothing of a statement without rows, whose status goes with the receipt."""
        if self._counts_until is None and self._widths is None and self._names:
            self._draw_kept()
        self._streams.flush()
        if self._counts_until is not None:
            total = f"{'' if self._is_whole else 'at least '}{self._count:,}"
            self._streams.warning(f"{PAGE} of {total} rows shown", hint=_WHOLE.format("row"))
        if self._cut:
            told = "1 value is cut" if self._cut == 1 else f"{self._cut:,} values are cut"
            self._streams.warning(f"{told}: too long for a terminal", hint=_WHOLE.format("value"))

    def _draw_kept(self) -> None:
        if (text := self._only_text()) is not None:
            self._streams.draw(text)
        elif self._streams.drawn:
            self._draw_page()
        else:
            self._begin_plain()

    def _only_text(self) -> str | None:
        """The one value of a result that has no other and several lines, such as an INFO; None of any other result."""
        if len(self._page) != 1 or len(self._names) != 1:
            return None
        value = self._page[0][0]
        if not isinstance(value, str) or "\n" not in value:
            return None
        text = encodable(visible_lines(lines_of(value)), self._streams.out)
        return text if text.endswith("\n") else f"{text}\n"

    def _begin_plain(self) -> None:
        self._columns = self._aligned_columns()
        self._widths = [text_width(column.title) for column in self._columns]
        texts = columns_of(self._page, self._texts)
        self._widen(texts)
        self._write_lines([[column.title] for column in self._columns])
        if texts:
            self._write_lines(texts)
        self._page = []

    def _write_plain(self, batch: Sequence[Row]) -> None:
        for block in blocks(batch):
            texts = columns_of(block, self._texts)
            self._widen(texts)
            self._write_lines(texts)

    def _widen(self, texts: Sequence[Texts]) -> None:
        widths = self._widths or []
        for index, column in enumerate(texts):
            widths[index] = max(widths[index], _widest(column))

    def _texts(self, values: Sequence[object]) -> Texts:
        return column_texts(values, null=_NULL.text, known=self._cell_texts)

    def _cell_texts(self, values: Sequence[object], kind: type | None) -> Texts:
        texts = plain_texts(values, kind)
        together = "".join(texts)
        return texts if together.isascii() and together.isprintable() else list(map(self._streams.cell_lines, texts))

    def _write_lines(self, texts: Sequence[Texts]) -> None:
        if any("\n" in "".join(column) for column in texts):
            texts = _line_by_line(texts)
        padded = [
            _padded(column, width, right=place.right)
            for column, width, place in zip(texts, self._widths or (), self._columns, strict=True)
        ]
        lines = map((" " * GAP).join, zip(*padded, strict=True))
        self._streams.draw("".join([line.rstrip(" ") + "\n" for line in lines]))

    def _draw_page(self) -> None:
        longest = max(PAGE_CHARS // max(len(self._page) * len(self._names), 1), SHORTEST_CUT)
        columns, rows = self._aligned_columns(), [self._cells(row, longest) for row in self._page]
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

    def _cells(self, row: Row, longest: int) -> Line:
        return tuple(_NULL if value is None else Cell(self._cell_text(text_of(value), longest)) for value in row)

    def _cell_text(self, text: str, longest: int) -> str:
        """Harmless, and cut before anything measures it."""
        if len(text) <= longest:
            return self._streams.cell_lines(text)
        self._cut += 1
        return f"{self._streams.cell_lines(text[:longest])}… ({len(text):,} characters)"


def _size(value: object) -> int:
    """About how many characters a value takes."""
    if isinstance(value, str | bytes):
        return len(value)
    return len(text_of(value)) if isinstance(value, list | dict) else _SHORT


def _widest(texts: Texts) -> int:
    together = "".join(texts)
    return max(map(len if together.isascii() and "\n" not in together else text_width, texts), default=0)


def _line_by_line(texts: Sequence[Texts]) -> list[Texts]:
    """The columns with a text for each line: those of one row that has fewer are empty."""
    rows = (zip_longest(*(text.split("\n") for text in row), fillvalue="") for row in zip(*texts, strict=True))
    return [list(column) for column in zip(*chain.from_iterable(rows), strict=True)]


def _padded(texts: Texts, width: int, *, right: bool) -> Texts:
    """Each text with the blanks that it lacks."""
    pad = str.rjust if right else str.ljust
    if "".join(texts).isascii():
        return [pad(text, width) for text in texts]
    return [pad(text, width - text_width(text) + len(text)) for text in texts]


def _numeric(column: Sequence[object]) -> bool:
    from numbers import Number

    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(value, Number) and not isinstance(value, bool) for value in known)


def _records(titles: Sequence[str], rows: Sequence[Line]) -> Iterator[Line]:
    for number, row in enumerate(rows, start=1):
        yield Cell(f"row {number}", Style.QUIET), Cell("")
        yield from ((Cell(f"  {title}", Style.STRONG), cell) for title, cell in zip(titles, row, strict=True))
