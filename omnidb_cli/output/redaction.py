"""Documents without secrets: every string of every part goes through the redactor before a format writes it.

The leaves are redacted, not the finished text, so that quoting and wrapping cannot hide a secret, and what is
left is still valid JSON, YAML or CSV. Bodies, items and tables are redacted by the formats that draw them, a piece at
a time.
"""

from collections.abc import Callable

from msgspec.structs import replace

from omnidb_cli.output.report import Report
from omnidb_cli.output.values import jsonable

Redactor = Callable[[str], str]


def nothing_secret(text: str) -> str:
    """The redactor where there are no secrets."""
    return text


def redacted(document: Report, redact: Redactor) -> Report:
    """The same document with the texts of its rows and names redacted, as lazily as before."""
    rows, names = document.rows, document.names
    if redact is nothing_secret:
        return document
    return replace(
        document,
        rows=rows and (lambda: ([jsonable(value, redact) for value in row] for row in rows())),
        names=names and (lambda: map(redact, names())),
    )
