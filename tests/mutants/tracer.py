"""Notes which lines of the package run, in every process of the copy in which the coverage is taken.

It is imported by each interpreter of that copy before anything else, so it imports next to nothing itself.
"""

import fcntl
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
PACKAGE = os.path.join(ROOT, "omnidb_cli") + os.sep  # noqa: PTH118
NOTES = os.path.join(ROOT, ".lines")  # noqa: PTH118
CURRENT = os.path.join(NOTES, "current")  # noqa: PTH118

seen: set[tuple[str, int]] = set()
"""What has run in this process since the test began: file (below the package) and line."""

_ENOUGH = 100
"""After so many calls of a function in one test its lines are known: what runs a million times is not slowed down."""

_ours: dict[CodeType, str | None] = {}
_calls: dict[CodeType, int] = {}
_file: int | None = None


def begin(test: str) -> None:
    """From now on what runs is this test's, in processes that it starts too."""
    seen.clear()
    _calls.clear()
    with open(CURRENT, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(test)


def write_through() -> None:
    """Has this process put each new line into a file of its own at once: it may be killed at any time."""
    global _file  # noqa: PLW0603 - a process has one such file
    with open(CURRENT, encoding="utf-8") as current:  # noqa: PTH123
        test = current.read()
    path = os.path.join(NOTES, f"{os.getpid()}-{os.urandom(4).hex()}.txt")  # noqa: PTH118
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _file = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 100)  # never in the place of a stream that was closed
    os.close(opened)
    os.write(_file, f"{test}\n".encode())


def _called(frame: FrameType, _event: str, _argument: object) -> Any:
    code = frame.f_code
    if code not in _ours:
        path = code.co_filename
        _ours[code] = path[len(PACKAGE) :] if path.startswith(PACKAGE) else None
    if _ours[code] is None:
        return None
    _calls[code] = calls = _calls.get(code, 0) + 1
    if calls > _ENOUGH:
        return None
    _note(code, code.co_firstlineno)
    return _ran


def _ran(frame: FrameType, event: str, _argument: object) -> Any:
    if event == "line":
        _note(frame.f_code, frame.f_lineno)
    return _ran


def _note(code: CodeType, line: int) -> None:
    place = (_ours[code] or "", line)
    if place not in seen:
        seen.add(place)
        if _file is not None:
            os.write(_file, f"{place[0]}:{place[1]}\n".encode())


def _start() -> None:
    if os.path.exists(CURRENT):  # noqa: PTH110
        write_through()
    threading.settrace(_called)
    sys.settrace(_called)


_start()
