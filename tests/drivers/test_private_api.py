"""What is used of the client libraries' insides: listed, few, in one file of each engine, and still there."""

import ast
import inspect
import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name

import pytest

from omnidb_cli import drivers
from omnidb_cli.drivers.mysql import private_api as _asyncmy_is_imported  # noqa: F401

DRIVERS = Path(drivers.__file__).parent
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
USES = re.findall(r"^\| (asyncpg|asyncmy|pymongo) \| (.+?) \|", PAGE.read_text("utf-8"), re.MULTILINE)
ROWS = [(library, re.findall(r"`([\w.]+)`", used)) for library, used in USES]
NAMES = [(library, names[0], name) for library, names in ROWS for name in names]
"""Each with the first one of its row, beside which it stands where it is no whole name."""
MOST = 12


def test_they_are_few() -> None:
    assert 0 < len(USES) <= MOST


@pytest.mark.parametrize(("library", "beside", "name"), NAMES)
def test_each_is_still_there(library: str, beside: str, name: str) -> None:
    """What only an instance has is looked for in the source of its class's module."""
    whole = name if name.startswith(f"{library}.") else f"{beside.rpartition('.')[0]}.{name}"
    assert _is_there(whole), f"{library} {version(library)} has no {whole}: see private_api.py and docs/extending.md"


def _is_there(whole: str) -> bool:
    owner, _, last = whole.rpartition(".")
    there = resolve_name(owner)
    if hasattr(there, last) or whole in sys.modules:
        return True
    module = sys.modules[there.__module__] if inspect.isclass(there) else there
    return re.search(rf"\b{last}\b", _source(module)) is not None


def _source(module: object) -> str:
    """The text of a module; asyncmy's and asyncpg's compiled ones come with it as .pyx."""
    file = Path(inspect.getfile(module))  # type: ignore[arg-type]
    source = file if file.suffix == ".py" else file.with_name(f"{file.name.partition('.')[0]}.pyx")
    return source.read_text("utf-8")


@pytest.mark.parametrize("library", ["asyncpg", "asyncmy", "pymongo"])
def test_the_library_is_pinned(library: str) -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert [one for one in wanted if re.fullmatch(rf"{library}==[\d.]+", one)]


def private_names(file: Path) -> set[str]:
    """Names with one underscore that the file takes from something else than itself."""
    tree = ast.parse(file.read_text("utf-8"))
    taken = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr) and not _is_own(node.value)
    }
    return taken | {name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for name in _overridden(node)}


def _is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {"self", "cls"}


def _overridden(made: ast.ClassDef) -> set[str]:
    """Private methods that call the same of the class above, which is a library's or has such a one."""
    methods = (node for node in made.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {
        node.name for node in methods if re.match("_[a-z]", node.name) and f"super().{node.name}" in ast.unparse(node)
    }


@pytest.mark.parametrize("file", sorted(DRIVERS.rglob("*.py")), ids=lambda file: str(file.relative_to(DRIVERS)))
def test_they_are_used_in_private_api_alone(file: Path) -> None:
    listed = {name.rpartition(".")[2] for *_, name in NAMES} if file.name == "private_api.py" else set()
    assert private_names(file) - listed == set()
