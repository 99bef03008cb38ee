"""Arguments are shown in messages as they are, and can do nothing to a terminal or add lines there."""

import pytest

from tests.cli.runner import Runner

HOSTILE = "x\x1b[31m\u202e\u200b\x07\n\rserved by primary"


@pytest.mark.parametrize(
    "words",
    [
        ("status", HOSTILE),
        ("status", "-o", HOSTILE),
        ("status", f"--{HOSTILE}"),
        ("exec", HOSTILE, "SELECT 1"),
        ("exec", "primary", HOSTILE),
        ("exec", "primary", "--file", HOSTILE),
        ("events", "--since", HOSTILE),
        ("circuit", "open", HOSTILE, "primary"),
        ("route", f"{HOSTILE}.eu"),
        ("watch", "--until", HOSTILE),
        ("--config", HOSTILE, "status"),
        ("--config", f"{HOSTILE}.yaml", "status"),
        ("--state", f"sqlite:///{HOSTILE}", "status"),
        ("--state", f"sqlite:///{HOSTILE}/", "state", "show"),
        (HOSTILE,),
        ("config", "show", HOSTILE),
    ],
)
def test_an_argument_controls_no_terminal_and_makes_no_line(shop: Runner, words: tuple[str, ...]) -> None:
    (shop.folder / f"{HOSTILE}.yaml").write_text("connections: {a: 1, b: 2}")
    (shop.folder / HOSTILE).mkdir()
    told = shop.shop.run(*words).stderr
    assert told
    assert all(char.isprintable() or char == "\n" for char in told)
    assert not any(line.startswith("served by") for line in told.splitlines())
