"""`omnidb events`: what happened, with who and why."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnidb_cli.cli.commands.events.points_in_time import point_in_time
from omnidb_cli.cli.errors import UsageError
from omnidb_cli.cli.options import Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.commands.events.query import EventQuery
    from omnidb_cli.cli.context import Context

app = commands()


def _time_option(name: str, *, help: str) -> Any:  # noqa: A002 - Typer's word
    return typer.Option(name, parser=point_in_time, metavar="TIME", help=help, show_default=False)


@app.command(cls=printing("omnidb_cli.output.views.events:PARTS"))
def events(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep running and show new events.")] = False,
    since: Annotated[
        datetime | None,
        _time_option("--since", help="Only from this time on: 48h ago, or a time such as 2026-11-23T07:30Z."),
    ] = None,
    until: Annotated[datetime | None, _time_option("--until", help="Only up to this time, likewise.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Only the newest N of them.")
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="Only of this connection; repeatable.")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only of this type, such as failover; repeatable."),
    ] = None,
    output: Output = None,
) -> None:
    """Show the history: health, circuits, failovers, holds."""
    from omnidb_cli.cli.commands.events.query import question

    if follow and until is not None:
        raise UsageError("--until does not go with --follow, which has no end")
    asked = question(since, until, limit, name or (), type_ or ())
    run_events(ctx.obj, asked, output, follow=follow)


def run_events(context: "Context", asked: "EventQuery", output: str | None, *, follow: bool) -> None:
    """Shows the events that are saved; with `follow`, then each new one until interrupted."""
    from omnidb_cli.cli.commands.events.query import known_names, saved_events, show_as_they_come
    from omnidb_cli.output.views.events import PARTS, events_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    known_names(topology, asked)
    store = context.store(topology)
    if follow:
        show_as_they_come(streams, store, asked)
    else:
        streams.show(events_document(saved_events(store, asked)))
