"""Keeps an old state file beside the new one, under a name with the time in it."""

import os
from contextlib import closing
from itertools import count
from pathlib import Path

from omnidb_cli.errors import PreconditionError
from omnidb_cli.state.sqlite.file import connect, folder_lock
from omnidb_cli.state.sqlite.path import JOURNALS, is_ours
from omnidb_cli.state.sqlite.rights import create


def copy_aside(path: str, stamp: str) -> str:
    """Copies what is committed; returns the name, with `stamp` in it. The caller holds the write lock."""
    aside = _free_name(path, stamp)
    create(aside)
    try:
        with closing(connect(path)) as db:
            db.execute("VACUUM INTO ?", (aside,))
        _sync(aside)
    except BaseException:
        Path(aside).unlink()
        raise
    return aside


def move_aside(path: str, stamp: str) -> str:
    """Renames the file and its journals, whatever else is in them; returns the new name.

    Raises PreconditionError where nothing in the file says that it is ours.
    """
    with folder_lock(path):
        if not is_ours(path):
            raise not_ours(path)
        aside = _free_name(path, stamp)
        Path(path).rename(aside)
        for journal in JOURNALS:
            if Path(path + journal).exists():
                Path(path + journal).rename(aside + journal)
    return aside


def not_ours(what: str) -> PreconditionError:
    """The refusal to put aside what may be somebody else's."""
    return PreconditionError(
        f"{what}: it is not known to be omnidb's saved state, so it stays where it is and as it is",
        hint="move it away yourself if nobody needs it there, or name another file with --state",
    )


def _free_name(path: str, stamp: str) -> str:
    """`state.db` → `state-<stamp>.db`, with a number where that is taken."""
    whole = Path(path)
    for attempt in count():
        number = f"-{attempt}" if attempt else ""
        name = whole.with_name(f"{whole.stem}-{stamp}{number}{whole.suffix}")
        if not (name.exists() or name.is_symlink()):
            return str(name)
    raise AssertionError("unreachable: count() does not end")


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
