"""The command `omnidb`: its global options, and its commands, each loaded when it is called."""

import sys
from typing import Annotated, Any

import typer
from typer.main import get_command

from omnidb_cli.cli.context import Context
from omnidb_cli.cli.errors import guarded
from omnidb_cli.cli.parsing import Group
from omnidb_cli.plugins import load, names_in

_COMMANDS = "omnidb_cli.cli.commands"


class OmnidbGroup(Group):
    """Finds commands by their files, and turns every error into words and an exit code in one place."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """Every command there is."""
        return list(names_in(_COMMANDS))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Typer's
        """The command of that name, or None."""
        if cmd_name not in names_in(_COMMANDS):
            return None
        return get_command(load(_COMMANDS, cmd_name).app)

    def make_context(self, *args: Any, **settings: Any) -> Any:
        """The context of a command line. Help and version are written here, and nothing is left to do after them."""
        made: list[Any] = []
        make = super().make_context
        code = guarded(lambda: made.append(make(*args, **settings)), Context)
        if not made:
            raise typer.Exit(code)
        return made[0]

    def invoke(self, ctx: Any) -> Any:
        """Runs the command, and exits with its code."""
        run = super().invoke
        try:
            raise typer.Exit(guarded(lambda: run(ctx), lambda: ctx.obj or Context()))
        finally:
            if isinstance(ctx.obj, Context):
                ctx.obj.stop_logging()


app = typer.Typer(
    cls=OmnidbGroup,
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: Rich would double the time that it takes
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,  # locals hold secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from omnidb_cli import __version__

        sys.stdout.write(f"omnidb {__version__}\n")
        sys.stdout.flush()
        raise typer.Exit


@app.callback()
def omnidb(
    ctx: typer.Context,
    config: Annotated[
        str | None, typer.Option("-c", "--config", metavar="FILE", help="Topology file.", show_default=False)
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the state is kept; memory: saves nothing.")
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log each step on stderr, and show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("-V", "--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What is up, what is down, which backup serves, and why."""
    given = ctx.obj if isinstance(ctx.obj, Context) else Context()
    ctx.obj = given.with_options(config=config, state=state, no_color=no_color, debug=debug)
