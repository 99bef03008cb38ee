"""What users read uses the field's words: none of those that it replaced."""

import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from omnidb_cli.cli.app import app
from tests.project.pages import PAGES, ROOT
from tests.project.sources import modules, name_of, texts
from tests.project.surface import offered

_REPLACED = re.compile(
    "|".join(
        (
            "look(s|ed)? at",
            "vantage",
            r"start(s|ed|ing)? anew",
            "(goes|go|going) round in a circle",
            "(kept|put|puts) aside",
            r"(stand|stands|standing) still",
            "nobody can serve",
            "nobody is eligible",
            "serves itself",
            "wait-over",
            "hold-over",
        )
    ),
    re.IGNORECASE,
)


def _read_by_users() -> Iterator[tuple[str, str]]:
    pictures = [ROOT / "docs/status.svg", *(ROOT / "docs/demo").glob("*.sh"), *(ROOT / "configs").iterdir()]
    for path in (*PAGES, *pictures, *(ROOT / "tests/output/golden").iterdir()):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in modules():
        yield name_of(path), "\n".join(texts(path))
    for command in offered():
        yield command.title, CliRunner().invoke(app, [*command.words, "--help"]).stdout


@pytest.mark.parametrize(("place", "text"), [pytest.param(*one, id=one[0]) for one in _read_by_users()])
def test_nothing_that_users_read_has_a_word_that_was_replaced(place: str, text: str) -> None:
    assert [found[0] for found in _REPLACED.finditer(text)] == [], place


@pytest.mark.parametrize("said", ["this vantage point is suspect", "replication stands still", "starts anew"])
def test_such_a_word_is_found(said: str) -> None:
    assert _REPLACED.search(said)
