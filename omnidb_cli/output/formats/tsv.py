r"""Tab-separated values: one line a row, always as many tabs.

Tab, line feed, carriage return and backslash in a value are `\t`, `\n`, `\r` and `\\`. NULL in a result is `\N`
(as PostgreSQL's and MySQL's own dumps have it); in omnidb's own rows, where nothing else is empty, it is empty.
"""

from collections.abc import Iterable
from functools import partial

from omnidb_cli.output.document import Document, Part
from omnidb_cli.output.formats._records import RecordResult, write_records
from omnidb_cli.output.streams import Streams
from omnidb_cli.output.values import text_of

DRAWS = (Part.ROWS, Part.RESULT)

_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def record(values: Iterable[object], *, null: str = "") -> str:
    """One record with its line end."""
    return "\t".join(null if value is None else text_of(value).translate(_ESCAPES) for value in values) + "\n"


def write(document: Document, streams: Streams) -> None:
    """The header and the rows."""
    write_records(document, streams, record)


def result_writer(streams: Streams) -> RecordResult:
    """The writer of a result."""
    return RecordResult(streams, partial(record, null="\\N"))
