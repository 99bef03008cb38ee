"""What is not well, in plain sentences, the worst first; connections with the same trouble share one sentence."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from omnidb_cli.core.circuit.model import CircuitState, Reason
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import CircuitView, ConnectionSnapshot, Snapshot
from omnidb_cli.errors import ErrorKind
from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Command, Note
from omnidb_cli.output.views.finding import end_to_hold
from omnidb_cli.output.views.likeness import common_message, likeness

_MOST_COMMANDS = 3
_ENOUGH = 3
"""So many connections with the same trouble share one sentence; fewer get one each, with all details."""

Members = Sequence[ConnectionSnapshot]


def problems(snapshot: Snapshot, now: datetime) -> list[Note]:
    """A note for everything that is not well, the worst first. Ages count to `now`."""
    alike: dict[tuple[object, ...], list[ConnectionSnapshot]] = {}
    for one in snapshot.connections:
        if not words.is_well(one):
            alike.setdefault((snapshot.is_unserved(one), *likeness(one)), []).append(one)
    told: list[Members] = []
    for members in alike.values():
        told += [members] if len(members) >= _ENOUGH else [[one] for one in members]
    told.sort(key=lambda members: words.urgency(members[0], snapshot))
    return [_note(members, snapshot, now) for members in told]


def _note(members: Members, snapshot: Snapshot, now: datetime) -> Note:
    health, circuit, route = list(_health(members, now)), list(_circuit(members, now)), list(_route(members, snapshot))
    clauses = "; ".join(health + route + circuit if health else circuit + route)
    if len(members) == 1:
        return Note(_mark(members[0]), f"{members[0].name} {clauses}.")
    return Note(_mark(members[0]), f"{len(members)} connections {clauses}", tuple(one.name for one in members))


def _mark(one: ConnectionSnapshot) -> Cell:
    if one.circuit.manual:
        return words.HELD_MARK
    if one.health is Health.HEALTHY and one.error is not None:
        return words.HEALTH_MARKS[Health.UNKNOWN]
    if one.health is Health.HEALTHY and one.circuit.state is not CircuitState.CLOSED:
        return words.circuit_mark(one.circuit)
    return words.HEALTH_MARKS[one.health]


def _health(members: Members, now: datetime) -> Iterator[str]:
    one, are = members[0], "is" if len(members) == 1 else "are"
    why = f": {common_message(members).rstrip('.')}" if one.error else ""
    if one.error and one.error.kind == ErrorKind.LOCAL:
        yield f"could not be checked from this host{why}"
        why = ""
    elif one.error and one.error.kind == ErrorKind.SPLIT_BRAIN:
        why = ": takes writes although another connection of its route does (split brain)"
    match one.health:
        case Health.UNKNOWN if one.checked_at:
            yield f"{_have(members)} not been checked since {'it was' if len(members) == 1 else 'they were'} put back"
        case Health.UNKNOWN:
            yield f"{_have(members)} never been checked"
        case Health.DEGRADED | Health.UNHEALTHY:
            yield f"{are} {one.health.value}{_since(members, now)}{why}"
        case Health.HEALTHY if why:
            yield f"{are} still healthy, but the last check failed{why}"


def _since(members: Members, now: datetime) -> str:
    """` since 07:29 UTC (41s)`, of several the earliest; nothing where it is not known."""
    known = [one.health_since for one in members if one.health_since is not None]
    if not known:
        return ""
    clock, _, span = words.since(min(known), now).partition(" (")
    same = words.since(max(known), now).startswith(f"{clock} (")
    return f"{'' if same else ', the first'} since {clock} UTC ({span}"


def _circuit(members: Members, now: datetime) -> Iterator[str]:
    circuit, alone = members[0].circuit, len(members) == 1
    if circuit.manual:
        yield f"{'is' if alone else 'are'} held out of rotation{_hold(circuit, now)}"
    elif circuit.state is CircuitState.HALF_OPEN:
        tried = f" ({words.counted(circuit.successes, 'success', 'successes')} so far)" if alone else ""
        yield f"{_have(members)} a half-open circuit that is being tried{tried}"
    elif circuit.state is CircuitState.OPEN and circuit.reason == Reason.HEALTH_CHECK_FAILED and not circuit.retry_at:
        yield "the circuit stays open until a check passes"
    elif circuit.state is CircuitState.OPEN:
        trials = f", trial calls begin {words.wait(circuit.retry_at, now)}" if circuit.retry_at and alone else ""
        yield f"{_have(members)} an open circuit ({circuit.reason}){trials}"


def _hold(circuit: CircuitView, now: datetime) -> str:
    who = f" by {circuit.actor}" if circuit.actor else " by hand"
    why = f" ({circuit.reason})" if circuit.reason and circuit.reason != Reason.MANUAL else ""
    since = f" since {words.time_of_day(circuit.opened_at, now)} UTC" if circuit.opened_at else ""
    limit = "it is closed by hand"
    if circuit.held_until:
        limit = f"{words.time_of_day(circuit.held_until, now)} UTC ({words.left(circuit.held_until, now)})"
    return f"{who}{why}{since} until {limit}"


def _route(members: Members, snapshot: Snapshot) -> Iterator[str]:
    one, route, alone = members[0], members[0].route, len(members) == 1
    if route.failover:
        backups = {member.route.serving for member in members}
        instead, serves, does = (route.serving, "serves", "does") if len(backups) == 1 else ("backups", "serve", "do")
        ready = one.health is Health.HEALTHY and one.circuit.state is CircuitState.CLOSED
        reason = f" ({route.reason})" if alone else ""
        yield f"could serve, but {instead} {does}{reason}" if ready else f"{instead} {serves} instead"
    elif route.serving is None and one.name in snapshot.standbys:
        yield _standby(one, snapshot) if alone else "standbys"
    elif route.serving is None:
        others = [f"{other.name}: {other.reason}" for other in route.candidates if other.name != one.name]
        why = "; ".join(others) or "it has no backup"
        yield f"no eligible endpoint ({why})" if alone else "no eligible endpoint"


def _standby(one: ConnectionSnapshot, snapshot: Snapshot) -> str:
    """For whom it stands by, as far as those are shown."""
    heads = [
        head.name
        for head in snapshot.connections
        if head.name != one.name and any(candidate.name == one.name for candidate in head.route.candidates)
    ]
    return f"a standby for {', '.join(heads)}" if heads else "a standby"


def _have(members: Members) -> str:
    return "has" if len(members) == 1 else "have"


def next_commands(snapshot: Snapshot, program: str, *, is_stale: bool = False) -> list[Command]:
    """At most three commands, the most urgent first. `is_stale`: evidence is missing, or older than it may be."""
    return list(_commands(snapshot, program, is_stale))[:_MOST_COMMANDS]


def _commands(snapshot: Snapshot, program: str, is_stale: bool) -> Iterator[Command]:
    connections = snapshot.connections
    troubled = [one for one in connections if not one.circuit.manual]
    for split in snapshot.split_brains[:1]:
        yield Command(f"{program} circuit open {end_to_hold(snapshot, split)}", "holds the end that does not serve")
    if one := next(filter(snapshot.is_unserved, connections), None):
        yield Command(f"{program} route {one.name}", "why it has no eligible endpoint")
    elif one := next((one for one in troubled if one.route.failover), None):
        yield Command(f"{program} route {one.name}", "why a backup serves")
    if one := next((one for one in troubled if one.health in (Health.UNHEALTHY, Health.DEGRADED)), None):
        yield Command(f"{program} events --name {one.name}", "what happened, and when")
    if one := next((one for one in connections if one.circuit.manual), None):
        yield Command(f"{program} circuit close {one.name}", "puts it back in rotation")
    if is_stale or any(one.health is Health.UNKNOWN for one in connections):
        yield Command(f"{program} status", "checks every connection now")
