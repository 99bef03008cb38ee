"""What a status amounts to: one exit code (design, section 5). Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from omnidb_cli.cli.exit_codes import ExitCode
from omnidb_cli.core.circuit import CircuitState
from omnidb_cli.core.health import Health
from omnidb_cli.core.snapshot import ConnectionSnapshot, Snapshot
from omnidb_cli.core.vantage import is_suspect
from omnidb_cli.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailOn(StrEnum):
    """The lowest finding that makes `status` exit with it."""

    DEGRADED = "degraded"
    DOWN = "down"
    NEVER = "never"


def finding(snapshot: Snapshot, *, max_age: "Mapping[str, timedelta] | None" = None) -> ExitCode:
    """0, 10, 11, 12 or 13. `max_age` bounds the age of each connection's evidence, where it was not just gathered."""
    if snapshot.split_brains:
        return ExitCode.SPLIT_BRAIN
    if any(lacks_evidence(one, snapshot, max_age) for one in snapshot.connections) or vantage_is_suspect(snapshot):
        return ExitCode.NO_EVIDENCE
    if any(map(snapshot.is_unserved, snapshot.connections)):
        return ExitCode.DOWN
    return ExitCode.DONE if all(map(is_well, snapshot.connections)) else ExitCode.DEGRADED


def is_well(one: ConnectionSnapshot) -> bool:
    """Healthy, its circuit closed (or turned off), and served by itself."""
    closed = one.circuit.state in {CircuitState.CLOSED, CircuitState.DISABLED}
    return one.health is Health.HEALTHY and closed and one.route.serving == one.name


def vantage_is_suspect(snapshot: Snapshot) -> bool:
    """Whether everything failed at once, with network errors: then it is this host that is cut off, not they."""
    return is_suspect(
        (_host(one), one.error.kind if one.error and one.health is Health.UNHEALTHY else None)
        for one in snapshot.connections
    )


def as_asked(code: ExitCode, fail_on: FailOn) -> ExitCode:
    """The finding, or 0 where it is below what `--fail-on` asks for."""
    threshold = {FailOn.DEGRADED: 10, FailOn.DOWN: 11, FailOn.NEVER: 1000}[fail_on]
    return code if code >= threshold else ExitCode.DONE


def lacks_evidence(one: ConnectionSnapshot, snapshot: Snapshot, max_age: "Mapping[str, timedelta] | None") -> bool:
    """Whether it was never checked, could not be, or too long ago."""
    if one.health is Health.UNKNOWN or one.checked_at is None or _was_not_checked(one):
        return True
    age = abs(snapshot.taken_at - one.checked_at)  # a look from the future is none: a clock was set back since
    return max_age is not None and age > max_age[one.name]


def _was_not_checked(one: ConnectionSnapshot) -> bool:
    return one.error is not None and one.error.kind == ErrorKind.LOCAL


def _host(one: ConnectionSnapshot) -> str:
    return (one.address or "").partition("/")[0].rpartition(":")[0]
