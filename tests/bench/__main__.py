"""`python -m tests.bench`: measures, and prints one Markdown table."""

import asyncio
import os
import platform
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import calls, checks, clients, fleet, held, loading, notice, processes
from tests.bench.row import Row, table
from tests.bench.scale import FULL, QUICK, Scale
from tests.bench.servers import running_servers


def main() -> None:
    """Runs every section and prints the table on stdout; what is under way goes to stderr."""
    parser = ArgumentParser(prog="python -m tests.bench", description="Measures omnidb and prints one Markdown table.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that everything runs, measures nothing")
    parser.add_argument("--into", metavar="PAGE", type=Path, help="a page in which the table is put anew as well")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="omnidb-bench-") as folder:
        scale = QUICK if asked.quick else FULL
        rows = _measured(scale, Path(folder)) + _measured_with_servers(scale, Path(folder))
    text = f"Python {platform.python_version()}, {os.cpu_count()} cores\n\n{table(rows)}"
    print(text)
    if asked.into is not None:
        _put(text, asked.into)


def _put(text: str, page: Path) -> None:
    before, begin, rest = page.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- end of table -->")
    if not end:
        sys.exit(f"{page} has no place for a table: <!-- table --> and <!-- end of table -->, each on its own line")
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def _measured(scale: Scale, folder: Path) -> list[Row]:
    return _each(
        {
            "calls": lambda: asyncio.run(calls.rows(scale)),
            "checks": lambda: asyncio.run(checks.rows(scale)),
            "processes": lambda: processes.rows(scale, folder),
            "fleet": lambda: fleet.rows(scale, folder),
            "loading": lambda: loading.rows(scale),
        }
    )


def _measured_with_servers(scale: Scale, folder: Path) -> list[Row]:
    with running_servers() as servers:
        return _each(
            {
                "held connections": lambda: asyncio.run(held.rows(scale, servers, folder)),
                "commands over servers": lambda: clients.rows(scale, servers, folder),
                "the loss of a primary": lambda: notice.rows(scale, servers, folder),
            }
        )


def _each(sections: Mapping[str, Callable[[], list[Row]]]) -> list[Row]:
    rows: list[Row] = []
    for name, section in sections.items():
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += section()
    return rows


if __name__ == "__main__":
    main()
