"""The two streams: stdout carries the data asked for and nothing else, everything said beside it goes to stderr."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from msgspec.structs import replace

from omnidb_cli.output.encoding import encodable, speaks_unicode, with_stand_ins
from omnidb_cli.output.json_text import compact
from omnidb_cli.output.messages import (
    ErrorMessage,
    LogEntry,
    Message,
    Notice,
    as_json,
    as_log_line,
    as_sentence,
    object_line,
)
from omnidb_cli.output.redaction import Redactor, nothing_secret, redacted
from omnidb_cli.output.report import Report
from omnidb_cli.output.values import visible, visible_cell, visible_lines

MACHINE_FORMATS = ("json", "jsonl")
"""With these, every line on stderr is a JSON object with one key."""

_END_OF_LINE = "\x1b[K"


class Streams:
    """Where output goes and how it may check there.

    `format` is one of the format files; `headers` says whether CSV and TSV begin with their column names.
    `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and `COLUMNS` of `env` are honoured, in this order. Everything goes
    through `redact`, which knows secrets by their form, the rows of a person's own statement excepted. `hide` knows
    them by their text, and is for what others said: it would take our own words for somebody's password. `program` is
    how omnidb has to be typed for the same topology and state: every sentence names its commands as `omnidb …`, in
    backquotes, and says them so.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        *,
        env: Mapping[str, str],
        format: str = "table",  # noqa: A002 - the option's name
        no_color: bool = False,
        headers: bool = True,
        redact: Redactor = nothing_secret,
        hide: Redactor = nothing_secret,
        program: str = "omnidb",
    ) -> None:
        self.out = out
        self.err = err
        self.env = env
        self.format = format
        self.headers = headers
        self.redact = redact
        self.hide = hide
        self.program = program
        self.raw = False
        """Whether the rows of a result go out as the server sent them, a single column without a header."""
        self.is_terminal = out.isatty()
        self.unicode = speaks_unicode(out)
        self._no_color = no_color or bool(env.get("NO_COLOR"))
        self._forced = env.get("FORCE_COLOR", "") not in ("", "0") and not self._no_color
        self._dumb = env.get("TERM") == "dumb"
        self._in_progress = False
        self.is_drawn_over = False
        """Whether a live screen is on the terminal."""

    @classmethod
    def of_process(cls, **settings: Any) -> "Streams":
        """The streams of this process, with the settings of the constructor.

        A closed one (`>&-`) becomes a sink; neither fails on what it cannot encode.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure") and stream.errors != "backslashreplace":  # it would flush
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdout or _sink(), sys.stderr or _sink(), env=os.environ, **settings)

    @property
    def machine(self) -> bool:
        """Whether a program reads along."""
        return self.format in MACHINE_FORMATS

    @property
    def drawn(self) -> bool:
        """Whether tables are drawn for a terminal; if not they are plain columns, never cut."""
        return self.is_terminal or self._forced

    @property
    def color(self) -> bool:
        """Whether stdout gets colour."""
        return self._colors(self.is_terminal)

    @property
    def live(self) -> bool:
        """Whether stdout is a screen that can be drawn anew."""
        return self.is_terminal and not self._dumb

    def _colors(self, is_terminal: bool) -> bool:
        return self._forced or (is_terminal and not self._no_color and not self._dumb)

    @property
    def width(self) -> int | None:
        """The columns that a drawn table may fill, as they are now; None: as many as it needs."""
        return self._setting("COLUMNS") or (self._terminal_size()[0] if self.is_terminal else None)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the screen as they are now."""
        columns, lines = self._terminal_size()
        return self._setting("COLUMNS") or columns, self._setting("LINES") or lines

    def _setting(self, name: str) -> int | None:
        text = self.env.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else None

    def _terminal_size(self) -> tuple[int, int]:
        with suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(self.out.fileno())
            if columns > 0 and lines > 0:
                return columns, lines
        return 80, 24

    def show(self, document: Report) -> None:
        """Writes the document to stdout in the chosen format. Raises ValueError when it has no part for it."""
        from omnidb_cli.output.formats import open_format

        module = open_format(self.format, document.parts)
        module.write(redacted(document, self.redact), self)
        self.flush()

    def show_line(self, document: Report) -> None:
        """Writes the document's object to stdout as one line of JSON, whatever the format."""
        self.write(compact(document.body, self.redact, ascii_only=not self.unicode) + "\n")
        self.flush()

    def line(self, text: str) -> None:
        """Writes one line of text to stdout, redacted."""
        self.draw(self.cell(self.redact(text)) + "\n")
        self.flush()

    def write(self, text: str) -> None:
        """Writes data to stdout as it is; on a terminal none of its control characters gets through."""
        self.out.write(encodable(visible_lines(text) if self.is_terminal else text, self.out))

    def draw(self, text: str) -> None:
        """Writes a drawing to stdout, escape sequences and all: the texts in it have been through `cell`."""
        self.out.write(text if self.unicode else with_stand_ins(text))

    def interject(self, text: str) -> None:
        """Writes a drawing in front of what is buffered: from a signal's handler, where a stream may be in a write."""
        with suppress(OSError):  # the terminal is gone, and whoever writes to it next is told so
            os.write(self.out.fileno(), text.encode())

    def cell(self, text: str) -> str:
        """The text as it may stand in a drawing: harmless for a terminal, and nothing that stdout cannot encode."""
        return encodable(visible(text), self.out)

    def cell_lines(self, text: str) -> str:
        """The same of a text whose lines stay: each of them is harmless."""
        return encodable(visible_cell(text), self.out)

    def flush(self) -> None:
        """Sends out what is buffered, so that a closed pipe shows here and not at the interpreter's end."""
        self.out.flush()

    def receipt(self, record: object, sentence: str) -> None:
        """Says on stderr how something was done: the object for programs, the sentence for people."""
        self._say(Message("receipt", record, sentence))

    def warning(self, message: str, *, connection: str | None = None, hint: str | None = None) -> None:
        """Says on stderr what is not as it should be, although work goes on."""
        told = Notice(self.typed(message), connection, hint and self.typed(hint))
        self._say(Message("warning", told, told.message, told.hint))

    def error(self, failure: ErrorMessage) -> None:
        """Says on stderr why omnidb ends with `failure.code`."""
        told = replace(failure, message=self.typed(failure.message), hint=failure.hint and self.typed(failure.hint))
        self._say(Message("error", told, told.message, told.hint))

    def typed(self, text: str) -> str:
        """The sentence with its commands as they have to be typed here: those that stand in backquotes."""
        return text.replace("`omnidb ", f"`{self.redact(self.program)} ")

    def trace(self, text: str) -> None:
        """Writes the traceback that `--debug` asked for to stderr, redacted."""
        self._tell(encodable(visible_lines(self.hide(self.redact(text))), self.err))

    def log(self, entry: LogEntry, *, as_object: bool) -> None:
        """Writes a line of the log to stderr: with `as_object` the entry itself, beside JSON under the key `log`.

        Nothing is written over a screen that is drawn on the same terminal.
        """
        if self.is_drawn_over and self.err.isatty():
            return
        if self.machine:
            line = as_json(Message("log", entry, entry.message), self.err, self.redact)
        elif as_object:
            line = object_line(entry, self.err, self.redact)
        else:
            line = as_log_line(entry, self.err, self.redact)
        self._tell(f"\r{_END_OF_LINE}{line}" if self._in_progress else line)

    def progress(self, text: str | None) -> None:
        """Shows on a terminal's stderr what is being waited for, until something else is said; None takes it away."""
        if self.machine or self._dumb or not self.err.isatty():
            return
        if text is not None:
            self._tell("\r" + encodable(visible(self.redact(text)), self.err)[: self.size[0] - 1] + _END_OF_LINE)
        elif self._in_progress:
            self._tell("\r" + _END_OF_LINE)
        self._in_progress = text is not None

    def _say(self, say: Message) -> None:
        if self.machine:
            text = as_json(say, self.err, self.redact)
        else:
            text = as_sentence(say, self.err, self.redact, color=self._colors(self.err.isatty()))
        self._tell(text)

    def _tell(self, text: str) -> None:
        try:
            self.err.write(text)
            self.err.flush()
        except BrokenPipeError:
            _point_nowhere(self.err)  # nobody is left to be told

    def abandon(self) -> None:
        """Gives stdout up after a BrokenPipeError: nothing fails on it any more, not even the interpreter's end."""
        _point_nowhere(self.out)


def _point_nowhere(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)


def _sink() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - lives as long as the process
