"""`omnidb watch`: stays, checks again and again, and shows every change as it happens."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.exit_codes import ExitCode
from omnidb_cli.cli.options import Command, Names, Output, commands, needs, seconds_option

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.cli.watching import Watching

app = commands()


@app.command(cls=Command)
def watch(
    ctx: typer.Context,
    names: Names = None,
    interval: Annotated[float, seconds_option("--interval", help="Time between two checks.", default="5s")] = 5.0,
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="End after this many check rounds.")] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            help="End when it is so: healthy, failover, recovery or NAME=healthy|degraded|unhealthy.",
        ),
    ] = None,
    timeout: Annotated[float | None, seconds_option("--timeout", help="With --until: give up after this time.")] = None,
    output: Output = None,
) -> ExitCode:
    """Stay and watch: a screen, or JSON lines when piped."""
    from omnidb_cli.cli.watching import Watching

    needs("--timeout", timeout is not None, "--until", until is not None)
    wanted = Watching(tuple(names or ()), interval_s=interval, rounds=count, until=until, timeout_s=timeout)
    return run_watch(ctx.obj, wanted, output)


def run_watch(context: "Context", wanted: "Watching", output: str | None) -> ExitCode:
    """Watches as wanted, on a live screen or line by line."""
    from omnidb_cli.cli.running import run
    from omnidb_cli.cli.until import condition
    from omnidb_cli.cli.watching import watch_until_done
    from omnidb_cli.output.document import Part
    from omnidb_cli.output.streams import MACHINE_FORMATS

    streams = context.choose_format(output, (Part.TABLE, Part.ITEMS, Part.BODY))
    if streams.format not in ("table", *MACHINE_FORMATS):
        raise typer.BadParameter("watch prints table, json or jsonl", param_hint="'-o' / '--output'")
    whole = context.topology()
    topology = whole.restricted(wanted.names) if wanted.names else whole
    met = condition(wanted.until, tuple(wanted.names or topology.connections)) if wanted.until else None
    if streams.format == "table" and streams.live:
        from omnidb_cli.cli.faces import ScreenFace

        with ScreenFace(streams) as screen:
            return run(watch_until_done(context, topology, wanted, screen, met))
    from omnidb_cli.cli.faces import LineFace, PlainFace

    face = PlainFace(streams) if streams.format == "table" and streams.is_terminal else LineFace(streams)
    return run(watch_until_done(context, topology, wanted, face, met))
