"""`omnidb failback`: lets a primary serve again that waits for a person's word."""

from typing import TYPE_CHECKING

import typer

from omnidb_cli.cli.options import Name, Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context

app = commands()


@app.command(cls=printing("omnidb_cli.output.views.route:PARTS"))
def failback(ctx: typer.Context, name: Name, output: Output = None) -> None:
    """Let NAME serve again where `failback: manual` waits for that."""
    run_failback(ctx.obj, name, output)


def run_failback(context: "Context", name: str, output: str | None) -> None:
    """Gives the service back to `name` for everybody. Raises PreconditionError when it is not eligible."""
    from omnidb_cli.cli.compose import unconnected
    from omnidb_cli.cli.remembering import restore, saved_state
    from omnidb_cli.output.views.route import PARTS, route_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology().restricted([name])
    state = saved_state(topology, context.remembering_store(topology))
    db = unconnected(topology, journal=state)
    restore(db, state.read())
    db.failback(name)
    state.adopt(db, state.finish())
    streams.show(route_document(db.route(name)))
