"""The pages of the project, and what stands in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its page, what it says it is (`yaml fragment`), and its text without the indentation."""

    page: Path
    info: str
    text: str


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(language: str) -> list[Block]:
    """Every fenced block of that language, of all pages."""
    return [
        Block(path, info, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for path in PAGES
        for indent, info, text in _FENCE.findall(path.read_text(encoding="utf-8"))
        if info.partition(" ")[0] == language
    ]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def headings(text: str) -> list[str]:
    """The headings of a page, as they are written."""
    return [title for _, title in _HEADING.findall(prose(text))]


def anchor(heading: str) -> str:
    """What a link to a heading ends with."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.strip().replace(" ", "-")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of the same level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no heading {heading!r}"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row of a text, headers and rulers left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    kept = [line for number, line in enumerate(lines) if not _is_head(lines, number)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in kept]


def _is_head(lines: list[str], number: int) -> bool:
    ruler = re.compile(r"\|[-| :]+\|$")
    return bool(ruler.match(lines[number])) or (number + 1 < len(lines) and bool(ruler.match(lines[number + 1])))
