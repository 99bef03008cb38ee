"""What a command imports: nothing that it does not need. Times are for `make bench`; modules do not vary."""

import subprocess
import sys

import pytest

from tests.scenarios.shop import Shop

PROBE = """
import os, sys
real = os._exit
def end(code):
    print(*sys.modules, file=sys.stderr)
    real(code)
os._exit = end
sys.argv = ["omnidb", *sys.argv[1:]]
from omnidb_cli.__main__ import main
main()
"""
HEAVY = {"rich", "pygments", "asyncio", "ssl", "yaml", "sqlite3", "json", "logging", "tempfile", "random", "difflib"}
LOOKING = {"asyncio", "ssl", "yaml", "sqlite3", "json", "logging", "random"}
MAY = {
    "--version": set(),
    "--help": set(),
    "status --help": set(),
    "config validate": {"yaml"},
    "config show": {"yaml"},
    "circuit list": {"yaml", "sqlite3", "json"},
    "circuit list -o json": {"yaml", "sqlite3", "json"},
    "status": LOOKING,
    "status -o json": LOOKING,
    "exec primary SELECT/**/1": LOOKING,
    "watch --count 1": LOOKING,
}


@pytest.mark.parametrize("command", MAY)
def test_modules(shop: Shop, command: str) -> None:
    shop.run("status")
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, *command.split()], cwd=shop.folder, env=shop.env, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    modules = set(ended.stderr.splitlines()[-1].split())
    assert modules & HEAVY <= MAY[command] | of_typer()


EVERY_ENGINE = """\
connections:
  a: {url: "postgresql://h/app?sslmode=require"}
  b: {url: "mysql://h/app?ssl-mode=REQUIRED"}
  c: {url: "rediss://h?ssl_cert_reqs=none"}
  d: {url: "mongodb://h/?tls=true"}
  e: {url: "sqlite:///a.db?mode=ro"}
"""
CLIENTS = {"asyncpg", "asyncmy", "pymongo", "bson", "redis", "hiredis", "sqlite3", "asyncio", "ssl", "socket"}


@pytest.mark.parametrize("parameter", ["", "&nonsense=1"])
def test_checking_the_urls_of_every_engine_imports_no_client(shop: Shop, parameter: str) -> None:
    shop.config.write_text(EVERY_ENGINE.replace('"}', f'{parameter}"}}'))
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, "config", "validate"],
        cwd=shop.folder, env=shop.env, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == (3 if parameter else 0), ended.stderr
    assert not set(ended.stderr.splitlines()[-1].split()) & (CLIENTS - of_typer())


def of_typer() -> set[str]:
    """What Typer itself brings along."""
    listed = "import typer, typer.main, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True).stdout.split())
