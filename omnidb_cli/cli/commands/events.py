"""`omnidb events`: what happened, with who and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.options import Command, Output, commands, seconds_option

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.cli.history import Question

app = commands()


@app.command(cls=Command)
def events(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show what happens from now on.")] = False,
    since: Annotated[
        float | None,
        seconds_option(
            "--since", help="Only of the last so long, such as 1h.", default="all that is kept", longest_s=None
        ),
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
    """Show the history of health, circuits, failovers, manual acts."""
    from omnidb_cli.cli.history import question

    run_events(ctx.obj, question(since, name or (), type_ or ()), output, follow=follow)


def run_events(context: "Context", asked: "Question", output: str | None, *, follow: bool) -> None:
    """Shows the events that are saved; with `follow`, then each new one until interrupted."""
    from omnidb_cli.cli.history import known_names, saved_events, show_as_they_come
    from omnidb_cli.output.views.events import PARTS, events_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    known_names(topology, asked)
    store = context.store(topology)
    if follow:
        show_as_they_come(streams, store, asked)
    else:
        streams.show(events_document(saved_events(store, asked)))
