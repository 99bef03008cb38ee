"""`omnidb watch`: stays, checks again and again, and shows every change as it happens."""

from typing import TYPE_CHECKING

import typer

from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.cli.options import Count, Interval, Names, Output, Until, UntilTimeout, require_with
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.commands.watch.run import WatchOptions
    from omnidb_cli.cli.context import Context

app = commands()


@app.command(cls=printing("omnidb_cli.output.views.status:WATCH_PARTS"))
def watch(
    ctx: typer.Context,
    names: Names = None,
    interval: Interval = None,
    count: Count = None,
    until: Until = None,
    timeout: UntilTimeout = None,
    output: Output = None,
) -> ExitCode:
    """Keep checking: a live screen, or JSON lines when piped."""
    from omnidb_cli.cli.commands.watch.run import watching

    require_with("--timeout", timeout is not None, "--until", until is not None)
    return run_watch(ctx.obj, watching(names or (), interval, count, until, timeout), output)


def run_watch(context: "Context", wanted: "WatchOptions", output: str | None) -> ExitCode:
    """Watches as wanted, on a live screen or line by line."""
    from omnidb_cli.cli.commands.watch.conditions import condition
    from omnidb_cli.cli.commands.watch.run import watch_until_done
    from omnidb_cli.cli.running import run
    from omnidb_cli.output.views.status import WATCH_PARTS

    streams = context.choose_format(output, WATCH_PARTS)
    whole = context.topology()
    topology = whole.restricted(wanted.names) if wanted.names else whole
    met = condition(wanted.until, tuple(wanted.names or topology.connections)) if wanted.until else None
    if streams.format == "table" and streams.live:
        from omnidb_cli.cli.commands.watch.displays import LiveDisplay

        with LiveDisplay(streams) as screen:
            return run(watch_until_done(context, topology, wanted, screen, met))
    from omnidb_cli.cli.commands.watch.displays import JsonLinesDisplay, TextDisplay

    face = TextDisplay(streams) if streams.format == "table" and streams.is_terminal else JsonLinesDisplay(streams)
    return run(watch_until_done(context, topology, wanted, face, met))
