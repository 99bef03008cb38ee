"""`omnidb route`: who would serve a connection now, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.cli.options import Name, Output, require_with, seconds_option
from omnidb_cli.cli.parsing import commands, printing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from omnidb_cli.cli.context import Context
    from omnidb_cli.core.orchestrator import Orchestrator
    from omnidb_cli.core.snapshot import Route
    from omnidb_cli.topology import Topology

app = commands()

OWN_FORMATS = ("url",)


@app.command(cls=printing("omnidb_cli.output.views.route:PARTS", *OWN_FORMATS))
def route(
    ctx: typer.Context,
    name: Name,
    last: Annotated[bool, typer.Option("--last", help="Touch no database: decide by the saved evidence.")] = False,
    max_age: Annotated[
        float | None,
        seconds_option("--max-age", help="With --last: the oldest evidence to believe.", default="three intervals"),
    ] = None,
    output: Output = None,
) -> ExitCode:
    """Check NAME and its backups; show which one serves, and why."""
    require_with("--max-age", max_age is not None, "--last", last)
    return run_route(ctx.obj, name, output, last=last, max_age_s=max_age)


def run_route(
    context: "Context", name: str, output: str | None, *, last: bool = False, max_age_s: float | None = None
) -> ExitCode:
    """Shows the route of `name`; the code says whether anybody serves, and whether that can be believed."""
    from omnidb_cli.output.views.route import PARTS, route_document

    wanted = output or context.env.get("OMNIDB_OUTPUT")
    streams = context.choose_format(output, PARTS, also=OWN_FORMATS)
    topology = context.topology().restricted([name])
    found, code = _last_known(context, topology, name, max_age_s) if last else _checked(context, topology, name)
    if wanted != "url":
        streams.show(route_document(found))
    elif found.serving is not None:
        streams.line(topology.connections[found.serving].url.text)
    return code


def _checked(context: "Context", topology: "Topology", name: str) -> "tuple[Route, ExitCode]":
    """The route after a check of every candidate, as `status NAME` makes it."""
    from omnidb_cli.cli.commands.status.command import check_all

    db = check_all(context, topology)
    found = db.route(name)
    gaps = _gaps(db, found, None)
    return found, _code(context, found, gaps, "checks that were not made", None)


def _last_known(
    context: "Context", topology: "Topology", name: str, max_age_s: float | None
) -> "tuple[Route, ExitCode]":
    """The route by the saved evidence, each verdict with its age."""
    from omnidb_cli.cli.commands.status.command import last_known, max_ages

    db = last_known(context, topology)
    found = db.route(name)
    gaps = _gaps(db, found, max_ages(topology, max_age_s))
    code = _code(context, found, gaps, "evidence that is missing or too old", f"check now with `omnidb route {name}`")
    return _with_ages(db, found), code


def _gaps(db: "Orchestrator", route: "Route", max_age: "Mapping[str, timedelta] | None") -> str:
    """What is not known of the candidates on whose verdicts the route rests, and why."""
    from omnidb_cli.cli.verdict import lacking
    from omnidb_cli.core.snapshot import assemble

    snapshot, names = db.snapshot(), _deciding(route)
    deciding = tuple(one for one in snapshot.connections if one.name in names)
    return "; ".join(lacking(assemble(None, snapshot.taken_at, deciding, frozenset(), ()), max_age))


def _code(context: "Context", route: "Route", gaps: str, what: str, hint: str | None) -> ExitCode:
    if gaps:
        context.streams.warning(f"this route rests on {what}: {gaps}", connection=route.requested, hint=hint)
        return ExitCode.NO_EVIDENCE
    return ExitCode.DOWN if route.serving is None else ExitCode.DONE


def _deciding(route: "Route") -> set[str]:
    """The candidates on whose verdicts the route rests: those up to the one that serves, or all."""
    names = [one.name for one in route.candidates]
    return set(names if route.serving is None else names[: names.index(route.serving) + 1])


def _with_ages(db: "Orchestrator", route: "Route") -> "Route":
    from msgspec.structs import replace

    from omnidb_cli.output.words import age

    snapshot = db.snapshot()
    checked_at = {one.name: one.checked_at for one in snapshot.connections}

    def aged(name: str, reason: str) -> str:
        at = checked_at[name]
        return f"{reason} (never checked)" if at is None else f"{reason} (checked {age(at, snapshot.taken_at)})"

    candidates = tuple(replace(one, reason=aged(one.name, one.reason)) for one in route.candidates)
    return replace(route, candidates=candidates)
