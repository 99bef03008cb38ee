"""What one check of a MongoDB server asks, and what the answers mean."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import position
from omnidb_cli.errors import DriverError, ErrorKind

STILL_S = 10.0
"""A secondary that is behind and has applied nothing for so long has stopped, seconds."""

_PRIMARY = 1
_TERM_DIGITS = 16
_STATES: Mapping[int, str] = {
    0: "STARTUP", 3: "RECOVERING", 5: "STARTUP2", 6: "UNKNOWN", 7: "ARBITER", 8: "DOWN", 9: "ROLLBACK", 10: "REMOVED",
}  # fmt: skip


class ServerState(Struct, frozen=True):
    """What the server said: its `hello`, and `replSetGetStatus` where it was asked and may be read by this login."""

    hello: Mapping[str, Any]
    status: Mapping[str, Any] | None = None


class Behind(Struct, frozen=True):
    """How far a secondary had come when it was first seen there, with more to come. `since_s` is a monotonic time."""

    applied: object
    since_s: float


def is_replica(hello: Mapping[str, Any]) -> bool:
    """Whether it says that it is a secondary that holds data."""
    return hello.get("secondary") is True and not hello.get("arbiterOnly")


def wants_status(hello: Mapping[str, Any]) -> bool:
    """Whether only `replSetGetStatus` can say more: of a primary, `hello` says it all."""
    return _in_a_set(hello) and not hello.get("isWritablePrimary") and not hello.get("arbiterOnly")


def _in_a_set(hello: Mapping[str, Any]) -> bool:
    return bool(hello.get("setName") or hello.get("isreplicaset"))


def answer_of(
    seen: ServerState, latency_s: float, version: str | None, *, behind: Behind | None, now_s: float
) -> Observation:
    """What the server is. Without `replSetGetStatus` the lag is unknown: `hello` knows nothing of the primary.

    Raises DriverError of kind `role` for a member that holds no data, or serves none at present.
    """
    hello = seen.hello
    if hello.get("isWritablePrimary"):
        role = None if hello.get("msg") == "isdbgrid" else "primary"  # a router has no role of its own
        writable = not hello.get("readOnly")
        return Observation(latency_s, role, writable, version=version, position=_term(hello) if writable else None)
    if not is_replica(hello):
        raise DriverError(_not_serving(seen), kind=ErrorKind.ROLE, hint="rs.status() there says more")
    lag_s = lag_of(seen.status)
    stalled = _stalled(seen.status, behind, now_s)
    return Observation(latency_s, "replica", writable=False, lag_s=lag_s, stalled=stalled, version=version)


def _term(hello: Mapping[str, Any]) -> str | None:
    """The election by which it became primary of its set; its number ends the election's id."""
    election, name = hello.get("electionId"), hello.get("setName")
    if election is None or not name:
        return None
    return position(f"set {name}, term {int(str(election)[-_TERM_DIGITS:], 16)}")


def _not_serving(seen: ServerState) -> str:
    if seen.hello.get("arbiterOnly"):
        return "it is an arbiter: it votes, and holds no data"
    state = seen.status.get("myState") if seen.status else None
    if isinstance(state, int) and state in _STATES:
        return f"it is in the state {_STATES[state]}: it answers, and serves no data"
    if _in_a_set(seen.hello) and not seen.hello.get("setName"):
        return "it belongs to a replica set that was never initiated, or that it was removed from"
    return "it is neither primary nor secondary (starting, recovering or rolling back), and serves no data"


def lag_of(status: Mapping[str, Any] | None) -> float | None:
    """Seconds between the last operation of the primary and the last one applied here, both by the primary's clock.

    None where there is no primary to compare with.
    """
    own, primary = _own(status), _primary(status)
    if own is None or primary is None:
        return None
    try:
        lag_s: float = (primary["optimeDate"] - own["optimeDate"]).total_seconds()
    except (KeyError, TypeError):
        return None
    return max(lag_s, 0.0)


def applied_while_behind(status: Mapping[str, Any] | None) -> object | None:
    """The last operation applied here, when the primary has more; None when it has not, or when it cannot be told."""
    own, lag_s = _own(status), lag_of(status)
    return None if own is None or not lag_s else _position(own)


def _position(member: Mapping[str, Any]) -> object:
    return str(member.get("optime"))


def _stalled(status: Mapping[str, Any] | None, behind: Behind | None, now_s: float) -> str | None:
    if status is None:
        return None
    if _primary(status) is None:
        return "replication stopped: it sees no primary"
    applied = applied_while_behind(status)
    if applied is None:
        return None
    if status.get("syncSourceHost", status.get("syncingTo")) == "":
        return "replication stopped: it has no sync source, and the primary is ahead"
    if behind is not None and behind.applied == applied and now_s - behind.since_s >= STILL_S:
        return f"replication stopped: it has applied nothing for {now_s - behind.since_s:.0f}s"
    return None


def _own(status: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return next((one for one in _members(status) if one.get("self")), None)


def _primary(status: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return next((one for one in _members(status) if one.get("state") == _PRIMARY and one.get("health")), None)


def _members(status: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    found = status.get("members") if status else None
    return found if isinstance(found, list) else []
