"""Runs a session as a page shows it: the commands after `$`, in a folder with the demo topology and its data."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from tests.project.pages import ROOT

SHOWN_AS = "/srv/omnidb"
"""Where the pages say that the clone is."""

_MOVING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d( UTC)? \((just now|[\dhms ]+)\)"), "SINCE"),
    (re.compile(r"\d+(\.\d+)?m?s ago|just now"), "AGE"),
    (re.compile(r"\d+(\.\d+)?(ms|s)\b"), "SPAN"),
    (re.compile(r" +"), " "),
    (re.compile(r" $", re.MULTILINE), ""),
)


def commands(session: str) -> list[str]:
    """What is typed in a session."""
    return [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]


def replay(session: str, folder: Path) -> str:
    """The session with the output of its commands as they are now, run in `folder`."""
    shutil.copytree(ROOT / "configs", folder / "configs")
    runpy.run_path(str(ROOT / "docs/demo/data.py"))["make"](folder / "demo-data")
    parts = []
    for command in commands(session):
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=_environment(folder), text=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code = f"(exit code {done.returncode})\n" if done.returncode else ""
        parts.append(f"$ {command}\n{done.stdout}{code}")
    return "\n".join(parts).replace(str(folder), SHOWN_AS)


def still(text: str) -> str:
    """The text without what moves from run to run: times, ages, spans, and the widths that follow from them."""
    for pattern, word in _MOVING:
        text = pattern.sub(word, text)
    return text.strip()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "OMNIDB_CONFIG": "configs/demo.yaml",
        "OMNIDB_STATE": "sqlite:///demo-data/state.db",
    }
