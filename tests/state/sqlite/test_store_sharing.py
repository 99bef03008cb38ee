"""Accounts that share a state by sharing its folder, and those that do not."""

import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from omnidb_cli.core.reducer import ConnectionState
from omnidb_cli.state.sqlite import file as sqlite_file
from omnidb_cli.state.sqlite.store import SqliteStore, open_store
from omnidb_cli.state.store import StoredConnection

WORKER = Path(__file__).parents[1] / "worker.py"
ANN, BEN, STRANGER, DBA = 54_321, 54_322, 54_323, 54_400
ROW = StoredConnection(ConnectionState(), "f1")
FILES = {"shop.db", "shop.db-wal", "shop.db-shm"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other accounts")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder below nothing that is closed to others, as pytest's own is."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        below = Path(made) / "state"
        below.mkdir()
        yield below


def share(folder: Path, mode: int) -> None:
    if os.geteuid() == 0:
        os.chown(folder, -1, DBA)
    folder.chmod(mode)


def opened(folder: Path) -> SqliteStore:
    return open_store(f"sqlite:///{folder}/shop.db", "shop")


class Account:
    """A process of another account that has changed and read the state, and still holds it."""

    def __init__(self, folder: Path, uid: int, *, group: int = DBA) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), "as_member", str(folder / "shop.db"), str(uid), str(uid), str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(2)]
        assert all(lines), self._process.communicate()[1]
        self.got: list[Any] = json.loads(lines[0])
        self.files: dict[str, list[int]] = json.loads(lines[1])

    def end(self) -> None:
        assert self._process.communicate(input="\n", timeout=60) == ("", "")


def modes(folder: Path) -> dict[str, int]:
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


@pytest.mark.parametrize(("mode", "expected"), [(0o2770, 0o660), (0o770, 0o660), (0o700, 0o600), (0o755, 0o600)])
def test_the_folder_says_who_may_change_what_is_made_in_it(folder: Path, mode: int, expected: int) -> None:
    share(folder, mode)
    old = os.umask(0o077)
    try:
        with closing(opened(folder)) as store:
            store.update({"a": lambda _: (ROW, ())})
            assert modes(folder) == dict.fromkeys(FILES, expected)
            aside = store.reset()
    finally:
        os.umask(old)
    assert aside is not None
    assert modes(folder) == {"shop.db": expected, Path(aside).name: expected}
    if expected == 0o660:
        assert {one.stat().st_gid for one in folder.iterdir()} == {folder.stat().st_gid}


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_is_everybodys_is_no_groups(folder: Path, mode: int) -> None:
    share(folder, mode)
    with closing(opened(folder)) as store:
        store.update({"a": lambda _: (ROW, ())})
        assert set(modes(folder).values()) == {0o600}
        sharing = store.info().sharing
    assert sharing.exposed_by == str(folder)
    assert sharing.shared_with.endswith(" only")


@as_root
@pytest.mark.parametrize("mode", [0o2770, 0o770])
@pytest.mark.parametrize("first", [0, ANN])
def test_accounts_of_the_group_see_and_change_what_each_other_did(folder: Path, mode: int, first: int) -> None:
    """Also while the other one holds it, with journals of its own making; also after root."""
    share(folder, mode)
    accounts = [Account(folder, uid) for uid in (first, BEN, ANN)]
    for account in accounts:
        assert account.got == [["replica"], ["replica"], f"group {DBA}"]
        assert set(account.files) == FILES
        assert {(gid, mode) for _, gid, mode in account.files.values()} == {(DBA, 0o660)}
        account.end()
    with closing(opened(folder)) as store:
        assert len(store.events()) >= 1
        assert store.load()["replica"].state.circuit.held


@as_root
@pytest.mark.parametrize("mode", [0o2770, 0o770])
def test_one_after_the_other_makes_the_journals_anew(folder: Path, mode: int) -> None:
    share(folder, mode)
    for uid in (ANN, BEN, 0, BEN):
        account = Account(folder, uid)
        assert account.got[0] == ["replica"]
        assert {(gid, mode) for _, gid, mode in account.files.values()} == {(DBA, 0o660)}
        account.end()
        assert set(modes(folder)) == {"shop.db"}


