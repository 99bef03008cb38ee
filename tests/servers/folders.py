"""Where the servers of the tests keep their data, and the templates that make them ready in a moment."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers.base import own, run, running

ROOT = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())  # short: unix sockets live below it
CACHE = Path("/var/tmp" if Path("/var/tmp").is_dir() else ROOT)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for the data of this session's servers."""
    with folder_for_servers() as folder:
        yield folder


@contextmanager
def folder_for_servers() -> Iterator[Path]:
    """A folder for the data of servers, which their user can reach. At its end they are ended."""
    folder = Path(tempfile.mkdtemp(prefix="omnidb-servers-", dir=ROOT))
    folder.chmod(0o755)
    try:
        yield own(folder)
    finally:
        for server in list(running):
            if folder in server.folder.parents or folder == server.folder:
                server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def new_folder(parent: Path, name: str) -> Path:
    """A folder of its own for one server."""
    folder = parent / name
    folder.mkdir(mode=0o755)
    return own(folder)


def template(key: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` filled once for this `key` (say engine, version and a number of the recipe).

    It is kept between sessions. Copy it with `copy`, never work in it.
    """
    place = _cache() / key
    if place.is_dir():
        return place
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=place.parent))
    try:
        draft.chmod(0o755)
        build(own(draft))
        with suppress(OSError):  # another session was quicker
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place


def copy(source: Path, to: Path) -> Path:
    """A copy of a folder, owners and rights as they were; a file that is there already makes it fail."""
    run(["cp", "-a", source, to])
    return to


def _cache() -> Path:
    """The folder for templates; not one that somebody else made under its name."""
    folder = CACHE / f"omnidb-test-servers-{os.geteuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o755)
    found = folder.lstat()
    assert stat.S_ISDIR(found.st_mode), f"{folder} is in the way"
    assert found.st_uid == os.geteuid(), f"{folder} belongs to somebody else"
    return folder
