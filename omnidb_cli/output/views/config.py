"""`config validate`: the file is valid, and what it describes."""

from omnidb_cli.output import words
from omnidb_cli.output.report import Cell, Report, Shape, Style, TableView

SCHEMA = "omnidb.validity/v1"
PARTS = (Shape.BODY, Shape.TABLE)


def validity_document(path: str, topology: str, connections: int) -> Report:
    """A topology without a problem; one with problems is an error and never gets here."""
    count = words.counted(connections, "connection")
    return Report(
        body={"schema": SCHEMA, "file": path, "valid": True, "topology": topology, "connections": connections},
        table=lambda: TableView(lines=[(Cell("✓", Style.GOOD), Cell(f"{path} is valid: {topology}, {count}"))]),
    )
