"""How a command line is read: global options stand anywhere, a wrong word is answered with the nearest right one."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from omnidb_cli.cli.context import Context
from omnidb_cli.cli.errors import UsageError, suggestion

_GLOBAL = ("config", "state", "no_color", "debug")
_ANYWHERE = (*_GLOBAL, "version")


class Command(TyperCommand):
    """A command that takes the global options too. `shape` names the parts that it prints: `module:NAME`."""

    allow_extra_args = True  # they are refused here, in our own words
    shape: str | None = None
    own_formats: tuple[str, ...] = ()

    def get_params(self, ctx: Any) -> list[Any]:
        """Its own parameters, and the global options."""
        return [*super().get_params(ctx), *_global_options(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words after the command's name. Raises a usage error."""
        with _in_our_words(self, ctx):
            rest = super().parse_args(ctx, args)
        _take_global_options(ctx)
        if rest and not ctx.resilient_parsing:
            raise UsageError(self.too_much(ctx, rest), ctx)
        return rest

    def too_much(self, ctx: Any, rest: list[str]) -> str:  # noqa: ARG002 - a command may say more
        """What is said of words that the command has no use for."""
        return f"{self.name} does not take {', '.join(map(repr, rest))}"

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The parts of the usage line: `NAME [STATEMENT]`."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help; `-o` names exactly the formats that the command has."""
        for option in self.params:
            if option.metavar == "FORMAT":
                option.help = option.help.format(formats=", ".join(self.formats()))  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Says that the global options may stand here."""
        _mention_global_options(ctx, formatter)

    def formats(self) -> tuple[str, ...]:
        """The formats that the command can print, sorted."""
        from importlib import import_module

        from omnidb_cli.output.formats import allowed_formats

        module, _, name = (self.shape or "").partition(":")
        parts = getattr(import_module(module), name) if module else ()
        return tuple(sorted((*allowed_formats(parts), *self.own_formats)))


class Group(TyperGroup):
    """Commands under one name. Global options may stand here too."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Its own parameters, and the global options."""
        return [*super().get_params(ctx), *_global_options(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words up to the command. Raises a usage error."""
        with _in_our_words(self, ctx):
            rest = super().parse_args(ctx, args)
        _take_global_options(ctx)
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names. Raises a usage error that suggests the nearest one."""
        found = self.get_command(ctx, args[0])
        if found is None and not ctx.resilient_parsing:
            raise UsageError(f"no command {args[0]!r}{suggestion(args[0], self.list_commands(ctx))}", ctx)
        return args[0] if found else None, found, args[1:]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Says that the global options may stand here."""
        _mention_global_options(ctx, formatter)


def commands(**settings: Any) -> typer.Typer:
    """The Typer of one file of commands. Its help is plain: Rich would double the time that it takes."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, cls=Group, **settings)


def printing(shape: str, *own_formats: str) -> type[Command]:
    """The class of a command that prints what has the parts `shape` (`module:NAME`), or formats of its own.

    They are named, not imported: only help needs them before the command runs.
    """
    return type("PrintingCommand", (Command,), {"shape": shape, "own_formats": own_formats})


def _global_options(ctx: Any) -> list[Any]:
    """Those of `omnidb` itself, for whatever comes after it. Its help tells of them in one line, so they are hidden."""
    if ctx.parent is None:
        return []
    options = [copy(one) for one in ctx.find_root().command.params if one.name in _ANYWHERE]
    for one in options:
        one.hidden = True
    return options


def _take_global_options(ctx: Any) -> None:
    if ctx.parent is None:
        return  # `omnidb` itself takes them as its own
    given = {name: ctx.params.pop(name, None) for name in _ANYWHERE}
    if isinstance(ctx.obj, Context):
        ctx.obj.with_options(**{name: given[name] for name in _GLOBAL})


def _mention_global_options(ctx: Any, formatter: Any) -> None:
    if options := _global_options(ctx):
        formatter.write_paragraph()
        formatter.write_text(f"Global options too: {', '.join(one.opts[0] for one in options)}.")


@contextmanager
def _in_our_words(command: Any, ctx: Any) -> Iterator[None]:
    """Says of an unknown option which one may have been meant."""
    try:
        yield
    except UsageError as error:
        if not hasattr(error, "possibilities"):
            raise
        word = str(error.option_name)  # type: ignore[attr-defined]
        known = [name for one in command.get_params(ctx) for name in (*one.opts, *one.secondary_opts)]
        near = suggestion(word, [name for name in known if name.startswith("--")])
        more = ": what begins with a dash and is no option comes after --" if " " in word else near
        raise UsageError(f"no option {word!r}{more}", ctx) from None
