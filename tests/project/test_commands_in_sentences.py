"""What the code says to type stands in backquotes: so the streams can say it with the options that were given."""

import ast
import re

from omnidb_cli.plugins import names_in
from tests.project.pages import ROOT
from tests.project.sources import modules, texts, texts_of

_COMMAND = re.compile(rf"(?<!`)\bomnidb ({'|'.join(names_in('omnidb_cli.cli.commands'))})\b")


def test_every_command_that_is_said_stands_in_backquotes() -> None:
    bare = [f"{path.relative_to(ROOT)}: {text}" for path in modules() for text in texts(path) if _COMMAND.search(text)]
    assert bare == []


def test_a_bare_one_is_found() -> None:
    (text,) = texts_of(ast.parse('"""omnidb status"""\nhint = "run omnidb state reset"\n'))
    assert _COMMAND.search(text)
    assert not _COMMAND.search("run `omnidb state reset`")
