"""The project's own files, and Python sources as trees."""

import ast
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

from tests.project.pages import ROOT

PACKAGE = ROOT / "omnidb_cli"
_MADE = {"__pycache__", "build", "dist", "demo-data"}
_GIT = ".git"  # a folder; in a linked work tree, a file


def files() -> Iterator[Path]:
    """Every file that belongs to the project: nothing that was installed, measured or made."""
    yield from _below(ROOT)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _MADE or path.name.endswith(".egg-info") or (path.name.startswith(".") and path.name != ".ci"):
            if folder == ROOT and path.is_file() and path.name != _GIT:
                yield path
        elif path.is_dir():
            yield from _below(path)
        else:
            yield path


def modules(folder: Path = PACKAGE) -> list[Path]:
    """Every Python file of a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name_of(path: Path) -> str:
    """`core/circuit/model.py`: a module as the tests call it."""
    return path.relative_to(ROOT).as_posix().removeprefix("omnidb_cli/")


def module_of(path: Path) -> str:
    """`omnidb_cli.core.circuit.model`: a module as it is imported; a package's `__init__` is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path, known: Set[str]) -> set[str]:
    """The modules of `known` that a file imports, anywhere in it and for type checkers too."""
    froms = (node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.module)
    pairs = ((node.module or "", f"{node.module}.{one.name}") for node in froms for one in node.names)
    return {name if name in known else package for package, name in pairs} & known


def imports(path: Path, *, at_top: bool) -> set[str]:
    """The packages that a file imports: at its top, or anywhere. What only type checkers read is left out."""
    nodes = _at_top(tree(path).body) if at_top else _running(tree(path))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def _at_top(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.If | ast.Try) and not _is_type_checking(node):
            yield from _at_top(node.body)
        else:
            yield node


def _running(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not _is_type_checking(child):
            yield from _running(child)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def texts(path: Path) -> Iterator[str]:
    """The texts in a file, its docstrings left out."""
    return texts_of(tree(path))


def texts_of(module: ast.Module) -> Iterator[str]:
    """The texts of a module, its docstrings left out."""
    docstrings = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
