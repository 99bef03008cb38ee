"""The options that several commands share, written once."""

from collections.abc import Collection
from typing import Annotated, Any

import typer

from omnidb_cli.duration import FORMS, parse_duration

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Connections; all where none is named.")]
SomeNames = Annotated[list[str], typer.Argument(metavar="NAME...", help="Connections.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A connection.")]

Output = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT",
        help="table, json, jsonl, yaml, csv, tsv or name, as far as the command has them.",
        show_default="$OMNIDB_OUTPUT, else table",
    ),
]


def duration(text: str) -> float:
    """The seconds of a duration option. Raises a usage error for anything else."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def seconds_option(*names: str, help: str, show_default: str | bool = True) -> Any:  # noqa: A002 - Typer's word
    """An option that takes a duration and gives seconds."""
    return typer.Option(*names, parser=duration, metavar="DURATION", help=help, show_default=show_default)


def chosen_format(ctx_format: str | None, env_format: str | None, parts: Collection[Any], *, fallback: str) -> str:
    """The format to write in. Raises a usage error, naming what is allowed, for one that the command does not have."""
    from omnidb_cli.output.formats import open_format

    wanted = ctx_format or env_format or fallback
    try:
        open_format(wanted, parts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'-o' / '--output'") from None
    return wanted


def one_of(option: str, word: str, words: Collection[str]) -> str:
    """The word, where it is one of `words`. Raises a usage error otherwise."""
    if word not in words:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(words)}", param_hint=f"'{option}'")
    return word


__all__ = ["FORMS", "Name", "Names", "Output", "SomeNames", "chosen_format", "duration", "one_of", "seconds_option"]
