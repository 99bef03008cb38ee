"""Database files for the SQLite driver, and a way to be somebody who may not do everything."""

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omnidb_cli.drivers import open_driver
from omnidb_cli.drivers.base import Target
from omnidb_cli.drivers.sqlite import files as sqlite_files
from omnidb_cli.drivers.sqlite.driver import SqliteDriver

from .sqlite_files import make_database

NOBODY = 65534


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(tmp_path / "shop.db")


@pytest.fixture
def driver_of() -> Callable[..., SqliteDriver]:
    def make(path: Path, **settings: object) -> SqliteDriver:
        target = Target(name="replica", engine="sqlite", scheme="sqlite", path=str(path), **settings)
        driver = open_driver(target)
        assert isinstance(driver, SqliteDriver)
        return driver

    return make


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may reach, unlike `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="omnidb-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged() -> Callable[[], object]:
    """A context in which this process is an ordinary user: rights do not bind root."""
    for name in ("check", "session"):
        importlib.import_module(f"omnidb_cli.drivers.sqlite.{name}")  # the sources may be out of that user's reach

    @contextmanager
    def drop() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)

    return drop


@pytest.fixture
def open_descriptors() -> Callable[[], list[str]]:
    """What this process has open below the folder for temporary files."""

    def check() -> list[str]:
        folder = Path("/proc/self/fd")
        targets = [str(entry.readlink()) for entry in folder.iterdir() if entry.is_symlink()]
        return sorted(target for target in targets if target.endswith((".db", ".db-wal", ".db-shm", ".db-journal")))

    return check


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    assert not sqlite_files._uses
