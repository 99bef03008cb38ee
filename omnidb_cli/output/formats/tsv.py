r"""Tab-separated values: one line a row, always as many tabs.

Tab, line feed, carriage return and backslash in a value are `\t`, `\n`, `\r` and `\\`. NULL in a result is `\N`
(as PostgreSQL's and MySQL's own dumps have it); in omnidb's own rows, where nothing else is empty, it is empty.
"""

from collections.abc import Sequence
from functools import partial

from omnidb_cli.output.formats._records import RecordResult, write_records
from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.results.columns import Texts, column_texts, columns_of, plain_texts
from omnidb_cli.output.results.model import Row
from omnidb_cli.output.streams import Streams

DRAWS = (Shape.ROWS, Shape.RESULT)


def records(rows: Sequence[Row], *, null: str = "") -> str:
    """The records, each with its line end."""
    columns = columns_of(rows, lambda values: column_texts(values, null=null, known=_fields))
    return "\n".join(map("\t".join, zip(*columns, strict=True)) if columns else [""] * len(rows)) + "\n"


def _fields(values: Sequence[object], kind: type | None) -> Texts:
    texts = plain_texts(values, kind)
    together = "".join(texts)
    marked = "\\" in together or "\t" in together or "\n" in together or "\r" in together
    return list(map(_field, texts)) if marked else texts


def _field(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def write(document: Report, streams: Streams) -> None:
    """The header and the rows."""
    write_records(document, streams, records)


def result_writer(streams: Streams) -> RecordResult:
    """The writer of a result."""
    return RecordResult(streams, partial(records, null="\\N"))
