"""`omnidb status`: checks everything now, and shows health, circuits and routes."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.errors import ExitCode, UsageError
from omnidb_cli.cli.options import (
    Count,
    Interval,
    Names,
    Output,
    Until,
    UntilTimeout,
    require_choice,
    require_with,
    seconds_option,
)
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.topology import Topology

app = commands()

_FEWER_RIGHTS = "give it no more rights than the page of its engine asks for (docs/engines)"
_INTERVALS = 3
"""How many intervals old evidence may be with `--last`, where `--max-age` does not say."""


@app.command(cls=printing("omnidb_cli.output.views.status:PARTS"))
def status(  # noqa: PLR0917 - one parameter an option is Typer's form
    ctx: typer.Context,
    names: Names = None,
    fail_on: Annotated[
        str, typer.Option(metavar="FINDING", help="Lowest finding that fails: degraded, down or never.")
    ] = "degraded",
    last: Annotated[bool, typer.Option("--last", help="Touch no database: show the last known state.")] = False,
    max_age: Annotated[
        float | None,
        seconds_option("--max-age", help="With --last: the oldest evidence to believe.", default="three intervals"),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep checking, as `omnidb watch` does.")] = False,
    interval: Interval = None,
    count: Count = None,
    until: Until = None,
    timeout: UntilTimeout = None,
    output: Output = None,
) -> ExitCode:
    """Check connections now; show each one's health, circuit, route."""
    asked = require_choice("--fail-on", fail_on, ("degraded", "down", "never"))
    require_with("--max-age", max_age is not None, "--last", last)
    for option, given in (("--interval", interval), ("--count", count), ("--until", until), ("--timeout", timeout)):
        require_with(option, given is not None, "--watch", watch)
    if not watch:
        return run_status(ctx.obj, tuple(names or ()), asked, output, last=last, max_age_s=max_age)
    if last:
        raise UsageError("--last does not go with --watch: it checks nothing")
    require_with("--timeout", timeout is not None, "--until", until is not None)
    from omnidb_cli.cli.commands.watch.command import run_watch
    from omnidb_cli.cli.commands.watch.run import watching

    return run_watch(ctx.obj, watching(names or (), interval, count, until, timeout), output)


def run_status(
    context: "Context",
    names: tuple[str, ...],
    fail_on: str,
    output: str | None,
    *,
    last: bool = False,
    max_age_s: float | None = None,
) -> ExitCode:
    """Checks (or with `last` only reads), shows the status, and returns its finding."""
    from omnidb_cli.cli.verdict import FailOn, as_asked, verdict
    from omnidb_cli.cli.wiring import with_topology
    from omnidb_cli.output.views.status import PARTS, status_document

    streams = context.choose_format(output, PARTS)
    whole = context.topology()
    topology = whole.restricted(names) if names else whole
    mighty: dict[str, str] = {}
    checked = last_known(context, topology) if last else check_all(context, topology, mighty.__setitem__)
    snapshot = checked.snapshot()
    shown = with_topology(snapshot, topology, names or None)
    max_age = max_ages(topology, max_age_s) if last else None
    found = verdict(shown, max_age=max_age, program=context.program)
    code = as_asked(found.code, FailOn(fail_on))
    streams.show(status_document(shown, program=context.program, finding=found, exit_code=code))
    if found.headline is not None and streams.format != "table":
        streams.warning(found.reason)
    for name, powers in mighty.items():
        told = f'"{name}": {powers}, which no read-only transaction holds back'
        streams.warning(told, connection=name, hint=_FEWER_RIGHTS)
    return code


def check_all(
    context: "Context", topology: "Topology", too_mighty: "Callable[[str, str], None]" = lambda _name, _powers: None
) -> "Orchestrator":
    """Checks every connection of the topology once, applies the rules, and writes down what came of it.

    `too_mighty` is told of each connection whose account may do more than it should, and what that is.
    """
    from functools import partial

    from omnidb_cli.cli.running import run
    from omnidb_cli.cli.saved_state import saved_state
    from omnidb_cli.cli.wiring import open_drivers, orchestrator

    drivers = open_drivers(topology, to_check=True)
    core = partial(orchestrator, topology, drivers, too_mighty=too_mighty)
    with saved_state(context, topology, core, required=False) as db:
        run(check(db, context.streams, topology))
    return db


async def check(db: "Orchestrator", streams: "Streams", topology: "Topology") -> None:
    """Checks every connection once, each bounded by its own time limit."""
    from omnidb_cli.cli.commands.status.progress import waiting_notice

    try:
        async with waiting_notice(streams, topology):
            await db.connect(keep_checking=False)
    finally:
        await db.disconnect()


def last_known(context: "Context", topology: "Topology") -> "Orchestrator":
    """The core as the saved state has it. Touches no database."""
    from omnidb_cli.cli.saved_state import read_or_warn, restore
    from omnidb_cli.cli.wiring import offline_orchestrator

    recorder, rows = read_or_warn(context, topology)
    db = offline_orchestrator(topology)
    if recorder is not None:
        restore(db, recorder, rows)
    return db


def max_ages(topology: "Topology", max_age_s: float | None) -> "dict[str, timedelta]":
    """How old the evidence of each connection may be: as the person says, else three of its intervals."""
    from datetime import timedelta

    return {
        name: timedelta(seconds=max_age_s or _INTERVALS * one.health_check.interval_s)
        for name, one in topology.connections.items()
    }
