"""CSV as RFC 4180 has it, with bare line feeds: a header row, quotes where a field needs them.

NULL is an empty field, an empty string is `""`; a row of a single NULL is `""` too, since a blank line is no row.
"""

from collections.abc import Iterable

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.formats._records import RecordResult, write_records
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of

DRAWS = (Part.ROWS, Part.RESULT)


def record(values: Iterable[object]) -> str:
    """One record with its line end."""
    return (",".join(map(_field, values)) or '""') + "\n"


def _field(value: object) -> str:
    if value is None:
        return ""
    text = text_of(value)
    if text and not any(mark in text for mark in ',"\r\n') and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'


def write(document: Document, streams: Streams) -> None:
    """The header and the rows."""
    write_records(document, streams, record)


def result_writer(streams: Streams) -> RecordResult:
    """The writer of a result."""
    return RecordResult(streams, record)
