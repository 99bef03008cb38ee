"""`python -m omnidb_cli`, and the `omnidb` command."""

import gc
import os
import sys


def main() -> None:
    """Runs the command line and ends the process with its code, at once.

    A thread that hangs in a dead file system must not hold up the end; everything of ours is closed and flushed by
    then.
    """
    gc.disable()  # start-up makes many objects and no garbage
    from omnidb_cli.cli.app import app

    gc.enable()
    gc.freeze()
    try:
        app(prog_name="omnidb")
        code: object = 0
    except SystemExit as end:
        code = end.code
    _leave(code if isinstance(code, int) else 1)


def _leave(code: int) -> None:
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        pass  # the reader is gone, and there is nobody left to tell
    os._exit(code)


if __name__ == "__main__":
    main()
