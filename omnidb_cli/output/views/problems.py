"""What is not well with a connection, in plain sentences, and the command to run next."""

from collections.abc import Iterator
from datetime import datetime

from omnidb_cli.core.circuit import CircuitState, Reason
from omnidb_cli.core.health import Health
from omnidb_cli.core.snapshot import CircuitView, ConnectionSnapshot, Snapshot
from omnidb_cli.output import words
from omnidb_cli.output.document import Cell, Command, Note

_MOST_COMMANDS = 3


def problems(one: ConnectionSnapshot, now: datetime) -> Iterator[Note]:
    """One note with everything that is not well with a connection; none when it is well."""
    if words.is_well(one):
        return
    health, circuit, route = list(_health(one)), list(_circuit(one, now)), list(_route(one))
    clauses = health + route + circuit if health else circuit + route
    yield Note(_mark(one), f"{one.name} {'; '.join(clauses)}.")


def _mark(one: ConnectionSnapshot) -> Cell:
    if one.circuit.manual:
        return words.HELD_MARK
    if one.health is Health.HEALTHY and one.circuit.state is not CircuitState.CLOSED:
        return words.circuit_mark(one.circuit)
    return words.HEALTH_MARKS[one.health]


def _health(one: ConnectionSnapshot) -> Iterator[str]:
    why = f": {one.error.message.rstrip('.')}" if one.error else ""
    match one.health:
        case Health.UNKNOWN:
            yield "has not been looked at since it was put back" if one.checked_at else "has never been looked at"
        case Health.DEGRADED | Health.UNHEALTHY:
            yield f"is {one.health.value}{why}"
        case Health.HEALTHY if one.error:
            yield f"is still healthy, but the last look failed{why}"


def _circuit(one: ConnectionSnapshot, now: datetime) -> Iterator[str]:
    circuit = one.circuit
    if circuit.manual:
        yield _hold(circuit, now)
    elif circuit.state is CircuitState.HALF_OPEN:
        tried = words.counted(circuit.successes, "success", "successes")
        yield f"has a half-open circuit that is being tried ({tried} so far)"
    elif circuit.state is CircuitState.OPEN and circuit.reason == Reason.HEALTH_CHECK_FAILED and not circuit.retry_at:
        yield "its circuit stays open until a look at it is good"
    elif circuit.state is CircuitState.OPEN:
        trials = f", trial calls begin {words.wait(circuit.retry_at, now)}" if circuit.retry_at else ""
        yield f"has an open circuit ({circuit.reason}){trials}"


def _hold(circuit: CircuitView, now: datetime) -> str:
    who = f" by {circuit.actor}" if circuit.actor else " by hand"
    why = f" ({circuit.reason})" if circuit.reason and circuit.reason != Reason.MANUAL else ""
    since = f" since {words.time_of_day(circuit.opened_at, now)}" if circuit.opened_at else ""
    limit = "somebody closes it"
    if circuit.held_until:
        limit = f"{words.time_of_day(circuit.held_until, now)} UTC ({words.left(circuit.held_until, now)})"
    return f"is held out of rotation{who}{why}{since} until {limit}"


def _route(one: ConnectionSnapshot) -> Iterator[str]:
    route = one.route
    if route.failover:
        ready = one.health is Health.HEALTHY and one.circuit.state is CircuitState.CLOSED
        yield f"could serve, but {route.serving} does ({route.reason})" if ready else f"{route.serving} serves instead"
    elif route.serving is None:
        others = [f"{other.name}: {other.reason}" for other in route.candidates if other.name != one.name]
        yield f"nobody can serve it ({'; '.join(others)})" if others else "nobody can serve it: it has no backup"


def next_commands(snapshot: Snapshot, program: str) -> list[Command]:
    """At most three commands, the most urgent first."""
    return list(_commands(snapshot, program))[:_MOST_COMMANDS]


def _commands(snapshot: Snapshot, program: str) -> Iterator[Command]:
    connections = snapshot.connections
    troubled = [one for one in connections if not one.circuit.manual]
    if one := next((one for one in troubled if one.route.serving is None), None):
        yield Command(f"{program} route {one.name}", "why nobody can serve it")
    elif one := next((one for one in troubled if one.route.failover), None):
        yield Command(f"{program} route {one.name}", "why another one serves")
    if one := next((one for one in troubled if one.health in (Health.UNHEALTHY, Health.DEGRADED)), None):
        yield Command(f"{program} events --name {one.name}", "what happened, and when")
    if one := next((one for one in connections if one.circuit.manual), None):
        yield Command(f"{program} circuit close {one.name}", "puts it back in rotation")
    if any(one.health is Health.UNKNOWN for one in connections):
        yield Command(f"{program} status", "looks at every connection now")
