"""`omnidb failback`: lets a primary serve again that waits for a person's word."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.options import Name, Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context

app = commands()


@app.command(cls=printing("omnidb_cli.output.views.route:PARTS"))
def failback(
    ctx: typer.Context,
    name: Name,
    accept_split_brain: Annotated[
        bool, typer.Option("--accept-split-brain", help="Although a replica also accepts writes.")
    ] = False,
    output: Output = None,
) -> None:
    """Let NAME serve again (manual failback, or split brain)."""
    run_failback(ctx.obj, name, output, accept_split_brain=accept_split_brain)


def run_failback(context: "Context", name: str, output: str | None, *, accept_split_brain: bool = False) -> None:
    """Gives the service back to `name` for everybody.

    Raises PreconditionError when it is not eligible, and during a split brain without `accept_split_brain`.
    """
    from functools import partial

    from omnidb_cli.cli.saved_state import saved_state
    from omnidb_cli.cli.wiring import offline_orchestrator
    from omnidb_cli.errors import PreconditionError
    from omnidb_cli.output.views.route import PARTS, route_document
    from omnidb_cli.state.actor import current_actor

    streams = context.choose_format(output, PARTS)
    topology = context.topology().restricted([name])
    with saved_state(context, topology, partial(offline_orchestrator, topology), required=True) as db:
        try:
            db.failback(name, actor=current_actor(), accept_split_brain=accept_split_brain)
        except PreconditionError as error:
            error.connection = name
            if db.route(name).split_brain is not None:
                error.hint = (
                    f"hold the one that must not be written, or accept it with "
                    f"`omnidb failback {name} --accept-split-brain`"
                )
            raise
    streams.show(route_document(db.route(name)))
