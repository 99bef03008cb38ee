"""`omnidb exec`: runs one statement on whoever serves a connection."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.options import Name, Output, seconds_option

if TYPE_CHECKING:
    from omnidb_cli.cli.context import Context
    from omnidb_cli.cli.execution import Order

app = typer.Typer(rich_markup_mode=None)


@app.command("exec")
def exec_(
    ctx: typer.Context,
    name: Name,
    statement: Annotated[str | None, typer.Argument(help="One statement; - reads it from standard input.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read the statement from a file.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="VALUE", help="Bound to the next placeholder; repeatable.")
    ] = None,
    failover: Annotated[bool, typer.Option("--failover/--no-failover", help="Let a backup serve.")] = True,
    timeout: Annotated[float, seconds_option("--timeout", help="Limit for all of it.", show_default="30s")] = 30.0,
    write_on_backup: Annotated[
        bool, typer.Option("--allow-write-on-backup", help="Let a write go to a backup.")
    ] = False,
    headers: Annotated[bool, typer.Option("--headers/--no-headers", help="csv, tsv: begin with the names.")] = True,
    output: Output = None,
) -> None:
    """Run one statement on whoever serves NAME."""
    from omnidb_cli.cli.execution import Order

    text = _statement(statement, file)
    order = Order(name, text, tuple(param or ()), failover=failover, timeout_s=timeout, write_on_backup=write_on_backup)
    run_exec(ctx.obj, order, output, headers=headers)


def run_exec(context: "Context", order: "Order", output: str | None, *, headers: bool) -> None:
    """Runs the order; the rows go to stdout, the receipt to stderr."""
    from omnidb_cli.cli.execution import carry_out
    from omnidb_cli.cli.running import run
    from omnidb_cli.output.document import Part

    context.choose_format(output, (Part.RESULT,), headers=headers)
    topology = context.topology().restricted([order.name])
    run(carry_out(context, topology, order))


def _statement(statement: str | None, file: Path | None) -> str:
    """The statement from wherever it is given. Raises a usage error where it is given nowhere, or twice."""
    if (statement is None) == (file is None):
        raise typer.BadParameter("give the statement, or - for standard input, or --file FILE")
    if statement == "-":
        from sys import stdin

        return stdin.read()
    if file is None:
        return statement or ""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {file}: {error}", param_hint="'--file'") from None
