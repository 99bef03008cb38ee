"""omnidb as a process that gets no descriptor for a database, and all that it needs for everything else.

The limit is the operating system's own (`ulimit -n`), lowered just before a socket or a database file is opened:

    python without_descriptors.py [omnidb's arguments]

Database files are those whose names stand in `$WITHOUT_DESCRIPTORS`, separated by commas.
"""

import os
import resource
import runpy
import socket
import sys
from typing import Any

SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
FAMILIES = (socket.AF_INET, socket.AF_INET6)
FILES = tuple(filter(None, os.environ.get("WITHOUT_DESCRIPTORS", "").split(",")))


def limit(event: str, arguments: tuple[Any, ...]) -> None:
    """Called by the interpreter before whatever it reports."""
    match event:
        case "socket.__new__":
            is_database = arguments[1] in FAMILIES
        case "open" | "sqlite3.connect":
            is_database = str(arguments[0]).endswith(FILES)
        case _:
            return
    resource.setrlimit(resource.RLIMIT_NOFILE, (0 if is_database else SOFT, HARD))


if __name__ == "__main__":
    sys.addaudithook(limit)
    runpy.run_module("omnidb_cli", run_name="__main__", alter_sys=True)
