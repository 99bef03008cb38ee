"""The steps omnidb takes, logged by the standard library's `logging` under `omnidb.<room>`.

Nothing here imports `logging`: whoever listens has imported it, and where nobody has, a step costs one look-up.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import ContextVar
    from logging import Logger

ROOT = "omnidb"


class Log:
    """The logger of a room, `omnidb.<room>`; a message is formatted only where somebody listens."""

    def __init__(self, room: str) -> None:
        self._name = f"{ROOT}.{room}"
        self._logger: Logger | None = None

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens."""
        logging = sys.modules.get("logging")
        if logging is None:
            return False
        if self._logger is None:
            self._logger = logging.getLogger(self._name)
        return self._logger.isEnabledFor(logging.DEBUG)

    def debug(self, message: str, *values: object, connection: str | None = None) -> None:
        """Logs a step; of `connection`, else of the one that `about` names."""
        if self.is_heard and self._logger is not None:
            self._logger.debug(message, *values, extra={"connection": connection or _connection().get()}, stacklevel=2)


@contextmanager
def about(connection: str) -> Iterator[None]:
    """Inside, every step is one of `connection`, however deep it is logged."""
    token = _connection().set(connection)
    try:
        yield
    finally:
        _connection().reset(token)


@cache
def _connection() -> "ContextVar[str | None]":
    from contextvars import ContextVar

    return ContextVar("connection", default=None)
