"""Documents without secrets: every string of every part goes through the redactor before a format sees it.

The leaves are redacted, not the finished text, so that quoting and wrapping cannot hide a secret, and what is
left is still valid JSON, YAML or CSV.
"""

from collections.abc import Callable

from omnidb_cli.output.document import Document, with_texts
from omnidb_cli.output.values import jsonable

Redactor = Callable[[str], str]


def nothing_secret(text: str) -> str:
    """The redactor where there are no secrets."""
    return text


def redacted(document: Document, redact: Redactor, *, body: bool) -> Document:
    """The same document with every text redacted, as lazily as before; its body only where `body` is wanted."""
    if redact is nothing_secret:
        return document
    items, rows, names, table = document.items, document.rows, document.names, document.table
    return Document(
        body=jsonable(document.body, redact) if body else None,
        table=lambda: with_texts(table(), redact),
        items=items and (lambda: (jsonable(item, redact) for item in items())),
        header=document.header,
        rows=rows and (lambda: ([jsonable(value, redact) for value in row] for row in rows())),
        names=names and (lambda: map(redact, names())),
    )
