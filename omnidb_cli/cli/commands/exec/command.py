"""`omnidb exec`: runs one statement on whoever serves a connection."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnidb_cli.cli.options import Name, Output, seconds_option
from omnidb_cli.cli.parsing import Command, commands

if TYPE_CHECKING:
    from omnidb_cli.cli.commands.exec.request import ExecRequest
    from omnidb_cli.cli.context import Context
    from omnidb_cli.output.streams import Streams

app = commands()


class ExecCommand(Command):
    """`exec`, which says how to quote a statement."""

    shape = "omnidb_cli.output.results.writer:PARTS"

    def too_much(self, ctx: Any, rest: list[str]) -> str:
        """What is said of a statement that the shell has split into words."""
        from omnidb_cli.cli.commands.exec.statement import unquoted
        from omnidb_cli.output.values import visible

        given = [word for word in (ctx.params["statement"], *rest) if word is not None]
        program = ctx.obj.program if ctx.obj else "omnidb"
        return visible(unquoted(f"{program} exec {ctx.params['name']}", given))


@app.command("exec", cls=ExecCommand)
def exec_(  # noqa: PLR0917 - one parameter an option is Typer's form
    ctx: typer.Context,
    name: Name,
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="One statement; - reads it from standard input.")
    ] = None,
    file: Annotated[str | None, typer.Option("--file", metavar="FILE", help="Read the statement from a file.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="VALUE", help="Bound to the next placeholder; repeatable.")
    ] = None,
    failover: Annotated[
        bool, typer.Option("--failover/--no-failover", help="Whether a backup may serve.", show_default=False)
    ] = True,
    timeout: Annotated[
        float, seconds_option("--timeout", help="Limit for everything, including waits for locks.", default="30s")
    ] = 30.0,
    write_on_backup: Annotated[
        bool, typer.Option("--allow-write-on-backup", help="Allow a write on a backup.")
    ] = False,
    headers: Annotated[
        bool,
        typer.Option(
            "--headers/--no-headers", help="csv and tsv: whether to print the column names.", show_default=False
        ),
    ] = True,
    raw: Annotated[
        bool, typer.Option("--raw", help="One column as the server sent it, nothing escaped; not to a terminal.")
    ] = False,
    output: Output = None,
) -> None:
    """Run one statement on the connection that serves NAME."""
    from omnidb_cli.cli.commands.exec.request import ExecRequest
    from omnidb_cli.cli.commands.exec.statement import statement_of

    text = statement_of(statement, file)
    order = ExecRequest(
        name, text, tuple(param or ()), failover=failover, timeout_s=timeout, write_on_backup=write_on_backup
    )
    run_exec(ctx.obj, order, output, headers=headers, raw=raw)


def run_exec(context: "Context", order: "ExecRequest", output: str | None, *, headers: bool, raw: bool = False) -> None:
    """Runs the order; the rows go to stdout, the receipt to stderr. What was learnt on the way is remembered.

    Raises StateStoreError when a hold could be overlooked, ConnectionUnavailableError when nobody is eligible, and
    the driver errors of whoever was tried last.
    """
    from omnidb_cli.cli.commands.exec.run import Execution
    from omnidb_cli.cli.running import run
    from omnidb_cli.cli.saved_state import recorder_of, write_or_warn
    from omnidb_cli.output.results.model import PARTS
    from omnidb_cli.output.results.raw import SeveralColumnsError

    streams = context.choose_format(output, PARTS, headers=headers)
    if raw:
        _is_possible_raw(streams, output)
        streams.raw = True
    topology = context.topology().restricted([order.name])
    execution = Execution(context, topology, order, recorder_of(topology, context.store(topology)))
    try:
        run(execution.carry_out())
    except SeveralColumnsError as error:
        raise typer.BadParameter(f"{error}; the statement itself was run", param_hint="'--raw'") from None
    finally:
        write_or_warn(context, execution.recorder.finish)


def _is_possible_raw(streams: "Streams", output: str | None) -> None:
    """Raises a usage error for `--raw` on a terminal, where escape sequences would act, or beside a format."""
    if output is not None:
        raise typer.BadParameter("is a form of its own, and goes with no --output", param_hint="'--raw'")
    if streams.is_terminal:
        raise typer.BadParameter("does not write to a terminal: send it to a file or a pipe", param_hint="'--raw'")
