"""What the command line offers, as its parser knows it."""

import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer
from typer.main import get_command

from omnidb_cli.cli.app import app


class Offered(NamedTuple):
    """One command: its words (`("circuit", "open")`; none for `omnidb` itself) and its options' names."""

    words: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def title(self) -> str:
        """As it is typed: `omnidb circuit open`."""
        return " ".join(("omnidb", *self.words))


def root() -> Any:
    """The command `omnidb`."""
    return get_command(app)


def offered() -> list[Offered]:
    """Every command that can be run, `omnidb` itself first."""
    top = root()
    return [Offered((), _options(top)), *_below(top, ())]


def _below(group: Any, words: tuple[str, ...]) -> Iterator[Offered]:
    context = group.make_context("omnidb", [], resilient_parsing=True)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from _below(command, (*words, name))
        else:
            yield Offered((*words, name), _options(command))


def _options(command: Any) -> tuple[str, ...]:
    params = [one for one in command.params if one.param_type_name == "option"]
    return tuple(name for one in params for name in (*one.opts, *one.secondary_opts) if "-completion" not in name)


def parse(line: str) -> None:
    """Parses a command line as far as it is omnidb's own. Raises what Typer says about a wrong one."""
    words = _own_words(line)
    assert words[:1] == ["omnidb"], f"not a command of omnidb: {line}"
    command: Any = root()
    context: Any = None
    rest = words[1:]
    while True:
        try:
            context = command.make_context(command.name or "omnidb", rest, parent=context)
        except typer.Exit:  # --version and --help end the parsing
            return
        if not hasattr(command, "list_commands"):
            return
        rest = [*context._protected_args, *context.args]
        found = command.get_command(context, rest[0]) if rest else None
        assert found is not None, f"no such command: {line}"
        command, rest = found, rest[1:]


def _own_words(line: str) -> list[str]:
    """The words up to a pipe, a redirection or the end of the command; from `omnidb` on."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    segments: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            segments.append([])
        else:
            segments[-1].append(word)
    own = next(one for one in segments if "omnidb" in one)
    own = own[own.index("omnidb") :]
    return own[: next((at for at, word in enumerate(own) if set(word) <= set("<>")), len(own))]
