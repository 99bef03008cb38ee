"""The way in: the Makefile, and the run of the continuous integration."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.pages import ROOT

_MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
_LOCKS = {
    "run": ["build"],
    "test": ["build", "test"],
    "bench": ["build", "test", "bench"],
    "lock": ["lock"],
}
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_make_alone_says_what_there_is_to_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", _MAKEFILE, re.MULTILINE))
    assert {"demo", "test", "test-latest", "test-lowest", "lock", "bench", "picture", "clean", "help"} <= targets
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([\w-]+)", done.stdout, re.MULTILINE)) == targets


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"])
def test_make_test_runs_every_check(command: str) -> None:
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", _MAKEFILE, re.MULTILINE)
    assert recipe is not None
    assert command in recipe[1]


def test_every_group_is_locked() -> None:
    groups = set(re.findall(r"--group (\w+)", _MAKEFILE))
    assert groups == set(_PROJECT["dependency-groups"])


@pytest.mark.parametrize(("file", "groups"), _LOCKS.items())
def test_a_lock_has_all_that_is_asked_for_within_its_range(file: str, groups: list[str]) -> None:
    asked = [Requirement(one) for group in groups for one in _PROJECT["dependency-groups"][group]]
    asked += [] if file == "lock" else [Requirement(one) for one in _PROJECT["project"]["dependencies"]]
    locked = {line.partition("==")[0]: line.partition("==")[2].split()[0] for line in _packages(file)}
    assert [str(one) for one in asked if not one.specifier.contains(locked[canonicalize_name(one.name)])] == []


@pytest.mark.parametrize("file", _LOCKS)
def test_a_lock_is_exact_and_names_no_index(file: str) -> None:
    text = (ROOT / "requirements" / f"{file}.txt").read_text(encoding="utf-8")
    packages = _packages(file)
    assert packages
    assert [line for line in packages if not re.match(r"[a-z0-9-]+==\d\S* (; .+ )?\\$", line)] == []
    assert len(re.findall(r"\\\n    --hash=sha256:[0-9a-f]{64}", text)) >= len(packages)
    assert re.findall(r"^-.*|\w+://\S*", text, re.MULTILINE) == []


def test_what_a_lock_and_a_larger_one_share_is_the_same() -> None:
    run, test, bench = (set(_packages(file)) for file in ("run", "test", "bench"))
    assert run < test < bench


def test_what_builds_the_project_is_locked_too() -> None:
    asked = {Requirement(one).name for one in _PROJECT["build-system"]["requires"]}
    assert asked <= {line.partition("==")[0] for line in _packages("run")}


def test_the_pythons_that_are_promised_are_those_that_are_tested() -> None:
    script = (ROOT / "tests/pythons.sh").read_text(encoding="utf-8")
    looked_for = re.search(r"^VERSIONS='(.+)'$", script, re.MULTILINE)
    assert looked_for is not None
    promised = {one.rpartition(" ")[2] for one in _PROJECT["project"]["classifiers"] if "Python :: 3." in one}
    assert promised <= set(looked_for[1].split())
    assert f">={min(promised, key=lambda one: int(one[2:]))}" == _PROJECT["project"]["requires-python"]


def test_other_pythons_are_found_on_the_path_and_among_those_that_pyenv_keeps(tmp_path: Path) -> None:
    shims, kept = tmp_path / "bin", tmp_path / "pyenv/versions/3.13.0/bin"
    _program(shims / "python3.12", "echo 3.12")
    _program(shims / "python3.13", "exit 127")
    _program(shims / "python3.14", "exit 127")
    _program(kept / "python3.13", "echo 3.13")
    _program(shims / "make", 'echo "made $2 with $3"')
    _program(tmp_path / "main", "echo 3.11")
    made = _pythons(tmp_path, "each", str(tmp_path / "main"), "suites")
    assert [line for line in made if line.startswith("made")] == [
        f"made suites with PYTHON={shims / 'python3.12'}",
        f"made suites with PYTHON={kept / 'python3.13'}",
    ]
    [said] = _pythons(tmp_path, "say", str(tmp_path / "main"))
    assert re.fullmatch(r"Tested on Python 3\.11 \(everything\) and on 3\.12 3\.13 \(.+\); not found: 3\.14", said)


def test_a_suite_that_fails_on_another_python_ends_the_run(tmp_path: Path) -> None:
    _program(tmp_path / "bin/python3.12", "echo 3.12")
    _program(tmp_path / "bin/make", "exit 2")
    _program(tmp_path / "main", "echo 3.11")
    with pytest.raises(subprocess.CalledProcessError):
        _pythons(tmp_path, "each", str(tmp_path / "main"), "suites")


def _pythons(folder: Path, *arguments: str) -> list[str]:
    env = {"PATH": f"{folder}/bin:{os.defpath}", "PYENV_ROOT": f"{folder}/pyenv", "HOME": str(folder)}
    done = subprocess.run(
        ["sh", ROOT / "tests/pythons.sh", *arguments], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def _packages(file: str) -> list[str]:
    """The lines of a lock that name a package and its version."""
    text = (ROOT / "requirements" / f"{file}.txt").read_text(encoding="utf-8")
    return re.findall(r"^[^\s#].*$", text, re.MULTILINE)


def test_ci_ends_with_the_code_of_make_test(tmp_path: Path) -> None:
    assert _ci(tmp_path, make="exit 2") == (2, "ci: FAILED (make ended with 2)")
    assert _ci(tmp_path, make="exit 0") == (0, "ci: passed")


def test_ci_gives_make_no_stdin_and_a_home_where_there_is_none(tmp_path: Path) -> None:
    code, _ = _ci(tmp_path, make='[ -w "$HOME" ] && ! read -r line && [ "$1" = test ]')
    assert code == 0


def _ci(folder: Path, *, make: str) -> tuple[int, str]:
    """The code and the last line of `.ci/run`, with a `make` that does only this."""
    _program(folder / "make", make)
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
