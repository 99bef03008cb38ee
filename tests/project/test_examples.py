"""What the pages show works: command lines, topologies, JSON, Python, and links."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import omnidb_cli
from omnidb_cli import drivers
from omnidb_cli.state import store
from omnidb_cli.topology import loader
from tests.project.pages import PAGES, ROOT, Block, anchor, blocks, headings, prose
from tests.project.surface import offered, parse

_MENTIONED = {one.title for one in offered()}
"""Commands by name alone, as a sentence speaks of them."""


def _command_lines() -> Iterator[str]:
    for block in blocks("console"):
        for line in block.text.splitlines():
            if line.startswith("$ ") and "omnidb" in line:
                yield line.removeprefix("$ ")
    for block in blocks("sh"):
        yield from (line for line in block.text.splitlines() if line.startswith("omnidb"))
    for path in PAGES:
        for line in re.findall(r"`(omnidb [^`]+)`", prose(path.read_text(encoding="utf-8"))):
            if not re.search(r"[|…\[]|STATEMENT|NAME", line) and line not in _MENTIONED:
                yield line


@pytest.mark.parametrize("line", sorted(set(_command_lines())))
def test_every_command_line_that_is_shown_parses(line: str) -> None:
    parse(line)


def test_a_wrong_command_line_does_not_parse() -> None:
    with pytest.raises(Exception, match="no option '--no-such-option'"):
        parse("omnidb status --no-such-option")
    with pytest.raises(AssertionError):
        parse("omnidb no-such-command")


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda one: one.page.name)
def test_every_topology_that_is_shown_is_valid(block: Block) -> None:
    if block.info == "yaml fragment":
        assert isinstance(yaml.safe_load(block.text), dict)
    else:
        text = re.sub(r"\$\{file:[^}]*\}", "from-a-file", block.text)  # whatever machine this is, it has no such file
        text = re.sub(r"=/etc/[\w./-]+", f"={__file__}", text)  # nor these
        env = dict.fromkeys(re.findall(r"\$\{env:(\w+)\}", text), "from-the-environment")
        loader.parse(text, env=env, engines=drivers, stores=store)


def test_the_readme_shows_six_lines_of_yaml_for_sqlite() -> None:
    (block,) = [one for one in blocks("yaml") if one.page.name == "README.md" and "sqlite:" in one.text]
    assert len(block.text.splitlines()) == 6


@pytest.mark.parametrize("block", blocks("json"), ids=lambda one: one.page.name)
def test_every_json_that_is_shown_is_json_with_the_keys_of_the_code(block: Block) -> None:
    decoder = json.JSONDecoder()
    text = block.text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        assert isinstance(value, dict)
        text = text[end:].lstrip()


@pytest.mark.parametrize("block", blocks("python"), ids=lambda one: one.page.name)
def test_every_python_that_is_shown_compiles_and_imports_what_there_is(block: Block) -> None:
    tree = ast.parse(block.text)
    compile(block.text, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "omnidb_cli":
            assert {name.name for name in node.names} <= set(omnidb_cli.__all__)


_LIBRARY = [one.text for one in blocks("python") if one.page.name == "library.md"]


@pytest.mark.parametrize("example", _LIBRARY, ids=range(len(_LIBRARY)))
def test_an_example_of_the_library_prints_what_its_comments_say(
    example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example, "library.md", "exec"), {"__name__": "example"})
    promised = re.findall(r"print\(.+\)  # (.+)$", example, re.MULTILINE)
    assert promised
    assert capsys.readouterr().out.splitlines() == promised


@pytest.mark.parametrize("example", _LIBRARY, ids=range(len(_LIBRARY)))
def test_an_example_of_the_library_passes_a_strict_type_checker(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text(example, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", file], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", PAGES, ids=lambda one: one.name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        file, _, fragment = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.is_relative_to(ROOT), target
        assert page.exists(), target
        if fragment:
            assert fragment in {anchor(one) for one in headings(page.read_text(encoding="utf-8"))}, target


def test_the_diagrams_of_the_concepts_are_three() -> None:
    diagrams = [one for one in blocks("mermaid") if one.page.name == "concepts.md"]
    assert len(diagrams) == 3
    for block in blocks("mermaid"):
        assert block.text.split()[0] in {"flowchart", "stateDiagram-v2"}
        assert block.text.count("[") == block.text.count("]")
        assert block.text.count("{") == block.text.count("}")
