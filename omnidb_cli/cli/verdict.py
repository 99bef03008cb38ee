"""What a status amounts to: one exit code, and the sentence that says why (design, section 5). Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.isolation import is_suspect
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ErrorKind
from omnidb_cli.output.views.finding import Finding, end_to_hold
from omnidb_cli.output.views.likeness import anonymous_message, common_message

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = 5
"""So many connections are named in a sentence; of more, how many there are."""

_NOT_MADE = "this host could not check {}: "
_ISOLATED = "this host may be isolated"
_WHY_ISOLATED = f"{_ISOLATED}: every connection failed at once with a network error; check its own network first"


class FailOn(StrEnum):
    """The lowest finding that makes `status` exit with it."""

    DEGRADED = "degraded"
    DOWN = "down"
    NEVER = "never"


def finding(snapshot: Snapshot, *, max_age: "Mapping[str, timedelta] | None" = None) -> ExitCode:
    """0, 10, 11, 12 or 13. `max_age` bounds the age of each connection's evidence, where it was not just gathered."""
    return ExitCode.of(verdict(snapshot, max_age=max_age).code)


def verdict(
    snapshot: Snapshot, *, max_age: "Mapping[str, timedelta] | None" = None, program: str = "omnidb"
) -> Finding:
    """The same with its reason. `program` is how the next command would be called, options included."""
    if snapshot.split_brains:
        return Finding(ExitCode.SPLIT_BRAIN, _parted(snapshot, program), _parted_in_short(snapshot))
    isolated = host_may_be_isolated(snapshot)
    gaps = list(lacking(snapshot, max_age))
    if isolated or gaps:
        reasons = [_WHY_ISOLATED] if isolated else []
        headline = _ISOLATED if isolated else None
        return Finding(ExitCode.NO_EVIDENCE, "; ".join(reasons + gaps), headline, is_stale=bool(gaps))
    if unserved := [one.name for one in snapshot.connections if snapshot.is_unserved(one)]:
        return Finding(ExitCode.DOWN, f"{_are(unserved)} unserved: no eligible endpoint")
    if not_well := [one for one in snapshot.connections if not is_well(one)]:
        return Finding(ExitCode.DEGRADED, "; ".join(_by_kind(not_well, snapshot)))
    return Finding(ExitCode.DONE)


def is_well(one: ConnectionSnapshot) -> bool:
    """Healthy, its circuit closed (or turned off), and served by itself."""
    closed = one.circuit.state in {CircuitState.CLOSED, CircuitState.DISABLED}
    return one.health is Health.HEALTHY and closed and one.route.serving == one.name


def host_may_be_isolated(snapshot: Snapshot) -> bool:
    """Whether everything failed at once, with network errors: then it is this host that is cut off, not they."""
    return is_suspect(
        (_host(one), one.error.kind if one.error and one.health is Health.UNHEALTHY else None)
        for one in snapshot.connections
    )


def as_asked(code: int, fail_on: FailOn) -> ExitCode:
    """The finding, or 0 where it is below what `--fail-on` asks for."""
    threshold = {FailOn.DEGRADED: 10, FailOn.DOWN: 11, FailOn.NEVER: 1000}[fail_on]
    return ExitCode.of(code) if code >= threshold else ExitCode.DONE


def _parted(snapshot: Snapshot, program: str) -> str:
    """Each split brain, and the command that holds the connection which does not serve."""
    return "; ".join(
        f"{split.sentence}; hold one of them: {program} circuit open {end_to_hold(snapshot, split)}"
        for split in snapshot.split_brains
    )


def _parted_in_short(snapshot: Snapshot) -> str:
    pairs = ", ".join(f"{split.primary} and {split.replica}" for split in snapshot.split_brains[:_NAMED])
    return f"split brain: {pairs}"


