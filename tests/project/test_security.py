"""Each promise of the page on security names the tests that hold it, and they are there."""

import ast
import re

import pytest

from tests.project.pages import ROOT, page, rows

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_PAGE = page("security.md")


@pytest.mark.parametrize(("path", "name"), sorted(set(_TEST.findall(_PAGE))))
def test_the_test_that_holds_a_promise_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name.startswith("test_")
    assert name in functions


@pytest.mark.parametrize("row", rows(_PAGE), ids=lambda row: row[0][:40])
def test_every_promise_is_held_by_a_test(row: list[str]) -> None:
    assert _TEST.sub("", row[-1]).strip(", ") == ""
    assert _TEST.search(row[-1])


def test_there_are_promises() -> None:
    assert len(rows(_PAGE)) > 20
