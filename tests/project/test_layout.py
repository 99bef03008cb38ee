"""The tree is the table of contents: what may lie where, and how large it may be."""

import ast
import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.project.pages import ROOT
from tests.project.sources import PACKAGE, files, imported_modules, module_of, modules, name_of, tree

_TOP = {
    "pyproject.toml",
    "omnidb_cli",
    "configs",
    "tests",
    "docs",
    "README.md",
    "Makefile",
    "requirements",
    ".ci",
    "LICENSE",
}
_LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
_NOT_MIRRORS = {"project", "bench", "mutants", "fuzz", "scenarios", "servers"}
"""Folders of tests that are about the whole, not about one room."""

_SUBJECTS = {
    "processes",
    "goldens",
    "imports",
    "properties",
    "configs",
    "clock",
    "bad_days",
    "state_machine",
    "refusals",
    "first_check",
    "fuzzed_servers",
    "private_api",
}
"""Subjects of tests that run across the files of a room."""


def test_the_top_level_holds_only_what_it_should() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in files()}
    assert {name for name in found if not name.startswith(".")} <= _TOP
    assert {name for name in found if name.startswith(".")} <= {".ci", ".gitignore", ".gitattributes", ".editorconfig"}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", [*modules(), *modules(ROOT / "docs"), *modules(ROOT / "tests")], ids=name_of)
def test_no_function_is_longer_than_50_lines(path: Path) -> None:
    functions = (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    too_long = [node.name for node in functions if node.end_lineno - node.lineno + 1 > 50]
    assert too_long == []


def test_no_folder_holds_more_than_15_modules() -> None:
    counted = Counter(path.parent for path in modules() if path.name != "__init__.py")
    assert {name_of(folder): count for folder, count in counted.items() if count > 15} == {}


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = {module_of(path): path for path in modules()}
    TopologicalSorter({name: imported_modules(path, known.keys()) for name, path in known.items()}).prepare()


def test_no_file_is_a_drawer_for_anything() -> None:
    drawer = re.compile(
        r"^_?(utils?|helpers?|common|managers?|misc|shared|base_?utils)(_.*)?$|_(utils?|helpers?|manager)$"
    )
    assert [name_of(path) for path in files() if path.suffix == ".py" and drawer.search(path.stem)] == []


def test_every_room_has_its_tests() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    tested = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= tested
    assert tested - rooms <= _NOT_MIRRORS


def test_every_test_file_is_about_a_file_of_its_room() -> None:
    test_files = [path for path in modules(ROOT / "tests") if path.name.startswith("test_")]
    astray = [name_of(path) for path in test_files if not _is_about_its_room(path)]
    assert astray == []


def _is_about_its_room(path: Path) -> bool:
    """`core/test_orchestrator_calls.py` is about `core/orchestrator.py`."""
    folder = path.parent.relative_to(ROOT / "tests")
    if folder.parts and folder.parts[0] in _NOT_MIRRORS:
        return True
    subject = path.stem.removeprefix("test_")
    files = {one.stem.removeprefix("_") for one in (PACKAGE / folder).iterdir()}
    return subject in _SUBJECTS or any(subject == one or subject.startswith(f"{one}_") for one in files if one)


def test_the_import_rules_hold() -> None:
    done = subprocess.run([_LINT_IMPORTS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
