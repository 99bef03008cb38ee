"""`omnidb state`: shows where the saved state is kept, and resets it."""

from typing import TYPE_CHECKING

import typer

from omnidb_cli.cli.options import Output
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.state.store import StoreInfo

app = commands(no_args_is_help=True, help="Show where the state is kept, or reset it.")

_Printing = printing("omnidb_cli.output.views.plain:PARTS")


@app.command(cls=_Printing)
def show(ctx: typer.Context, output: Output = None) -> None:
    """Show where the state is, its size, version and writers."""
    run_show(ctx.obj, output)


@app.command(cls=_Printing)
def reset(ctx: typer.Context, output: Output = None) -> None:
    """Reset the state without asking; the old file is backed up."""
    run_reset(ctx.obj, output)


def run_show(context: "Context", output: str | None) -> None:
    """Shows the store of this topology. Raises StateStoreError when it cannot be read."""
    from omnidb_cli.output.views.plain import PARTS, state_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    info = context.store(topology).info()
    streams.show(state_document({"schema": "omnidb.state/v1", "topology": topology.name, **_described(info)}))


def _described(info: "StoreInfo") -> dict[str, object]:
    from msgspec.structs import asdict

    facts: dict[str, object] = asdict(info)
    facts["schema_version"] = facts.pop("schema")
    del facts["sharing"]
    return {**facts, **asdict(info.sharing)}


def run_reset(context: "Context", output: str | None) -> None:
    """Backs the old state up. Raises StateStoreError when that cannot be done, PreconditionError when it may not."""
    from omnidb_cli.output.views.plain import PARTS, state_document

    streams = context.choose_format(output, PARTS)
    topology = context.topology()
    store = context.store(topology)
    try:
        aside = store.reset()
    finally:
        store.close()
    streams.show(state_document({"schema": "omnidb.state-reset/v1", "topology": topology.name, "kept_aside": aside}))
