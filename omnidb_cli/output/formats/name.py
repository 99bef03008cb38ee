"""Names alone, one a line, for loops in a shell."""

from omnidb_cli.output.report import Document, Part
from omnidb_cli.output.streams import Streams

DRAWS = (Part.NAMES,)


def write(document: Document, streams: Streams) -> None:
    """One name a line."""
    for name in document.names() if document.names else ():
        streams.draw(streams.cell(name) + "\n")
