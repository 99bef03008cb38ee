"""What every source file keeps: imports where they belong, docstrings, nothing swallowed, reasons for exceptions."""

import ast
import re
import sys
import tokenize
from pathlib import Path

import pytest

from tests.project.pages import ROOT
from tests.project.sources import PACKAGE, files, imports, modules, name_of, tree

_ROOM_OF = {"typer": "cli/", "rich": "output/"}
_EVERYWHERE = {"msgspec"}
_YAML_FILES = {"topology/document.py", "output/formats/yaml.py"}
_EVERY = [*modules(), *modules(ROOT / "docs"), *modules(ROOT / "tests")]
_TEXTS = {".py", ".md", ".yaml", ".toml", ".sh", ".svg", ".json", ".txt", ""}


def _third_party(path: Path, *, at_top: bool) -> set[str]:
    return imports(path, at_top=at_top) - set(sys.stdlib_module_names) - {"omnidb_cli"} - _EVERYWHERE


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_third_party_packages_are_imported_only_in_their_rooms(path: Path) -> None:
    for package in _third_party(path, at_top=False):
        if package == "yaml":
            assert name_of(path) in _YAML_FILES
        elif package in _ROOM_OF:
            assert name_of(path).startswith(_ROOM_OF[package])
        else:
            assert name_of(path).startswith("drivers/"), package


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_at_the_top_a_file_imports_only_what_its_room_is_made_of(path: Path) -> None:
    if name_of(path).count("/") == 2 and name_of(path).startswith("drivers/"):
        return  # read when its engine is first used, and by nobody else
    own = {package for package, room in _ROOM_OF.items() if name_of(path).startswith(room)}
    assert _third_party(path, at_top=True) <= own


@pytest.mark.parametrize("path", [one for one in modules() if not one.name.startswith("_")], ids=name_of)
def test_everything_public_says_what_one_gets(path: Path) -> None:
    bare = [] if ast.get_docstring(tree(path)) else ["the module"]
    assert bare + list(_without_docstring(tree(path))) == []


def _without_docstring(node: ast.AST, *, is_protocol: bool = False) -> list[str]:
    missing = []
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
            continue
        is_class = isinstance(child, ast.ClassDef)
        if not ast.get_docstring(child) and not is_protocol and not _is_overload(child):
            missing.append(child.name)
        if is_class:
            protocol = any(isinstance(base, ast.Name) and base.id == "Protocol" for base in child.bases)
            missing += _without_docstring(child, is_protocol=protocol)
    return missing


def _is_overload(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in decorators)


@pytest.mark.parametrize("path", _EVERY, ids=name_of)
def test_nothing_is_swallowed(path: Path) -> None:
    swallowed = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and all(isinstance(one, ast.Pass | ast.Continue) for one in node.body)
    ]
    assert swallowed == []


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_nothing_is_printed_past_the_streams(path: Path) -> None:
    calls = (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    assert [node.lineno for node in calls if node.func.id in {"print", "breakpoint", "input"}] == []


@pytest.mark.parametrize("path", _EVERY, ids=name_of)
def test_every_exception_to_a_rule_names_the_rule(path: Path) -> None:
    with path.open("rb") as file:
        comments = [token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    for comment in comments:
        if "noqa" in comment:
            assert re.search(r"noqa: [A-Z]+\d+", comment), comment
        if "type: ignore" in comment:
            assert re.search(r"type: ignore\[[a-z-]+(, ?[a-z-]+)*\]", comment), comment


def test_no_file_speaks_of_the_machine_or_of_how_it_was_made() -> None:
    words = (
        "/wo" + "rk/",
        "/tmp/" + "w/",
        "/ro" + "ot/",
        "clau" + "de",
        "anthro" + "pic",
        "chat" + "gpt",
        "co-auth" + "ored",
    )
    assistant = re.compile(r"\b(a[i] assistant|language mode[l]|sub-?agen[t]s?|as an a[i])\b", re.IGNORECASE)
    told = []
    for path in files():
        if path.suffix not in _TEXTS:
            continue
        text = path.read_text(encoding="utf-8", errors="replace").lower()
        told += [f"{name_of(path)}: {word}" for word in words if word in text]
        told += [f"{name_of(path)}: {found}" for found in assistant.findall(text)]
    assert told == []


def test_the_package_is_what_these_rules_check_at() -> None:
    assert len(modules()) > 60
    assert PACKAGE / "core/circuit/model.py" in modules()
