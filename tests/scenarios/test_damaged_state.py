"""A state that is damaged, or none at all: what only reads goes on and says so, what must know ends with 31."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.shop import Shop


def sql(statement: str) -> Callable[[Path], None]:
    def damage(state: Path) -> None:
        with closing(sqlite3.connect(state)) as db:
            db.execute(statement)
            db.commit()

    return damage


def instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(state: Path) -> None:
        state.unlink()
        make(state)

    return damage


OURS: dict[str, Callable[[Path], None]] = {
    "a row that is not UTF-8": sql("UPDATE connections SET record = CAST(x'7bff7d' AS TEXT)"),
    "a BLOB for a row": sql("UPDATE connections SET record = x'7b7d'"),
    "a number for a row": sql("UPDATE connections SET record = 7.5"),
    "a schema that is not UTF-8": lambda state: (
        state.write_bytes(state.read_bytes().replace(b"TABLE writers", b"TABLE \xff\xfeiters")) and None
    ),
    "a truncated file": lambda state: os.truncate(state, state.stat().st_size // 2),
}
NOT_OURS: dict[str, Callable[[Path], None]] = {
    "an empty file": lambda state: os.truncate(state, 0),
    "a text": lambda state: state.write_text("not a database\n" * 1000) and None,
    "a folder": instead(Path.mkdir),
    "a FIFO": instead(os.mkfifo),
    "a link to a device": instead(lambda state: state.symlink_to("/dev/zero")),
    "a link to nothing": instead(lambda state: state.symlink_to("elsewhere.db")),
    "another application's database": instead(sql("CREATE TABLE orders (id INTEGER)")),
}
EVERY = {**OURS, **NOT_OURS}
READS = (("status",), ("watch", "--count", "1"), ("route", "primary"), ("circuit", "list"))
MUST_KNOW = (
    ("exec", "primary", "SELECT 1"),
    ("circuit", "open", "primary"),
    ("circuit", "close", "primary"),
)


def unread(state: Path) -> tuple[int, int, int, int]:
    """What of a file only a change changes."""
    found = state.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


@pytest.mark.parametrize("damage", EVERY)
def test_commands_that_only_read_go_on_and_the_others_do_not(shop: Shop, damage: str) -> None:
    shop.run("circuit", "open", "replica")
    EVERY[damage](shop.state)
    before = unread(shop.state)
    for command in READS:
        ended = shop.run(*command)
        assert (ended.returncode, ended.stderr.partition(":")[::2][0]) == (0, "warning"), (command, ended.stderr)
        assert "state not available: " in ended.stderr
        assert "primary" in ended.stdout
    for command in MUST_KNOW:
        ended = shop.run(*command)
        assert (ended.returncode, ended.stdout) == (31, ""), (command, ended.stderr)
    assert unread(shop.state) == before
    beside = {one.name for one in shop.state.parent.iterdir()} - {shop.state.name}
    assert beside <= {f"{shop.state.name}{journal}" for journal in ("-wal", "-shm")}  # of a watch that ended in haste


@pytest.mark.parametrize("damage", OURS)
def test_reset_keeps_what_is_ours(shop: Shop, damage: str) -> None:
    shop.run("circuit", "open", "replica")
    EVERY[damage](shop.state)
    aside = shop.object("state", "reset")["kept_aside"]
    assert Path(aside).is_file()
    assert shop.code("exec", "primary", "SELECT 1") == 0
    assert not shop.circuit("replica")["manual"]


@pytest.mark.parametrize("damage", NOT_OURS)
def test_reset_leaves_what_is_not(shop: Shop, damage: str) -> None:
    shop.run("circuit", "open", "replica")
    EVERY[damage](shop.state)
    before = unread(shop.state)
    ended = shop.run("state", "reset")
    assert (ended.returncode, ended.stdout) == (32, "")
    assert [one.name for one in shop.state.parent.iterdir()] == [shop.state.name]
    assert unread(shop.state) == before
