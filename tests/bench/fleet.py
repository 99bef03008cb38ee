"""`omnidb status` over very many SQLite files: the wall clock, and the most memory that the process ever had."""

import sys
from pathlib import Path
from statistics import median

from tests.bench import account
from tests.bench.processes import fault_of, omnidb, start
from tests.bench.row import Row, failed
from tests.bench.scale import Scale
from tests.bench.topologies import sqlite_fleet

_WALL_S = 1.8
_RSS_MB = 100
_WALL = "omnidb status, a thousand SQLite files: wall clock"
_RSS = "the same: peak memory"


def rows(scale: Scale, folder: Path) -> list[Row]:
    """The rows of this section."""
    topology = sqlite_fleet(folder / "fleet", scale.fleet)
    command = [*omnidb(), "-c", str(topology), "status"]
    if fault := fault_of(start(command, folder)):
        return [failed(_WALL, f"< {_WALL_S} s", fault), failed(_RSS, f"< {_RSS_MB} MB", fault)]
    runs = [_measured(command, folder) for _ in range(scale.fleet_runs)]
    wall_s, rss_mb = median(wall for wall, _ in runs), median(rss for _, rss in runs)
    return [
        Row(_WALL, f"{wall_s:.2f} s at {scale.fleet:,}", f"< {_WALL_S} s", wall_s < _WALL_S),
        Row(_RSS, f"{rss_mb:.0f} MB at {scale.fleet:,}", f"< {_RSS_MB} MB", rss_mb < _RSS_MB),
    ]


def _measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and megabytes of one run."""
    silent = ["/bin/sh", "-c", 'exec "$@" >&2', "sh", *command]
    done = start([sys.executable, account.__file__, *silent], folder)
    wall_s, kilobytes = done.stdout.split()
    return float(wall_s), float(kilobytes) / 1024
