"""Which durations the options take: each has the limit of its use."""

from typing import Any

import pytest
import typer
from typer.main import get_command

from omnidb_cli.cli.app import app


def _parsed(*words: str) -> dict[str, Any]:
    command: Any = get_command(app)
    context = None
    rest = list(words)
    while True:
        context = command.make_context(command.name, rest, parent=context)
        if not hasattr(command, "list_commands"):
            return dict(context.params)
        rest = [*context._protected_args, *context.args]
        command, rest = command.get_command(context, rest[0]), rest[1:]


@pytest.mark.parametrize(
    ("words", "name", "seconds"),
    [
        (("circuit", "open", "a", "--for", "90d"), "hold_for", 7_776_000),
        (("circuit", "open", "a", "--for", "1h30m"), "hold_for", 5400),
        (("watch", "--interval", "24h"), "interval", 86_400),
    ],
)
def test_what_an_option_takes(words: tuple[str, ...], name: str, seconds: float) -> None:
    assert _parsed(*words)[name] == seconds


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("circuit", "open", "a", "--for", "91d"), "longer than 90d"),
        (("watch", "--interval", "25h"), "longer than 24h"),
        (("exec", "a", "SELECT 1", "--timeout", "2d"), "longer than 24h"),
    ],
)
def test_what_an_option_refuses(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        _parsed(*words)
