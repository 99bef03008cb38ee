"""One command that is to be sent once: whether it only reads, its limits, and what its reply will look like."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

Command = dict[str, Any]

BATCH_ROWS = 1000

READING = frozenset({
    "aggregate", "buildInfo", "buildinfo", "collStats", "connectionStatus", "count", "currentOp", "dataSize", "dbHash",
    "dbStats", "distinct", "explain", "features", "find", "getCmdLineOpts", "getLog", "getParameter", "hello",
    "hostInfo", "isMaster", "ismaster", "listCollections", "listCommands", "listDatabases", "listIndexes", "ping",
    "replSetGetConfig", "replSetGetStatus", "rolesInfo", "serverStatus", "top", "usersInfo", "whatsmyuri",
})  # fmt: skip
"""The commands that change nothing, whatever their arguments; `aggregate` and `explain` are looked into."""

_WRITING_STAGES = frozenset({"$out", "$merge"})
_CURSORS = frozenset({"find", "aggregate", "listCollections", "listIndexes"})
_CHANGES = frozenset({"insert", "update", "delete"})


class Plan(Struct, frozen=True):
    """One command to be sent once.

    `database` is None for the URL's own. `columns` are those that a projection names, else empty; `counts` is the
    column of a single number that may come as no row at all, where it is 0.
    """

    command: Command
    database: str | None = None
    columns: tuple[str, ...] = ()
    counts: str | None = None

    @property
    def name(self) -> str:
        """The command's name."""
        return next(iter(self.command))

    @property
    def gives_cursor(self) -> bool:
        """Whether its reply is a cursor."""
        return self.name in _CURSORS and not self.command.get("explain")

    @property
    def changes(self) -> bool:
        """Whether it changes data, by its name."""
        return self.name in _CHANGES


def only_reads(planned: Plan) -> bool:
    """Whether the server changes nothing for it. What is not known to be a read is none."""
    return _only_reads(planned.command)


def _only_reads(command: Mapping[str, Any]) -> bool:
    match next(iter(command), ""):
        case "aggregate":
            return not any(key in _WRITING_STAGES for key in _keys(command.get("pipeline")))
        case "explain":
            explained = command["explain"]
            return isinstance(explained, Mapping) and _only_reads(explained)
        case name:
            return name in READING


def _keys(value: Any) -> Iterator[str]:
    """Every key, however deep."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def with_limits(planned: Plan, limit_s: float) -> Command:
    """The command with the batches and the time limit that keep memory and server in bounds."""
    command = dict(planned.command)
    if planned.gives_cursor:
        field = "batchSize" if planned.name == "find" else "cursor"
        if planned.name == "find":
            command.setdefault(field, BATCH_ROWS)
        else:
            given = command.get("cursor")
            command["cursor"] = {"batchSize": BATCH_ROWS} | (given if isinstance(given, dict) else {})
    limit_ms = max(int(limit_s * 1000), 1)
    given_ms = command.get("maxTimeMS")
    command["maxTimeMS"] = min(given_ms, limit_ms) if isinstance(given_ms, int) and given_ms > 0 else limit_ms
    return command


def projected(projection: Any) -> tuple[str, ...]:
    """The columns that a projection names, in its order; none when it only leaves fields out."""
    if not isinstance(projection, Mapping):
        return ()
    named = [key for key, wanted in projection.items() if wanted not in (0, False)]
    choosing = [key for key in named if not _keeps_the_others(projection[key])]
    if not choosing or (choosing == ["_id"] and len(projection) > 1):
        return ()
    tops = dict.fromkeys(key.partition(".")[0] for key in named)
    hidden = projection.get("_id", 1) in (0, False)
    return tuple(tops) if hidden or "_id" in tops else ("_id", *tops)


def _keeps_the_others(wanted: Any) -> bool:
    """Whether a field is projected in a way that leaves all other fields where they are."""
    return isinstance(wanted, Mapping) and next(iter(wanted), "") in {"$slice", "$meta"}
