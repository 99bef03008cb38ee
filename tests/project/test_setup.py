"""The way in: the Makefile, and the run of the continuous integration."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.project.pages import ROOT

_MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_make_alone_says_what_there_is_to_make() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", _MAKEFILE, re.MULTILINE))
    assert {"demo", "test", "bench", "picture", "clean", "help"} <= targets
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"make (\w+)", done.stdout)) >= targets


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"])
def test_make_test_runs_every_check(command: str) -> None:
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", _MAKEFILE, re.MULTILINE)
    assert recipe is not None
    assert command in recipe[1]


def test_make_installs_only_groups_that_there_are() -> None:
    groups = set(re.findall(r"call install_group,(\w+)", _MAKEFILE))
    assert groups == set(_PROJECT["dependency-groups"])


def test_ci_ends_with_the_code_of_make_test(tmp_path: Path) -> None:
    assert _ci(tmp_path, make="exit 2") == (2, "ci: FAILED (make ended with 2)")
    assert _ci(tmp_path, make="exit 0") == (0, "ci: passed")


def test_ci_gives_make_no_stdin_and_a_home_where_there_is_none(tmp_path: Path) -> None:
    code, _ = _ci(tmp_path, make='[ -w "$HOME" ] && ! read -r line && [ "$1" = test ]')
    assert code == 0


def _ci(folder: Path, *, make: str) -> tuple[int, str]:
    """The code and the last line of `.ci/run`, with a `make` that does only this."""
    fake = folder / "make"
    fake.write_text(f"#!/bin/sh\n{make}\n", encoding="utf-8")
    fake.chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [ROOT / ".ci/run"],
        cwd=folder,
        env=env,
        input="typed\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout.splitlines()[-1]
