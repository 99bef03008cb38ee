"""Draws docs/status.svg: the table of `omnidb status` in the middle of a failover, from a real run."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from data import make
from msgspec.structs import replace

from omnidb_cli import drivers
from omnidb_cli.cli.verdict import verdict
from omnidb_cli.cli.wiring import open_drivers, orchestrator, with_topology
from omnidb_cli.output.report import with_texts
from omnidb_cli.output.terminal.svg import export_svg
from omnidb_cli.output.views.status import status_document
from omnidb_cli.state import store
from omnidb_cli.topology import load

_ROOT = Path(__file__).resolve().parents[2]
_SHOWN_AS = "/srv/omnidb"
"""A place that reads well, for the temporary folder of the run."""


def main() -> None:
    """Writes the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copytree(_ROOT / "configs", folder / "configs")
        make(folder / "demo-data")
        (folder / "demo-data/primary.db").unlink()
        svg = asyncio.run(_drawn(folder))
    (_ROOT / "docs/status.svg").write_text(svg, encoding="utf-8")


async def _drawn(folder: Path) -> str:
    topology = load(folder / "configs/demo.yaml", engines=drivers, stores=store)
    db = orchestrator(topology, open_drivers(topology))
    await db.connect(keep_checking=False)
    snapshot = with_topology(db.snapshot(), topology)
    await db.disconnect()
    finding = verdict(snapshot)
    document = status_document(snapshot, finding=finding, exit_code=finding.code)
    shown = replace(
        document, table=lambda: with_texts(document.table(), lambda text: text.replace(str(folder), _SHOWN_AS))
    )
    return export_svg(shown, title="omnidb status", width=116)


if __name__ == "__main__":
    main()
