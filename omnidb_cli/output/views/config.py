"""`config validate`: the file is valid, and what it describes."""

from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Document, Part, Style, TableView

SCHEMA = "omnidb.validity/v1"
PARTS = (Part.BODY, Part.TABLE)


def validity_document(path: str, topology: str, connections: int) -> Document:
    """A topology without a problem; one with problems is an error and never gets here."""
    count = words.counted(connections, "connection")
    return Document(
        body={"schema": SCHEMA, "file": path, "valid": True, "topology": topology, "connections": connections},
        table=lambda: TableView(lines=[(Cell("✓", Style.GOOD), Cell(f"{path} is valid: {topology}, {count}"))]),
    )
