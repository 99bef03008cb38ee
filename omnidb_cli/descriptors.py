"""Whether this process can open files, in words: libraries say of the lack of descriptors that a file is not there."""

import errno
import os
from collections.abc import Mapping

LACKS: Mapping[int, tuple[str, str]] = {
    errno.EMFILE: (
        "this process has too many files open (ulimit -n)",
        "raise the limit before omnidb is started (ulimit -n 4096); it says nothing about the server",
    ),
    errno.ENFILE: ("this host has too many files open", "see fs.file-max, and lsof for who"),
}
"""What is said, and what to do about it, by the operating system's number."""


def lack_of_descriptors(needed: int = 1) -> int | None:
    """The operating system's number for why this process cannot open so many files more; None where it can."""
    opened: list[int] = []
    try:
        while len(opened) < needed:
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return None