@as_root
@pytest.mark.parametrize("mode", [0o2770, 0o770])
def test_accounts_of_the_group_at_once_lose_nothing(folder: Path, mode: int) -> None:
    """Nobody meets journals that have not got their group yet, however often they are made anew."""
    share(folder, mode)
    command = [sys.executable, str(WORKER), "mix_as_member", str(folder / "shop.db")]
    crowd = [
        subprocess.Popen(
            [*command, str(uid), str(uid), str(DBA)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for uid in (ANN, BEN) * 3
    ]
    assert [process.communicate(timeout=120) for process in crowd] == [("done\n", "")] * len(crowd)
    with closing(opened(folder)) as store:
        assert store.load()["primary"].state.circuit.failures == 20 * len(crowd)


def test_nobody_opens_the_file_before_its_journals_have_their_group(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(folder, 0o770)
    asked: list[str] = []

    def between(path: str) -> None:
        asked.append(path)
        handle = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(handle)

    monkeypatch.setattr(sqlite_file, "give_group", between)
    with closing(opened(folder)) as store:
        store.update({"a": lambda _: (ROW, ())})
    assert asked == [str(folder / "shop.db")]


@as_root
def test_a_stranger_is_kept_out(folder: Path) -> None:
    share(folder, 0o2775)
    Account(folder, ANN).end()
    stranger = Account(folder, STRANGER, group=STRANGER)
    assert "cannot be opened" in stranger.got[0]
    stranger.end()


@as_root
def test_a_file_from_before_its_folder_was_shared(folder: Path) -> None:
    os.chown(folder, ANN, ANN)
    folder.chmod(0o700)
    Account(folder, ANN).end()
    share(folder, 0o2770)
    ben = Account(folder, BEN)
    file = folder / "shop.db"
    said, hint = ben.got
    ben.end()
    assert "cannot be opened" in said
    command = f"chgrp {DBA} {file} && chmod 660 {file}"
    assert hint == (f"its folder is shared with group {DBA}, the file is not: as {ANN} or root, `{command}`")
    subprocess.run(command, shell=True, check=True)
    ben = Account(folder, BEN)
    assert ben.got[0] == ["replica"]
    ben.end()


@as_root
def test_journals_from_before_are_named_too(folder: Path) -> None:
    os.chown(folder, ANN, ANN)
    folder.chmod(0o700)
    ann = Account(folder, ANN)
    share(folder, 0o2770)
    os.chown(folder / "shop.db", -1, DBA)
    (folder / "shop.db").chmod(0o660)
    ben = Account(folder, BEN)
    assert f"chmod 660 {folder / 'shop.db-wal'} {folder / 'shop.db-shm'}" in ben.got[1]
    ben.end()
    ann.end()


@as_root
def test_root_locks_out_nobody_from_their_own_folder(folder: Path) -> None:
    os.chown(folder, ANN, ANN)
    folder.chmod(0o700)
    Account(folder, 0).end()
    ann = Account(folder, ANN)
    assert ann.got == [["replica"], ["replica"], f"{ANN} only"]
    ann.end()


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "shared_with", "also_read_by"),
    [
        (0o700, 0o600, "only", None),
        (0o2770, 0o660, "group", None),
        (0o750, 0o640, "only", "group"),
        (0o750, 0o660, "only", "group"),
        (0o2775, 0o664, "group", "everybody"),
        (0o755, 0o644, "only", "everybody"),
        (0o700, 0o666, "only", None),
        (0o777, 0o666, "everybody", None),
        (0o770, 0o600, "only", None),
    ],
)
def test_for_whom_it_counts(
    folder: Path, folder_mode: int, file_mode: int, shared_with: str, also_read_by: str | None
) -> None:
    share(folder, folder_mode)
    with closing(opened(folder)) as store:
        store.update({"a": lambda _: (ROW, ())})
        if os.geteuid() == 0:
            os.chown(folder / "shop.db", -1, DBA)
        (folder / "shop.db").chmod(file_mode)
        sharing = store.info().sharing
    assert shared_with in sharing.shared_with.split()
    assert (sharing.also_read_by or "").partition(" ")[0] == (also_read_by or "")


def test_for_whom_it_will_count(folder: Path) -> None:
    share(folder, 0o2770)
    assert opened(folder).info().sharing.shared_with.startswith("group ")
    assert opened(folder / "deeper").info().sharing.shared_with.endswith(" only")
    assert list(folder.iterdir()) == []
