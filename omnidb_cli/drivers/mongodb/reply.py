"""What a reply of MongoDB is for people: rows and columns, a number of changes, or an error that came as a success."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from omnidb_cli.drivers.base import Reply
from omnidb_cli.drivers.batching import Batches
from omnidb_cli.drivers.mongodb.command import Command
from omnidb_cli.drivers.mongodb.values import plain
from omnidb_cli.errors import DriverError, ErrorKind, StatementError, within_limit

Row = tuple[object, ...]
Document = Mapping[str, Any]
Fetch = Callable[[], Awaitable[Sequence[Document]]]

_ENVELOPE = frozenset({"ok", "$clusterTime", "operationTime", "$configTime", "$topologyTime"})
_WRITE_TIMED_OUT = 64
_SHOWN = 5


class _Rows:
    """Documents as rows of these columns. A field that is no column is not shown, and is named in `notices`."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._known = frozenset(columns)
        self._left_out: dict[str, int] = {}

    def of(self, documents: Sequence[Document]) -> Sequence[Row]:
        """A row for each document."""
        return [self._row(document) for document in documents]

    def _row(self, document: Document) -> Row:
        if not document.keys() <= self._known:
            for key in document.keys() - self._known:
                self._left_out[key] = self._left_out.get(key, 0) + 1
        return tuple([plain(document.get(column)) for column in self._columns])

    def notices(self) -> tuple[str, ...]:
        """What was left out of the rows, in words."""
        if not self._left_out:
            return ()
        shown = [f"{key} ({count})" for key, count in list(self._left_out.items())[:_SHOWN]]
        more = f" and {len(self._left_out) - _SHOWN} others" if len(self._left_out) > _SHOWN else ""
        return (
            f"fields that the first documents do not have are not shown: {within_limit(', '.join(shown))}{more}; "
            "name them in a projection to see them",
        )


def cursor_reply(command: Command, first: Sequence[Document], fetch: Fetch) -> Reply:
    """The documents of a cursor. Columns are the projection's, or all fields of the first batch, in their order."""
    columns = command.columns or tuple(dict.fromkeys(key for document in first for key in document))
    rows = _Rows(columns)

    async def more() -> Sequence[Row]:
        return rows.of(await fetch())

    batches = Batches(more, rows.of(first))
    return Reply(columns, batches, lambda: batches.count, lambda: command.name, rows.notices)


def document_reply(command: Command, reply: Document) -> Reply:
    """The one document of any other command: one row, without what surrounds every reply."""
    if command.name == "distinct":
        column = str(command.document.get("key", "values"))
        return _all_at_once(command, (column,), [(plain(value),) for value in reply.get("values", ())])
    shown = {key: value for key, value in reply.items() if key not in _ENVELOPE} or {"ok": reply.get("ok")}
    return _all_at_once(command, tuple(shown), [tuple(plain(value) for value in shown.values())])


def change_reply(command: Command, reply: Document) -> Reply:
    """The number of documents changed; how many were examined is a notice."""
    matched = reply.get("n", 0)
    changed = reply.get("nModified", matched) + len(reply.get("upserted", ()))
    notices: list[str] = []
    if command.name == "update":
        notices.append(f"matched {matched - len(reply.get('upserted', ()))}, modified {reply.get('nModified', 0)}")
    notices.extend(within_limit(f"inserted with _id {plain(one.get('_id'))}") for one in reply.get("upserted", ()))
    return Reply((), Batches(None), lambda: changed, lambda: command.name, lambda: tuple(notices))


def refuse_hidden_errors(reply: Document, place: str) -> None:
    """Raises the error that a reply brings beside `ok: 1`."""
    errors = reply.get("writeErrors")
    if errors:
        done = reply.get("nModified", reply.get("n", 0))
        raise StatementError(f"{errors[0].get('errmsg')}; {_documents(done)} changed before or beside it")
    if reply.get("nErrors"):
        raise StatementError(f"{reply['nErrors']} of the operations failed: {_first_of(reply)}")
    concern = reply.get("writeConcernError")
    if concern:
        kind = ErrorKind.TIMEOUT if concern.get("code") == _WRITE_TIMED_OUT else ErrorKind.INTERNAL
        raise DriverError(
            f"{place}: the write was carried out, but not confirmed as asked for: {concern.get('errmsg')}",
            kind=kind,
            hint="check the data before you run it again",
        )


def _documents(count: int) -> str:
    return "1 document was" if count == 1 else f"{count or 'no'} documents were"


def _first_of(reply: Document) -> object:
    batch = reply.get("cursor", {}).get("firstBatch", ())
    return next((one.get("errmsg") for one in batch if not one.get("ok")), "no reason was given")


def _all_at_once(command: Command, columns: tuple[str, ...], rows: Sequence[Row]) -> Reply:
    return Reply(columns, Batches(None, rows), lambda: len(rows), lambda: command.name)
