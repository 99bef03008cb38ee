"""The parameters that several commands share, and the form in which help shows all of them, written once."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from omnidb_cli.discovery import names_in
from omnidb_cli.duration import LONGEST_S, parse_duration

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Connections; all where none is named.")]
SomeNames = Annotated[list[str], typer.Argument(metavar="NAME...", help="Connections.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A connection.")]

_OUTPUT = "How to print it: {formats}, as far as the command has them.  [default: $OMNIDB_OUTPUT, else table]"

Output = Annotated[str | None, typer.Option("-o", "--output", metavar="FORMAT", help=_OUTPUT, show_default=False)]


class Command(TyperCommand):
    """A command whose help has its arguments as the documentation has them, and every format that there is."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The parts of the usage line: `NAME [STATEMENT]`."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help."""
        for option in self.params:
            if getattr(option, "help", None) == _OUTPUT:
                option.help = _OUTPUT.format(formats=", ".join(names_in("omnidb_cli.output.formats")))  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)


def commands(**settings: Any) -> typer.Typer:
    """The Typer of one file of commands. Its help is plain: Rich would double the time that it takes."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, **settings)


def _duration(longest_s: float | None) -> Callable[[str], float]:
    """The parser of a duration option. It raises a usage error for anything else."""

    def duration(text: str) -> float:
        try:
            return parse_duration(text, longest_s=longest_s)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return duration


def seconds_option(
    *names: str,
    help: str,  # noqa: A002 - Typer's word
    default: str | None = None,
    longest_s: float | None = LONGEST_S,
) -> Any:
    """An option that takes a duration of at most `longest_s` and gives seconds; `default` is what help says of it."""
    said = help if default is None else f"{help}  [default: {default}]"
    return typer.Option(*names, parser=_duration(longest_s), metavar="DURATION", help=said, show_default=False)


def chosen_format(given: str | None, preferred: str | None, parts: Collection[Any], *, fallback: str) -> str:
    """The format to write in: the one given, else the preferred one where the command has it, else the fallback.

    Raises a usage error for one that is given and that the command does not have, or that nobody has.
    """
    from omnidb_cli.output.formats import open_format

    wanted = given or preferred or fallback
    try:
        open_format(wanted, parts)
    except ValueError as error:
        if given is None and wanted in names_in("omnidb_cli.output.formats"):
            return "json" if wanted == "jsonl" else fallback
        source = "'-o' / '--output'" if given else "'$OMNIDB_OUTPUT'"
        raise typer.BadParameter(str(error), param_hint=source) from None
    return wanted


def one_of(option: str, word: str, words: Collection[str]) -> str:
    """The word, where it is one of `words`. Raises a usage error otherwise."""
    if word not in words:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(words)}", param_hint=f"'{option}'")
    return word


def needs(option: str, given: bool, other: str, other_given: bool) -> None:
    """Raises a usage error where `option` is given without the `other` that it goes with."""
    if given and not other_given:
        raise typer.BadParameter(f"goes with {other} only", param_hint=f"'{option}'")
