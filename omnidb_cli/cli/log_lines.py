"""The log on stderr, for `--debug` and `OMNIDB_LOG`. Imported where one of them asks for it, and `logging` with it."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omnidb_cli.cli.options import refuse
from omnidb_cli.errors import within_limit
from omnidb_cli.log import ROOT
from omnidb_cli.output.messages import LogEntry

if TYPE_CHECKING:
    from omnidb_cli.cli.errors import Reporter

_FORMS = ("debug", "json")


class LogLines(logging.Handler):
    """Writes each record on the context's stderr, a line each; `as_objects` for programs."""

    def __init__(self, context: "Reporter", *, as_objects: bool) -> None:
        super().__init__(logging.DEBUG)
        self._context = context
        self._as_objects = as_objects

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line. Where stderr takes none the log ends: no check may fail by its log."""
        streams = self._context.streams
        entry = LogEntry(
            datetime.fromtimestamp(record.created, UTC),
            record.levelname.lower(),
            record.name,
            streams.hide(within_limit(record.getMessage())),
            getattr(record, "connection", None),
        )
        try:
            streams.log(entry, as_object=self._as_objects)
        except OSError:
            self.detach()

    def attach(self) -> None:
        """Listens from now on."""
        logger = logging.getLogger(ROOT)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self)

    def detach(self) -> None:
        """Listens no more."""
        logger = logging.getLogger(ROOT)
        logger.removeHandler(self)
        if not logger.handlers:
            logger.setLevel(logging.NOTSET)


def log_lines(context: "Reporter", form: str) -> LogLines:
    """The log in the form that $OMNIDB_LOG names. Raises a usage error for one that is none."""
    if form not in _FORMS:
        refuse("'$OMNIDB_LOG'", form, _FORMS)
    return LogLines(context, as_objects=form == "json")
