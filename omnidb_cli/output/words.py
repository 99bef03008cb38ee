"""Every state as one symbol, one word and one meaning; moments and spans as people say them."""

from datetime import UTC, datetime

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import CircuitView, ConnectionSnapshot, RoleView, Snapshot
from omnidb_cli.duration import format_duration
from omnidb_cli.errors import ErrorKind
from omnidb_cli.output.report import Cell, Style

NOTHING = Cell("–", Style.QUIET)
"""Where a value is not known or does not apply."""

JUST_NOW = "just now"
"""The age of what is as new as it can be."""

WELL = 5
"""The `urgency` of a connection about which there is nothing to say."""

HEALTH_MARKS = {
    Health.HEALTHY: Cell("✓", Style.GOOD),
    Health.DEGRADED: Cell("▲", Style.WARN),
    Health.UNHEALTHY: Cell("✗", Style.BAD),
    Health.UNKNOWN: Cell("?", Style.WARN),
}
_CIRCUIT_MARKS = {
    CircuitState.CLOSED: Cell("●", Style.QUIET),
    CircuitState.OPEN: Cell("○", Style.BAD),
    CircuitState.HALF_OPEN: Cell("◐", Style.WARN),
    CircuitState.DISABLED: Cell("–", Style.QUIET),
}
HELD_MARK = Cell("■", Style.WARN)


def health_cell(health: Health) -> Cell:
    """Such as `✓ healthy`."""
    mark = HEALTH_MARKS[health]
    return Cell(f"{mark.text} {health.value}", mark.style)


def circuit_mark(circuit: CircuitView) -> Cell:
    """The symbol of the circuit's state; a hold by hand has its own."""
    return HELD_MARK if circuit.manual else _CIRCUIT_MARKS[circuit.state]


def circuit_cell(circuit: CircuitView) -> Cell:
    """Such as `● closed`, or `■ open, held`."""
    mark = circuit_mark(circuit)
    return Cell(f"{mark.text} {circuit.state.value}{', held' * circuit.manual}", mark.style)


def route_cell(connection: ConnectionSnapshot, *, is_unserved: bool) -> Cell:
    """Where its calls go: direct, to another connection, or nowhere; no alarm where nothing is unserved by that."""
    serving = connection.route.serving
    if serving is None:
        return Cell("✗ none", Style.BAD) if is_unserved else Cell("– none", Style.WARN)
    return Cell("direct", Style.QUIET) if serving == connection.name else Cell(f"→ {serving}", Style.WARN)


def role_cell(role: RoleView) -> Cell:
    """The role that was found; `replica, not primary` where another one was expected."""
    if role.actual is None:
        return NOTHING
    if role.expected is None or role.expected == role.actual:
        return Cell(role.actual)
    return Cell(f"{role.actual}, not {role.expected}", Style.WARN)


def urgency(connection: ConnectionSnapshot, snapshot: Snapshot) -> int:
    """How soon a person should see to it: 0 is at once (unserved, or in a split brain), `WELL` never."""
    if is_well(connection):
        return WELL
    if connection.circuit.manual:
        return 4
    if snapshot.is_unserved(connection) or (connection.error and connection.error.kind == ErrorKind.SPLIT_BRAIN):
        return 0
    if connection.health is Health.UNHEALTHY:
        return 1
    return 2 if connection.circuit.state is CircuitState.OPEN else 3


def is_well(connection: ConnectionSnapshot) -> bool:
    """Whether there is nothing to say about it: healthy by a check that was made, circuit closed, not held, direct."""
    return (
        connection.health is Health.HEALTHY
        and connection.error is None
        and connection.circuit.state in (CircuitState.CLOSED, CircuitState.DISABLED)
        and not connection.circuit.manual
        and connection.route.serving == connection.name
    )


def milliseconds(span_ms: float) -> str:
    """A latency: `0.05ms`, `1.9ms`, `120ms`, `2.3s`."""
    if span_ms >= 9.95:
        return format_duration(span_ms / 1000)
    return f"{span_ms:.1f}ms" if span_ms >= 0.95 else f"{span_ms:.2f}ms"


def latency_cell(span_ms: float | None) -> Cell:
    """The latency, or nothing."""
    return NOTHING if span_ms is None else Cell(milliseconds(span_ms))


def span_cell(seconds: float | None) -> Cell:
    """A span of time, or nothing."""
    return NOTHING if seconds is None else Cell(format_duration(seconds))


def age(moment: datetime, now: datetime) -> str:
    """How long ago: `just now`, `12s ago`; a moment ahead of this clock is said to be so."""
    seconds = (now - moment).total_seconds()
    if seconds < -1:
        return f"{format_duration(-seconds)} ahead"
    return JUST_NOW if seconds < 1 else f"{format_duration(seconds)} ago"


def age_cell(moment: datetime | None, now: datetime) -> Cell:
    """How long ago, or never."""
    return Cell("never", Style.WARN) if moment is None else Cell(age(moment, now), Style.QUIET)


def left(moment: datetime, now: datetime) -> str:
    """How long is left: `9m 12s left`; `over` when the moment has come."""
    seconds = (moment - now).total_seconds()
    return f"{format_duration(seconds)} left" if seconds > 0 else "over"


def wait(moment: datetime, now: datetime) -> str:
    """How long from now: `in 12s`; `now` when the moment has come."""
    seconds = (moment - now).total_seconds()
    return f"in {format_duration(seconds)}" if seconds > 0 else "now"


def day_and_time(moment: datetime, *, fraction: bool = False) -> str:
    """`2026-11-23 07:30:00`, in UTC; with `fraction`, to the millisecond."""
    text = moment.astimezone(UTC).isoformat(" ", "milliseconds" if fraction else "seconds")
    return text.removesuffix("+00:00")


def time_of_day(moment: datetime, now: datetime) -> str:
    """`07:40:00`, in UTC; the day is said where it is not that of `now`."""
    stamp = day_and_time(moment)
    return stamp.removeprefix(day_and_time(now)[: len("2026-11-23 ")])


def short_time(moment: datetime, today: datetime) -> str:
    """`07:40:00`, in UTC; of another day than `today`, `11-22 07:40`."""
    stamp, day = day_and_time(moment), day_and_time(today)[: len("2026-11-23")]
    return stamp[len("2026-11-23 ") :] if stamp.startswith(day) else stamp[len("2026-") : -len(":00")]


def since(moment: datetime, now: datetime) -> str:
    """Since when, in UTC, and for how long: `07:29 (41s)`; the day is said where it is not that of `now`."""
    stamp = time_of_day(moment, now).rpartition(":")[0]
    seconds = round((now - moment).total_seconds())
    return f"{stamp} ({format_duration(seconds) if seconds >= 1 else JUST_NOW})"


def since_cell(moment: datetime | None, now: datetime) -> Cell:
    """Since when, or nothing."""
    return NOTHING if moment is None else Cell(since(moment, now), Style.QUIET)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `2 rows`, `10,000 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def whole_seconds(seconds: float) -> str:
    """A countdown: never a fraction, never 0 before it is over."""
    from math import ceil

    return format_duration(ceil(seconds))
