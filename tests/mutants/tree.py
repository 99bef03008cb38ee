"""A copy of the project with an interpreter of its own, in which a fault harms nobody."""

import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.mutants.mutant import ROOT, Mutant

_COPIED = ("omnidb_cli", "tests", "configs", "docs", "pyproject.toml", "README.md", "Makefile")
_MEMORY = 4 * 2**30
"""Bytes: a fault may make a loop endless that collects things."""


class Ended(NamedTuple):
    """How a run of tests went: pytest's exit code, None when it was killed at its time limit; and what it printed."""

    code: int | None
    said: str


class Tree:
    """The copy. Commands, too, that tests start from it with an empty environment run its code."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self._writes = 0
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        venv.create(folder / ".venv", symlinks=True)
        self.python = folder / ".venv" / "bin" / "python"
        self._packages = next((folder / ".venv" / "lib").glob("python*")) / "site-packages"
        script = self.python.with_name("omnidb")
        script.write_text(f"#!{self.python}\nfrom omnidb_cli.__main__ import main\n\nmain()\n", encoding="utf-8")
        script.chmod(0o755)
        self.runs()

    def runs(self, *at_start: str) -> None:
        """Has each interpreter of this copy find its code and the installed packages, and import these modules."""
        found = [str(self.root), *site.getsitepackages(), *(f"import {name}" for name in at_start)]
        (self._packages / "copy.pth").write_text("\n".join(found) + "\n", encoding="utf-8")

    @contextmanager
    def with_fault(self, mutant: Mutant) -> Iterator[None]:
        """The mutant in its place, and afterwards the code as it was."""
        path = self.root / "omnidb_cli" / mutant.file
        source = path.read_bytes()
        self._write(path, mutant.applied(source))
        try:
            yield
        finally:
            self._write(path, source)

    def _write(self, path: Path, source: bytes) -> None:
        path.write_bytes(source)
        self._writes += 1
        moment = path.stat().st_mtime + self._writes  # compiled files are told apart by whole seconds
        os.utime(path, (moment, moment))
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink(missing_ok=True)

    def tests(self, which: Sequence[str], *options: str, limit_s: float) -> Ended:
        """Runs these tests in a process group of their own, and kills what is left of it."""
        listed = self.root / ".tests"
        listed.write_text("\n".join(which), encoding="utf-8")
        command = [self.python, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *options, f"@{listed}"]
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            )
            _bound_memory(process.pid)
            try:
                code: int | None = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _kill_group(process)
            out.seek(0)
            return Ended(code, out.read().decode(errors="replace"))


def _bound_memory(pid: int) -> None:
    if sys.platform == "linux":
        import resource

        try:
            resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        except ProcessLookupError:
            return  # it has ended already


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended
    finally:
        process.wait()


@contextmanager
def copies(number: int) -> Iterator[list[Tree]]:
    """So many copies, in a folder that other accounts can reach: servers under test run as one of them."""
    with tempfile.TemporaryDirectory(prefix="omnidb-mutants-") as folder:
        Path(folder).chmod(0o755)
        made = []
        for index in range(number):
            (Path(folder) / str(index)).mkdir()
            made.append(Tree(Path(folder) / str(index)))
        yield made
