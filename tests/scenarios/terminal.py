"""A real terminal (a pty) under a process: what it is sent is kept, and its size can change."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from typing import Any

from tests.scenarios.shop import PATIENCE_S, Shop

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A process on a terminal of its own."""

    def __init__(
        self, shop: Shop, *command: str, columns: int = 80, lines: int = 24, env: Mapping[str, str] = {}, **streams: Any
    ) -> None:
        self._ours, theirs = os.openpty()
        self.resize(columns, lines)
        screen = {"stdin": theirs, "stdout": theirs, "stderr": theirs, **streams}
        self.process: subprocess.Popen[str] = shop.start(*command, env=env, start_new_session=True, **screen)
        os.close(theirs)
        self.sent = ""

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: str, *, after: int = 0) -> int:
        """Waits until `text` was sent; where it ends in all that was sent."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.sent[after:]:
            assert time.monotonic() < deadline, f"never sent: {text!r} in {self.plain(after)!r}"
            assert self._read(0.05), f"ended without {text!r}: {self.plain(after)!r}"
        return self.sent.index(text, after) + len(text)

    def ended(self) -> int:
        """How the process ended; all that it sent has been read."""
        while self._read(PATIENCE_S):
            pass
        return self.process.wait(timeout=PATIENCE_S)

    def plain(self, after: int = 0, before: int | None = None) -> str:
        """What was sent, without colours and movements of the cursor."""
        return _ESCAPES.sub("", self.sent[after:before]).replace("\r\n", "\n")

    def _read(self, patience_s: float) -> bool:
        if not select.select([self._ours], [], [], patience_s)[0]:
            return True
        try:
            got = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.sent += got.decode(errors="replace")
        return bool(got)

    def close(self) -> None:
        os.close(self._ours)
