"""The parameters that several commands share, written once."""

from collections.abc import Callable, Collection
from typing import Annotated, Any, NoReturn

import typer

from omnidb_cli.cli.errors import UsageError, suggestion
from omnidb_cli.duration import LONGEST_S, parse_duration
from omnidb_cli.plugins import names_in

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Connections; all by default.")]
SomeNames = Annotated[list[str], typer.Argument(metavar="NAME...", help="Connections.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A connection.")]

_OUTPUT = "How to print it: {formats}.  [default: $OMNIDB_OUTPUT, else table]"

Output = Annotated[str | None, typer.Option("-o", "--output", metavar="FORMAT", help=_OUTPUT, show_default=False)]


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


Interval = Annotated[
    float | None, seconds_option("--interval", help="Watching: time between two checks.", default="5s")
]
Count = Annotated[int | None, typer.Option(min=1, metavar="N", help="Watching: end after this many check rounds.")]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        help="Watching: end when this holds: healthy, failover, recovery or NAME=healthy|degraded|unhealthy.",
    ),
]
UntilTimeout = Annotated[float | None, seconds_option("--timeout", help="With --until: give up after this time.")]


def chosen_format(given: str | None, preferred: str | None, parts: Collection[Any], also: Collection[str] = ()) -> str:
    """The format to write in: the one given, else the preferred one where the command has it, else the table.

    Of what the command prints itself (`also`) that is the table, in which it says what else there is to say.
    Raises a usage error for one that is given and that the command does not have, or that nobody has.
    """
    from omnidb_cli.output.formats import allowed_formats, open_format

    wanted = given or preferred or "table"
    if wanted in also:
        return "table"
    try:
        open_format(wanted, parts)
    except ValueError:
        if given is None and wanted in names_in("omnidb_cli.output.formats"):
            return "json" if wanted == "jsonl" else "table"
        source = "'-o' / '--output'" if given else "'$OMNIDB_OUTPUT'"
        refuse(source, wanted, sorted((*allowed_formats(parts), *also)))
    return wanted


def require_choice(option: str, word: str, words: Collection[str]) -> str:
    """The word, where it is one of `words`. Raises a usage error otherwise."""
    if word not in words:
        refuse(f"'{option}'", word, words)
    return word


def refuse(source: str, word: str, words: Collection[str]) -> NoReturn:
    """Raises the usage error for a word that is none of `words`: it names them, and the nearest."""
    said = f"there is no {word!r} here{suggestion(word, words)}"
    raise typer.BadParameter(f"{said} (use {', '.join(words)})", param_hint=source)


def require_with(option: str, given: bool, other: str, other_given: bool) -> None:
    """Raises a usage error where `option` is given without the `other` that it goes with."""
    if given and not other_given:
        raise UsageError(f"{option} goes with {other} only")
