"""The first screen: two commands, and a session that is what the commands really print."""

import re
from pathlib import Path

from tests.project.pages import ROOT, blocks
from tests.project.session import commands, replay, still

_README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_session_is_what_the_commands_print(tmp_path: Path) -> None:
    session = next(one.text for one in blocks("console") if one.text.startswith("$ mv demo-data"))
    assert len(commands(session)) >= 3
    assert still(session) == still(replay(session, tmp_path.resolve()))


def test_the_first_screen_shows_exactly_the_two_commands() -> None:
    first = next(one.text for one in blocks("sh") if one.page.name == "README.md")
    assert re.findall(r"^(\S+ \S+)", first, re.MULTILINE) == ["make demo", "make test"]


def test_the_picture_is_of_a_failover() -> None:
    picture = (ROOT / "docs/status.svg").read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", "", picture).replace("&#160;", " ")
    assert "(docs/status.svg)" in _README
    for word in ("primary", "unhealthy", "→ replica", "open"):
        assert word in shown
