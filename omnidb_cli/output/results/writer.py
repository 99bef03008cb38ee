"""Chooses who writes a result."""

from typing import TYPE_CHECKING

from omnidb_cli.output.results.model import PARTS, ResultWriter

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams


def open_result_writer(streams: "Streams") -> ResultWriter:
    """The writer of the chosen format. Raises ValueError when that format cannot carry a result."""
    if streams.raw:
        from omnidb_cli.output.results.raw import RawResult

        return RawResult(streams)
    from omnidb_cli.output.formats import open_format

    writer: ResultWriter = open_format(streams.format, PARTS).result_writer(streams)
    return writer
