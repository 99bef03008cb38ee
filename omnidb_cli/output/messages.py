"""What is said on stderr: for people a sentence, for programs one JSON object with one key a line."""

from datetime import datetime
from typing import TextIO

from msgspec import Struct

from omnidb_cli.output.encoding import encodable, speaks_unicode
from omnidb_cli.output.json_text import compact
from omnidb_cli.output.redaction import Redactor
from omnidb_cli.output.values import visible, visible_lines


class ErrorMessage(Struct, frozen=True):
    """Why omnidb ends with exit code `code`: the kind where it has one, one sentence, and what to do next."""

    code: int
    kind: str | None
    message: str
    connection: str | None = None
    hint: str | None = None


class Notice(Struct, frozen=True):
    """What is not as it should be, although work goes on."""

    message: str
    connection: str | None = None
    hint: str | None = None


class LogEntry(Struct, frozen=True):
    """One step as it was logged; `connection` is the one that it was taken for."""

    time: datetime
    level: str
    logger: str
    message: str
    connection: str | None = None


class Message(Struct, frozen=True):
    """One thing to say: its key in JSON, the object under it, and the same as a sentence with a hint."""

    key: str
    record: object
    sentence: str
    hint: str | None = None


_COLORS = {"error": "1;31", "warning": "33", "hint": "2", "receipt": "2"}


def as_json(say: Message, stream: TextIO, redact: Redactor) -> str:
    """The line for programs."""
    return object_line({say.key: say.record}, stream, redact)


def object_line(record: object, stream: TextIO, redact: Redactor) -> str:
    """The record as a line of JSON."""
    return compact(record, redact, ascii_only=not speaks_unicode(stream)) + "\n"


def as_log_line(entry: LogEntry, stream: TextIO, redact: Redactor) -> str:
    """The line for people: time of day, logger, connection and message."""
    name = "" if entry.connection is None else f" [{entry.connection}]"
    line = f"{entry.time:%H:%M:%S.%f} {entry.logger}{name} {entry.message}"
    return encodable(visible(redact(line)), stream) + "\n"


def as_sentence(say: Message, stream: TextIO, redact: Redactor, *, color: bool) -> str:
    """The lines for people: `error: …`, and below it `  hint: …`; a receipt goes without a label."""
    lines = _labelled(say.key, say.sentence, stream, redact, color)
    if say.hint:
        lines += "  " + _labelled("hint", say.hint, stream, redact, color)
    return lines


def _labelled(key: str, text: str, stream: TextIO, redact: Redactor, color: bool) -> str:
    told = encodable(visible_lines(redact(text)), stream)
    label = "" if key == "receipt" else f"{key}: "
    if not color:
        return f"{label}{told}\n"
    start = f"\x1b[{_COLORS[key]}m"
    return f"{start}{label}\x1b[0m{told}\n" if label else f"{start}{told}\x1b[0m\n"
