"""`omnidb config`: is the topology file right, and what does it amount to."""

from typing import TYPE_CHECKING

import typer

from omnidb_cli.cli.options import Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context

app = commands(no_args_is_help=True, help="Check the topology file, or show it resolved.")


@app.command(cls=printing("omnidb_cli.output.views.config:PARTS"))
def validate(ctx: typer.Context, output: Output = None) -> None:
    """Check the topology file; every problem at once, with its line."""
    run_validate(ctx.obj, output)


@app.command(cls=printing("omnidb_cli.output.views.plain:PARTS"))
def show(ctx: typer.Context, output: Output = None) -> None:
    """Show the resolved topology, secrets redacted."""
    run_show(ctx.obj, output)


def run_validate(context: "Context", output: str | None) -> None:
    """Says that the file is valid. Raises TopologyError with every problem otherwise."""
    from omnidb_cli.output.views.config import PARTS, validity_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    streams.show(validity_document(str(context.config_path()), topology.name, len(topology.connections)))


def run_show(context: "Context", output: str | None) -> None:
    """Shows every key at the value that counts."""
    from omnidb_cli.output.views.plain import PARTS, config_document
    from omnidb_cli.topology.export import described

    streams = context.choose_format(output, PARTS)
    streams.show(config_document(described(context.topology())))