def lacking(snapshot: Snapshot, max_age: "Mapping[str, timedelta] | None") -> Iterator[str]:
    """What is not known, and why: a clause for each kind of gap."""
    gaps: dict[str, list[ConnectionSnapshot]] = {}
    for one in snapshot.connections:
        if _was_not_checked(one) and one.error is not None:
            gaps.setdefault(_NOT_MADE + anonymous_message(one), []).append(one)
        elif one.checked_at is None:
            gaps.setdefault("never checked: {}", []).append(one)
        elif one.health is Health.UNKNOWN:
            gaps.setdefault("not checked since it was put back: {}", []).append(one)
        elif max_age is not None and abs(snapshot.taken_at - one.checked_at) > max_age[one.name]:
            gaps.setdefault("", []).append(one)
    for clause, members in gaps.items():
        names = [one.name for one in members]
        said = _NOT_MADE + common_message(members) if clause.startswith(_NOT_MADE) else clause
        yield said.replace("{}", _quoted(names), 1) if said else _old(members, snapshot, max_age or {})


def _old(members: Sequence[ConnectionSnapshot], snapshot: Snapshot, max_age: "Mapping[str, timedelta]") -> str:
    """`evidence of "cache" is 3h old, older than 90s`; of several, how old the oldest is.

    A check from the future is no evidence either: a clock was set back since.
    """
    ages = {one.name: snapshot.taken_at - one.checked_at for one in members if one.checked_at is not None}
    name = max(ages, key=lambda name: abs(ages[name]))
    seconds = ages[name].total_seconds()
    found = f"{format_duration(seconds)} old" if seconds >= 0 else f"{format_duration(-seconds)} ahead of this clock"
    limit = _limit(max_age[name].total_seconds())
    compared = f", older than {limit}" if seconds >= 0 else ""
    if len(ages) == 1:
        return f'evidence of "{name}" is {found}{compared}'
    return f'evidence of {_quoted(list(ages))} is too old: that of "{name}" is {found}{compared}'


def _limit(seconds: float) -> str:
    """A limit as people write it: `90s`, not `1m 30s`."""
    return f"{seconds:g}s" if seconds < 120 else format_duration(seconds)


def _by_kind(not_well: Iterable[ConnectionSnapshot], snapshot: Snapshot) -> Iterator[str]:
    """`failed over: "primary"; degraded: "replica"`: each connection once, by the first kind that it is of."""
    found: dict[str, list[str]] = {kind: [] for kind, _ in _KINDS}
    for one in not_well:
        kind = next(kind for kind, is_so in _KINDS if is_so(one, snapshot))
        found[kind].append(one.name)
    yield from (f"{kind}: {_quoted(names)}" for kind, names in found.items() if names)


def _is_standby_down(one: ConnectionSnapshot, snapshot: Snapshot) -> bool:
    return one.name in snapshot.standbys and one.route.serving is None and not one.circuit.manual


_KINDS: tuple[tuple[str, Callable[[ConnectionSnapshot, Snapshot], bool]], ...] = (
    ("failed over", lambda one, _: one.route.failover and not one.circuit.manual),
    ("standby down", _is_standby_down),
    ("held", lambda one, _: one.circuit.manual),
    ("degraded", lambda one, _: one.health is Health.DEGRADED),
    ("unhealthy", lambda one, _: one.health is Health.UNHEALTHY),
    ("circuit open", lambda one, _: one.circuit.state is CircuitState.OPEN),
    ("circuit half-open", lambda one, _: one.circuit.state is CircuitState.HALF_OPEN),
    ("not well", lambda _, __: True),
)


def _quoted(names: Sequence[str]) -> str:
    """`"a"`, `"a" and "b"`, `"a", "b", "c", "d", "e" and 28 others`."""
    shown = [f'"{name}"' for name in names[: _NAMED if len(names) > _NAMED + 1 else None]]
    last = shown.pop() if len(shown) == len(names) else f"{len(names) - len(shown)} others"
    return f"{', '.join(shown)} and {last}" if shown else last


def _are(names: Sequence[str]) -> str:
    return f"{_quoted(names)} {'is' if len(names) == 1 else 'are'}"


def _was_not_checked(one: ConnectionSnapshot) -> bool:
    return one.error is not None and one.error.kind == ErrorKind.LOCAL


def _host(one: ConnectionSnapshot) -> str:
    return (one.address or "").partition("/")[0].rpartition(":")[0]
