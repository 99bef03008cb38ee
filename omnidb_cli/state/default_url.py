"""Where the state is kept when nobody says where."""

import os
import re
from pathlib import Path
from zlib import crc32


def default_url(topology: str, source: str | None = None) -> str:
    """`sqlite:////…/omnidb/<topology>.db` under `$XDG_STATE_HOME`, or `~/.local/state` without it.

    `source` is the topology file where that gave no name of its own: two files called `omnidb.yaml` in two
    folders are two topologies, and a hold in one must not hold in the other.
    """
    name = re.sub(r"[^\w.-]", "_", topology)[:63]
    if source is not None:
        name += f"-{crc32(os.fsencode(os.path.realpath(source))):08x}"
    return f"sqlite:///{_state_home() / 'omnidb' / name}.db"


def _state_home() -> Path:
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    return named if named.is_absolute() else Path("~/.local/state").expanduser()
