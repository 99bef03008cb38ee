"""`omnidb circuit`: takes connections out of rotation and puts them back, for everybody who uses omnidb."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.options import Names, Output, SomeNames, seconds_option
from omnidb_cli.cli.parsing import commands, printing
from omnidb_cli.duration import LONGEST_HOLD_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator

app = commands(no_args_is_help=True, help="Take connections out of rotation, and put them back.")

_Printing = printing("omnidb_cli.output.views.circuits:PARTS")


@app.command("open", cls=_Printing)
def open_(
    ctx: typer.Context,
    names: SomeNames,
    hold_for: Annotated[
        float | None,
        seconds_option("--for", help="How long to hold it.", default="until closed", longest_s=LONGEST_HOLD_S),
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; shown to all who share the state.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace another person's hold, or shorten your own.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even if a connection is left without an eligible endpoint.")
    ] = False,
    output: Output = None,
) -> None:
    """Take connections out of rotation, until closed or for a time."""
    from omnidb_cli.cli.commands.circuit.run import HoldRequest, hold

    hold(ctx.obj, names, output, HoldRequest(hold_for, reason, replace=replace, force=force))


@app.command(cls=_Printing)
def close(ctx: typer.Context, names: SomeNames, output: Output = None) -> None:
    """Put connections back in rotation; clear hold and counters."""
    from omnidb_cli.cli.commands.circuit.run import act

    def put_back(db: "Orchestrator", asked: "Sequence[str]", actor: str) -> None:
        for name in asked:
            db.close_circuit(name, actor=actor)

    act(ctx.obj, names, output, put_back)


@app.command("list", cls=_Printing)
def list_(ctx: typer.Context, names: Names = None, output: Output = None) -> None:
    """Show every circuit: state, who opened it, why, since, until."""
    run_list(ctx.obj, tuple(names or ()), output)


def run_list(context: "Context", names: tuple[str, ...], output: str | None) -> None:
    """Shows the circuits as they are saved, all or the named ones; touches no database."""
    from datetime import UTC, datetime
    from time import monotonic

    from omnidb_cli.cli.rules import settings_of
    from omnidb_cli.cli.saved_state import read_or_warn
    from omnidb_cli.core.circuit.model import CLOSED
    from omnidb_cli.core.views import circuit_view
    from omnidb_cli.output.views.circuits import PARTS, circuits_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    topology.closure(names)
    _, rows = read_or_warn(context, topology)
    clock = monotonic()
    circuits = [
        (name, circuit_view(rows[name].memory.circuit if name in rows else CLOSED, clock, settings.rules))
        for name, settings in settings_of(topology).items()
        if not names or name in names
    ]
    streams.show(circuits_document(circuits, now=datetime.now(UTC)))
