"""The table for people: drawn on a terminal, plain aligned columns elsewhere."""

from msgspec.structs import replace

from omnidb_cli.output.report import Report, Shape, TableView, with_texts
from omnidb_cli.output.results.model import ResultWriter
from omnidb_cli.output.streams import Streams

DRAWS = (Shape.TABLE, Shape.RESULT)


def write(document: Report, streams: Streams) -> None:
    """The document's table, its sentences and the next commands."""
    write_view(document.table(), streams)


def write_view(view: TableView, streams: Streams) -> None:
    """Draws one view."""
    view = replace(view, notes=[replace(note, text=streams.typed(note.text)) for note in view.notes])
    draw(with_texts(view, lambda text: streams.cell(streams.redact(text))), streams)


def draw(view: TableView, streams: Streams) -> None:
    """Draws one view whose texts are harmless already."""
    if not streams.drawn:
        from omnidb_cli.output.plain import plain_text

        streams.draw(plain_text(view))
        return
    from omnidb_cli.output.terminal.drawing import rendered, sheet

    width = streams.width
    streams.draw(rendered(sheet(view, width=width), width=width, color=streams.color))


def result_writer(streams: Streams) -> ResultWriter:
    """The writer of a result."""
    from omnidb_cli.output.results.table import TableResult

    return TableResult(streams, draw)
