"""`python -m omnidb_cli`, and the `omnidb` command."""

import os
import sys

from omnidb_cli.cli import collector, signals


def main() -> None:
    """Runs the command line and ends the process with its code, at once.

    A thread that hangs in a dead file system must not hold up the end; everything of ours is closed and flushed by
    then.
    """
    signals.end_at_once()
    collector.hold_off()
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # they are text files here
    from omnidb_cli.cli.app import app
    from omnidb_cli.cli.context import Context
    from omnidb_cli.cli.errors import guarded

    collector.hurry()

    def run() -> None:
        signals.install()
        app(prog_name="omnidb")

    try:
        code: object = int(guarded(run, Context))
    except SystemExit as end:
        code = end.code
    _leave(code if isinstance(code, int) else 1)


def _replace_closed_streams() -> None:
    """Puts a sink where a stream is closed (`>&-`): else the next file to be opened would take its number."""
    if sys.stdin and sys.stdout and sys.stderr:
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _leave(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # the reader is gone, and there is nobody left to tell
        except OSError:
            code = code or 1  # what was to be said is lost: that is no success
    os._exit(code)


if __name__ == "__main__":
    main()
