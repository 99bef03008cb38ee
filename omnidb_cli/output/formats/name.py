"""Names alone, one a line, for loops in a shell."""

from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.streams import Streams

DRAWS = (Shape.NAMES,)


def write(document: Report, streams: Streams) -> None:
    """One name a line."""
    for name in document.names() if document.names else ():
        streams.draw(streams.cell(name) + "\n")
