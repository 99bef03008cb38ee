"""One statement, as a command document or as MongoDB's shell writes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from omnidb_cli.drivers.mongodb.literal import Reader, unexpected
from omnidb_cli.drivers.mongodb.methods import METHODS
from omnidb_cli.drivers.mongodb.plan import Command, Plan, projected
from omnidb_cli.errors import StatementError

_SESSION_FIELDS = frozenset({"lsid", "txnNumber", "startTransaction", "autocommit", "$db", "$readPreference"})
_NOT_HERE = frozenset({
    "getMore", "killCursors", "startSession", "endSessions", "commitTransaction", "abortTransaction", "authenticate",
    "saslStart", "saslContinue", "logout", "shutdown",
})  # fmt: skip


_NOTHING = frozenset({"toArray", "pretty"})
_CHAINED: Mapping[str, str] = {
    name: name for name in ("sort", "limit", "skip", "hint", "collation", "batchSize", "maxTimeMS", "projection", "min",
                            "max", "comment", "allowDiskUse")
}  # fmt: skip


def plan(statement: str, parameters: Sequence[str]) -> Plan:
    """The plan for exactly one statement. Raises StatementError for what is none, and for what has no sense here."""
    try:
        statement.encode()
        "".join(parameters).encode()
    except UnicodeEncodeError:
        raise StatementError("the statement is not valid UTF-8") from None
    reader = Reader(statement, parameters)
    if reader.token.kind == "end":
        raise StatementError("the statement is empty")
    planned = _shell(reader) if reader.token.text == "db" else _document(reader)
    reader.end()
    return _checked(planned)


def _document(reader: Reader) -> Plan:
    if reader.token.text != "{":
        raise StatementError(
            f"expected a command, found {reader.token.text[:30]!r}",
            hint='write {"find": "orders", "limit": 5} or db.orders.find({}).limit(5)',
        )
    return _plan_of(reader.value())


def _plan_of(command: Any, database: str | None = None) -> Plan:
    if not isinstance(command, dict) or not command:
        raise StatementError("a command is a document whose first key is its name", hint='write {"ping": 1}')
    return Plan(command, database, projected(command.get("projection")))


def _checked(planned: Plan) -> Plan:
    name, command = planned.name, planned.command
    if name in _NOT_HERE:
        raise StatementError(f"{name} has no sense here: every statement runs in a session of its own")
    if taken := sorted(_SESSION_FIELDS & command.keys()):
        raise StatementError(f"{taken[0]} is set by omnidb: every statement runs in a session of its own")
    if planned.changes and _unacknowledged(command):
        raise StatementError("a write concern of 0 would hide whether the write was carried out", hint="leave w out")
    return planned


def _unacknowledged(command: Command) -> bool:
    concern = command.get("writeConcern")
    return isinstance(concern, dict) and concern.get("w") == 0


def _shell(reader: Reader) -> Plan:
    """`db.orders.find(…).limit(5)`, `db.getCollection("…").…`, `db.runCommand({…})`, `db.adminCommand({…})`."""
    reader.take()
    names: list[str] = []
    while reader.skip("."):
        token = reader.take()
        if token.kind != "word":
            raise unexpected(token, "a name")
        if token.text == "getCollection" and not names and reader.token.text == "(":
            names.extend(_texts(reader.arguments(), token.text))
            continue
        names.append(token.text)
        if reader.token.text == "(":
            break
    while reader.skip("["):
        raise StatementError('a collection whose name is no word is written db.getCollection("…")')
    if not names or reader.token.text != "(":
        raise unexpected(reader.token, "a method, as in db.orders.find({})")
    method, arguments = names.pop(), reader.arguments()
    if not names:
        return _database_method(method, arguments)
    return _collection_method(reader, ".".join(names), method, arguments)


def _texts(arguments: list[Any], method: str) -> list[str]:
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise StatementError(f"{method} takes one name")
    return arguments


def _database_method(method: str, arguments: list[Any]) -> Plan:
    match method, arguments:
        case "runCommand", [command]:
            return _plan_of({command: 1} if isinstance(command, str) else command)
        case "adminCommand", [command]:
            return _plan_of({command: 1} if isinstance(command, str) else command, "admin")
        case "getCollectionNames", []:
            return Plan({"listCollections": 1, "nameOnly": True})
        case "stats", []:
            return Plan({"dbStats": 1})
        case "aggregate", [list(pipeline)]:
            return Plan({"aggregate": 1, "pipeline": pipeline})
        case _:
            raise StatementError(
                f"db.{method} is not known here with {len(arguments)} arguments",
                hint="db.runCommand({…}) and db.adminCommand({…}) carry out any command",
            )


def _collection_method(reader: Reader, collection: str, method: str, arguments: list[Any]) -> Plan:
    make = METHODS.get(method)
    if make is None:
        raise StatementError(
            f"the method {method} is not known here",
            hint=f"known: {', '.join(METHODS)}; db.runCommand({{…}}) carries out any command",
        )
    try:
        planned = make(collection, *arguments)
    except TypeError:
        raise StatementError(f"{method} does not take {len(arguments)} arguments") from None
    return _chained(reader, planned, method)


def _chained(reader: Reader, planned: Plan, method: str) -> Plan:
    """What follows a `find`: `.sort({…}).limit(5)`."""
    command = dict(planned.command)
    while reader.skip("."):
        token = reader.take()
        arguments = reader.arguments()
        if token.text in _NOTHING and not arguments:
            continue
        if method != "find" or token.text not in _CHAINED or len(arguments) != 1:
            raise StatementError(
                f".{token.text} at character {token.at + 1} cannot follow {method}",
                hint=f"after find may follow: {', '.join(sorted(_CHAINED))}",
            )
        command[_CHAINED[token.text]] = arguments[0]
    if "limit" in command and isinstance(command["limit"], int) and command["limit"] < 0:
        command |= {"limit": -command["limit"], "singleBatch": True}
    return replace(planned, command=command, columns=planned.columns or projected(command.get("projection")))
