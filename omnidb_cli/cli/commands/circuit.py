"""`omnidb circuit`: takes connections out of rotation and puts them back, for everybody who uses omnidb."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.options import Command, Output, SomeNames, commands, seconds_option
from omnidb_cli.duration import LONGEST_HOLD_S

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator

app = commands(no_args_is_help=True, help="Take connections out of rotation, and put them back.")


@app.command("open", cls=Command)
def open_(
    ctx: typer.Context,
    names: SomeNames,
    hold_for: Annotated[
        float | None,
        seconds_option("--for", help="Hold it only for so long.", default="until closed", longest_s=LONGEST_HOLD_S),
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for everybody to read.")] = None,
    output: Output = None,
) -> None:
    """Take connections out of rotation, until closed or for a time."""
    from omnidb_cli.cli.holding import act

    def hold(db: "Orchestrator", name: str, actor: str) -> None:
        db.open_circuit(name, reason=reason, hold_for=hold_for, actor=actor)

    act(ctx.obj, names, output, hold)


@app.command(cls=Command)
def close(ctx: typer.Context, names: SomeNames, output: Output = None) -> None:
    """Put connections back in rotation, as if nothing had happened."""
    from omnidb_cli.cli.holding import act

    act(ctx.obj, names, output, lambda db, name, actor: db.close_circuit(name, actor=actor))


@app.command("list", cls=Command)
def list_(ctx: typer.Context, output: Output = None) -> None:
    """Show every circuit: state, who opened it, why, since, until."""
    run_list(ctx.obj, output)


def run_list(context: "Context", output: str | None) -> None:
    """Shows the circuits as they are saved; touches no database."""
    from datetime import UTC, datetime
    from time import monotonic

    from omnidb_cli.cli.remembering import where_readable
    from omnidb_cli.cli.rules import settings_of
    from omnidb_cli.core.circuit import CLOSED
    from omnidb_cli.core.circuit_view import circuit_view
    from omnidb_cli.output.views.circuits import PARTS, circuits_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    _, rows = where_readable(context, topology)
    clock = monotonic()
    circuits = [
        (name, circuit_view(rows[name].memory.circuit if name in rows else CLOSED, clock, settings.rules))
        for name, settings in settings_of(topology).items()
    ]
    streams.show(circuits_document(circuits, now=datetime.now(UTC)))
