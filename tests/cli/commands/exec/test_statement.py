"""Where the statement of `exec` comes from, and that there is one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from omnidb_cli.cli.commands.exec.statement import statement_of, unquoted
from tests.cli.runner import Runner
from tests.scenarios.shop import Shop

EMPTY = ("", " \n\t", ";", " ; ;\n", "-- x", "-- x\n", "# x", "/* x */", "/**/ ;\n-- y\n", "/* a\n b */-- c", "-" * 500)
SOMETHING = ("SELECT 1", "-- x\nSELECT 1", "/* x */ SELECT 1", "/*! SET x = 1 */", "/*M! SELECT 1 */", "GET a", "/* x")


@pytest.mark.parametrize("statement", EMPTY)
def test_nothing_is_a_usage_error_before_anything_is_connected(shop: Runner, statement: str) -> None:
    file = shop.folder / "s.sql"
    file.write_text(statement)
    for words in (("--", statement), ("--file", str(file))):
        ended = shop.run("exec", "primary", *words)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert "the statement is empty" in ended.stderr
    assert not (shop.folder / "state").exists()


def test_nothing_from_standard_input(processes: Shop) -> None:
    ended = processes.run("exec", "primary", "-", stdin="-- nothing\n")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "the statement is empty" in ended.stderr


@pytest.mark.parametrize("statement", SOMETHING)
def test_something_is_passed_on_as_it_is(statement: str) -> None:
    assert statement_of(statement, None) == statement


def test_a_file_that_cannot_be_read(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    (shop.folder / "latin.sql").write_bytes(b"SELECT 'caf\xe9'")
    for path, said in (
        ("nosuch.sql", "no such file: nosuch.sql"),
        (str(shop.folder), f"{shop.folder} is a directory"),
        ("latin.sql", "latin.sql is not UTF-8 text"),
        ("primary.db/x", "primary.db/x cannot be read: not a directory"),
        ("a\x1bb", r"no such file: a\x1bb"),
    ):
        ended = shop.run("exec", "primary", "--file", path)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert said in ended.stderr
        assert "Errno" not in ended.stderr


def test_standard_input_that_is_no_text(processes: Shop) -> None:
    file = processes.folder / "latin.sql"
    file.write_bytes(b"SELECT 'caf\xe9'")
    with file.open() as latin:
        process = processes.start("exec", "primary", "-", stdin=latin, env={"LC_ALL": "C.UTF-8"})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "standard input is not UTF-8 text" in err


def test_a_file_with_a_byte_order_mark(shop: Runner) -> None:
    (shop.folder / "bom.sql").write_bytes(b"\xef\xbb\xbfSELECT 42 AS answer")
    assert "42" in shop.run("exec", "primary", "--file", str(shop.folder / "bom.sql")).stdout


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture
def forbidden(tmp_path: Path) -> Path:
    """A file that exists, and that whoever runs `without_rights` may not read."""
    file = tmp_path / "forbidden.yaml"
    file.write_text("connections: {a: {url: 'sqlite:///a.db'}}\n")
    file.chmod(0)
    if os.getuid() == 0:
        os.chown(file, 65534, 65534)
    return file


def without_rights(*words: str) -> "subprocess.CompletedProcess[str]":
    """omnidb run without the rights of root to read what others own."""
    dropped = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    if dropped and not which("setpriv"):
        pytest.skip("root can read everything here")
    command = [*dropped, sys.executable, "-m", "omnidb_cli", *words]
    return subprocess.run(command, text=True, capture_output=True, timeout=60)


def test_an_unreadable_topology_is_three_and_names_it(forbidden: Path) -> None:
    ended = without_rights("status", "-c", str(forbidden))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"the topology {forbidden} cannot be read: permission denied" in ended.stderr


def test_an_unreadable_statement_is_two_and_names_it(forbidden: Path) -> None:
    ended = without_rights("exec", "a", "--file", str(forbidden))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"{forbidden} cannot be read: permission denied" in ended.stderr


def test_how_a_statement_is_quoted() -> None:
    assert unquoted("omnidb exec p", ["SELECT", "1"]).endswith('omnidb exec p "SELECT 1"')
    assert unquoted("omnidb exec p", ["SELECT", "$1"]).endswith("omnidb exec p 'SELECT $1'")
    assert unquoted("omnidb exec p", ["a\x1b", "b"]).endswith('omnidb exec p "…"')
