"""CSV as RFC 4180 has it, with bare line feeds: a header row, quotes where a field needs them.

NULL is an empty field, an empty string is `""`; a row of a single NULL is `""` too, since a blank line is no row.
"""

from collections.abc import Sequence
from operator import eq

from omnidb_cli.output.formats._records import RecordResult, write_records
from omnidb_cli.output.report import Report, Shape
from omnidb_cli.output.results.columns import Texts, column_texts, columns_of, plain_texts
from omnidb_cli.output.results.model import Row
from omnidb_cli.output.streams import Streams

DRAWS = (Shape.ROWS, Shape.RESULT)


def records(rows: Sequence[Row]) -> str:
    """The records, each with its line end."""
    null = '""' if len(rows[0]) == 1 else ""
    columns = columns_of(rows, lambda values: column_texts(values, null=null, known=_fields))
    return "\n".join(map(",".join, zip(*columns, strict=True)) if columns else ['""'] * len(rows)) + "\n"


def _fields(values: Sequence[object], kind: type | None) -> Texts:
    texts = plain_texts(values, kind)
    return texts if kind in _UNQUOTED or _need_no_quotes(texts) else list(map(_field, texts))


_UNQUOTED = (int, float, bool)


def _need_no_quotes(texts: Texts) -> bool:
    """Checks them all at once, which is many times as quick as one by one."""
    together = "".join(texts)
    marked = '"' in together or "," in together or "\n" in together or "\r" in together
    return not marked and all(texts) and all(map(eq, map(str.strip, texts), texts))


def _field(text: str) -> str:
    marked = '"' in text or "," in text or "\n" in text or "\r" in text
    return '"' + text.replace('"', '""') + '"' if marked or not text or text != text.strip() else text


def write(document: Report, streams: Streams) -> None:
    """The header and the rows."""
    write_records(document, streams, records)


def result_writer(streams: Streams) -> RecordResult:
    """The writer of a result."""
    return RecordResult(streams, records)
