"""Keeps an old state file beside the new one, under a name with the time in it."""

import os
from contextlib import closing
from itertools import count
from pathlib import Path

from omnidb_cli.state._sqlite_file import JOURNALS, connect, folder_lock


def copy_aside(path: str, stamp: str) -> str:
    """Copies what is committed; returns the name, with `stamp` in it. The caller holds the write lock."""
    aside = _free_name(path, stamp)
    os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(connect(path)) as db:
            db.execute("VACUUM INTO ?", (aside,))
        _sync(aside)
    except BaseException:
        Path(aside).unlink()
        raise
    return aside


def move_aside(path: str, stamp: str) -> str:
    """Renames the file and its journal, whatever is in them; returns the new name."""
    with folder_lock(path):
        aside = _free_name(path, stamp)
        Path(path).rename(aside)
        for journal in JOURNALS:
            if Path(path + journal).exists():
                Path(path + journal).rename(aside + journal)
    return aside


def _free_name(path: str, stamp: str) -> str:
    """`state.db` → `state-<stamp>.db`, with a number where that is taken."""
    whole = Path(path)
    for attempt in count():
        number = f"-{attempt}" if attempt else ""
        name = whole.with_name(f"{whole.stem}-{stamp}{number}{whole.suffix}")
        if not name.exists():
            return str(name)
    raise AssertionError("unreachable: count() does not end")


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
