"""What one check of a PostgreSQL server asks, and what the answer means."""

from msgspec import Struct
from msgspec.structs import replace

from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import position

_CHECK = """
SELECT recovering,
       current_setting('transaction_read_only') = 'on',
       CASE WHEN recovering THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::float8 END,
       CASE WHEN recovering THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::float8 END,
       CASE WHEN recovering
            THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END,
       recovering AND pg_is_wal_replay_paused(),
       recovering AND EXISTS (SELECT FROM pg_stat_wal_receiver),
       current_setting('restore_command', true),
       {lsn},
       {file}
  FROM pg_is_in_recovery() AS recovering
"""

CHECK = _CHECK.format(
    lsn="CASE WHEN NOT recovering THEN pg_current_wal_lsn()::text END",
    file="CASE WHEN NOT recovering THEN pg_walfile_name(pg_current_wal_lsn()) END",
)
"""One row, for which a plain login suffices; it takes no lock and writes nothing."""

CHECK_WITHOUT_POSITION = _CHECK.format(lsn="NULL::text", file="NULL::text")
"""The same for a server that does not let itself be asked for its place in the WAL."""

DOUBTFUL_S = 1.0
"""From which age on a replica that is not level is checked twice, seconds."""


class ServerState(Struct, frozen=True):
    """The row of `CHECK`.

    `received` and `replayed` are positions in the WAL, bytes; `age_s` is how long ago, by the primary's clock, the
    last replayed transaction was committed. `lsn` and `wal_file` tell where a primary writes.
    """

    recovering: bool
    read_only: bool
    received: float | None
    replayed: float | None
    age_s: float | None
    paused: bool
    receiving: bool
    restore_command: str | None
    lsn: str | None = None
    wal_file: str | None = None


def answer_of(seen: ServerState, latency_s: float, version: str) -> Observation:
    """What the server is. An idle primary makes no lag: a replica that has replayed all it received has none."""
    if not seen.recovering:
        where = None if seen.read_only else _position(seen)
        return Observation(latency_s, "primary", writable=not seen.read_only, version=version, position=where)
    return Observation(
        latency_s, "replica", writable=False, lag_s=_lag_s(seen), stalled=_stalled(seen), version=version
    )


def _position(seen: ServerState) -> str | None:
    """Its timeline, with which the name of a WAL file begins, and its LSN."""
    if not seen.lsn or not seen.wal_file:
        return None
    return position(f"timeline {int(seen.wal_file[:8], 16)}, LSN {seen.lsn}")


def is_level(seen: ServerState) -> bool:
    """Whether it has replayed all that it received."""
    return seen.received is not None and seen.replayed is not None and seen.replayed >= seen.received


def is_doubtful(seen: ServerState) -> bool:
    """Whether the lag may be seeming: something arrived just now, long after the last commit before it."""
    moving = seen.recovering and not seen.paused and not is_level(seen)
    return moving and seen.age_s is not None and seen.age_s > DOUBTFUL_S


def settled(first: ServerState, second: ServerState, apart_s: float) -> ServerState:
    """The second check; what the first one was waiting for is no older than the time between them, if it is done."""
    if second.replayed is None or first.received is None or second.replayed < first.received:
        return second
    return replace(second, age_s=min(apart_s, second.age_s or apart_s))


def since_level(seen: ServerState, level_s: float) -> ServerState:
    """The same, of a replica that was level so many seconds ago: it waits for nothing that is older."""
    return seen if seen.age_s is None else replace(seen, age_s=min(seen.age_s, level_s))


def _lag_s(seen: ServerState) -> float | None:
    if is_level(seen):
        return 0.0 if seen.receiving else None  # what it has not received, it cannot know of
    if seen.received is None or seen.age_s is None:
        return None
    return max(seen.age_s, 0.0)


def _stalled(seen: ServerState) -> str | None:
    if seen.paused:
        return "replication stopped: WAL replay is paused"
    feeds_from_archive = seen.received is None and seen.restore_command != ""
    if not seen.receiving and not feeds_from_archive:
        return "replication stopped: no WAL receiver is running, so it is not connected to its primary"
    return None
