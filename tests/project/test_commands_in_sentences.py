"""What the code says to type stands in backquotes: so the streams can say it with the options that were given."""

import ast
import re
from collections.abc import Iterator

from omnidb_cli.plugins import names_in
from tests.project.pages import ROOT

_COMMAND = re.compile(rf"(?<!`)\bomnidb ({'|'.join(names_in('omnidb_cli.cli.commands'))})\b")


def _texts(tree: ast.Module) -> Iterator[str]:
    """The texts of a module, its docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            yield node.value


def test_every_command_that_is_said_stands_in_backquotes() -> None:
    bare = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in (ROOT / "omnidb_cli").rglob("*.py")
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        if _COMMAND.search(text)
    ]
    assert bare == []


def test_a_bare_one_is_found() -> None:
    (text,) = _texts(ast.parse('"""omnidb status"""\nhint = "run omnidb state reset"\n'))
    assert _COMMAND.search(text)
    assert not _COMMAND.search("run `omnidb state reset`")
