"""`omnidb route`: who would serve a connection now, and why."""

from typing import TYPE_CHECKING

import typer

from omnidb_cli.cli.exit_codes import ExitCode
from omnidb_cli.cli.options import Name, Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import Route
    from omnidb_cli.topology import Topology

app = commands()

OWN_FORMATS = ("url",)


@app.command(cls=printing("omnidb_cli.output.views.route:PARTS", *OWN_FORMATS))
def route(ctx: typer.Context, name: Name, output: Output = None) -> ExitCode:
    """Show who would serve NAME now, every candidate, and why (not)."""
    return run_route(ctx.obj, name, output)


def run_route(context: "Context", name: str, output: str | None) -> ExitCode:
    """Shows the route of `name`; the code says whether anybody serves."""
    from omnidb_cli.output.views.route import PARTS, route_document

    wanted = output or context.env.get("OMNIDB_OUTPUT")
    streams = context.choose_format(output, PARTS, also=OWN_FORMATS)
    topology = context.topology().restricted([name])
    found = decide(context, topology, name)
    if wanted != "url":
        streams.show(route_document(found))
    elif found.serving is not None:
        streams.line(topology.connections[found.serving].url.text)
    return ExitCode.DOWN if found.serving is None else ExitCode.DONE


def decide(context: "Context", topology: "Topology", name: str) -> "Route":
    """The route by what is saved, after a new look at those whose saved verdict is due for one."""
    from omnidb_cli.cli.compose import open_drivers, orchestrator
    from omnidb_cli.cli.remembering import restore, where_readable, written
    from omnidb_cli.cli.running import run

    drivers = open_drivers(topology)
    state, rows = where_readable(context, topology)
    db = orchestrator(topology, drivers, journal=state)
    restore(db, rows)
    run(look(db, name, topology))
    if state is not None:
        state.adopt(db, written(context, state.finish))
    return db.route(name)


async def look(db: "Orchestrator", name: str, topology: "Topology") -> None:
    """Looks again at those who may be passed over for no reason that still holds."""
    from omnidb_cli.cli.second_look import look_again

    await db.connect(look=False, keep_looking=False)
    try:
        await look_again(db, name, topology)
    finally:
        await db.disconnect()
