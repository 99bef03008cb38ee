"""One command that is to be sent once: read from JSON, whether it only reads, its limits, the columns of its reply."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bson import encode
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONOptions, object_hook
from msgspec import Struct

from omnidb_cli.drivers.batching import MOST_ROWS
from omnidb_cli.drivers.mongodb.connection import codec
from omnidb_cli.errors import StatementError

Document = dict[str, Any]

DEEPEST = 100
"""How deep documents may be nested; it is MongoDB's own limit."""

PARAMETER = "$param"
"""`{"$param": 1}` is the first `--param`, a string."""

_OPTIONS: JSONOptions = JSONOptions(
    tz_aware=True, document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_TOGETHER: Mapping[str, tuple[str, ...]] = {"$code": ("$scope",), "$ref": ("$id", "$db")}
_NO_JSON = (BSONError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError)
_SESSION_FIELDS = frozenset({"lsid", "txnNumber", "startTransaction", "autocommit", "$readPreference"})
_OUT_OF_PLACE = frozenset({
    "getMore", "killCursors", "startSession", "endSessions", "commitTransaction", "abortTransaction", "authenticate",
    "saslStart", "saslContinue", "logout", "shutdown",
})  # fmt: skip

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
_EXAMPLE = 'write {"find": "orders", "filter": {"total": {"$gt": 100}}, "limit": 5}'


class Command(Struct, frozen=True):
    """One command to be sent once. `database` is None for the URL's own; `columns` are what a projection names."""

    document: Document
    database: str | None = None
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The command's name."""
        return next(iter(self.document))

    @property
    def gives_cursor(self) -> bool:
        """Whether its reply is a cursor."""
        return self.name in _CURSORS and not self.document.get("explain")

    @property
    def changes(self) -> bool:
        """Whether it changes data, by its name."""
        return self.name in _CHANGES


def parse(statement: str, parameters: Sequence[str]) -> Command:
    """The one command that `statement` is, in Extended JSON. Raises StatementError for anything else."""
    document = _read(statement, parameters)
    if not isinstance(document, dict):
        raise StatementError("a command is a JSON document whose first key is its name", hint=_EXAMPLE)
    database = document.pop("$db", None)
    if not document:
        raise StatementError("a command is a JSON document whose first key is its name", hint=_EXAMPLE)
    if database is not None and (not isinstance(database, str) or not database):
        raise StatementError('"$db" is the name of a database', hint='write {"listDatabases": 1, "$db": "admin"}')
    _refuse_unsendable(document)
    command = Command(document, database, _projected(document.get("projection")))
    _refuse_out_of_place(command)
    return command


def _read(statement: str, parameters: Sequence[str]) -> Any:
    """The value that the JSON stands for, with the parameters in their places."""
    if not statement.strip():
        raise StatementError("the statement is empty", hint=_EXAMPLE)
    used: set[int] = set()

    def value_of(pairs: list[tuple[str, Any]]) -> Any:
        document = dict(pairs)
        if len(document) < len(pairs):
            raise StatementError(f"the key {_repeated(pairs)!r:.40} is given twice in one document")
        if PARAMETER in document:
            number = _parameter_number(document, len(parameters))
            used.add(number)
            return parameters[number - 1]
        return _extended(document)

    try:
        found = json.loads(statement, object_pairs_hook=value_of)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise StatementError(f"the statement is not JSON: {error}", hint=_EXAMPLE) from error
    if missing := sorted(set(range(1, len(parameters) + 1)) - used):
        raise StatementError(
            f"parameter {missing[0]} of {len(parameters)} has no place in the statement",
            hint=f'write {{"{PARAMETER}": {missing[0]}}} where its value goes; inside {{"$oid": …}} or '
            '{"$numberInt": …} for another type than a string',
        )
    return found


def _repeated(pairs: Sequence[tuple[str, Any]]) -> str:
    keys = [key for key, _ in pairs]
    return next(key for key in keys if keys.count(key) > 1)


def _parameter_number(document: Mapping[str, Any], given: int) -> int:
    number = document[PARAMETER]
    if len(document) > 1 or type(number) is not int or number < 1:
        raise StatementError(f'a parameter is written {{"{PARAMETER}": 1}}, counted from 1, with nothing beside it')
    if number > given:
        raise StatementError(f"the statement has a place for parameter {str(number)[:40]}, parameters given: {given}")
    return number


def _extended(document: Document) -> Any:
    """What Extended JSON means by a document such as {"$oid": "…"}; any other document as it is.

    The library drops what stands beside some of these, and a condition that is dropped widens a delete: so nothing may
    stand beside them, and `$regex` stays the server's operator.
    """
    if "$regex" in document:
        return document
    wrapper = next((key for key in document if key.startswith("$")), "")
    try:
        value = object_hook(document, _OPTIONS)
    except _NO_JSON as error:
        raise StatementError(f"{wrapper!r:.40} in Extended JSON: {error}") from error
    if value is not document and document.keys() - {wrapper, *_TOGETHER.get(wrapper, ())}:
        raise StatementError(f"{wrapper!r:.40} in Extended JSON: nothing may stand beside it")
    return value


def _refuse_unsendable(document: Document) -> None:
    """Refuses what has no place in BSON: numbers of more than 64 bits, broken Unicode, documents too deep."""
    if _is_deeper(document, DEEPEST):
        raise _too_deep()
    try:
        encode(document, codec_options=codec())
    except UnicodeEncodeError as error:
        raise StatementError("the statement is not valid Unicode") from error
    except _NO_JSON as error:
        raise StatementError(f"the command cannot be sent: {error}") from error


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)


def _too_deep() -> StatementError:
    return StatementError(f"the statement is nested deeper than {DEEPEST} levels")


def _refuse_out_of_place(command: Command) -> None:
    if command.name in _OUT_OF_PLACE:
        raise StatementError(f"{command.name} cannot be used here: every statement runs in a session of its own")
    if taken := sorted(_SESSION_FIELDS & command.document.keys()):
        raise StatementError(f"{taken[0]} is set by omnidb: every statement runs in a session of its own")
    if command.changes and _is_unacknowledged(command.document):
        raise StatementError("a write concern of 0 would hide whether the write was carried out", hint="leave w out")


def _is_unacknowledged(document: Document) -> bool:
    concern = document.get("writeConcern")
    return isinstance(concern, dict) and concern.get("w") == 0


def only_reads(command: Command) -> bool:
    """Whether the server changes nothing for it. What is not known to be a read is none."""
    return _only_reads(command.document)


def _only_reads(document: Mapping[str, Any]) -> bool:
    match next(iter(document), ""):
        case "aggregate":
            return not any(key in _WRITING_STAGES for key in _keys(document.get("pipeline")))
        case "explain":
            explained = document["explain"]
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


def with_limits(command: Command, limit_s: float) -> Document:
    """The command's document with the batches and the time limit that keep memory and server in bounds."""
    document = dict(command.document)
    if command.name == "find" and command.gives_cursor:
        document.setdefault("batchSize", MOST_ROWS)
    elif command.gives_cursor:
        given = document.get("cursor")
        document["cursor"] = {"batchSize": MOST_ROWS} | (given if isinstance(given, dict) else {})
    limit_ms = max(int(limit_s * 1000), 1)
    given_ms = document.get("maxTimeMS")
    document["maxTimeMS"] = min(given_ms, limit_ms) if isinstance(given_ms, int) and given_ms > 0 else limit_ms
    return document


def _projected(projection: Any) -> tuple[str, ...]:
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
