"""Whatever a file holds, or is, loading it ends in a topology or in one error that says what is wrong."""

import gc
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from omnidb_cli import drivers
from omnidb_cli.errors import TopologyError
from omnidb_cli.state import store
from omnidb_cli.topology import load, parse

GOOD = "connections:\n  a: {url: sqlite:///a.db, password: '${env:PW:-}'}\n"


def refused(path: Path | str) -> TopologyError:
    with pytest.raises(TopologyError) as caught:
        load(path, env={}, engines=drivers, stores=store)
    return caught.value


def test_a_file_gives_its_name_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    topology = load(tmp_path / "shop.yaml", env={}, engines=drivers, stores=store)
    assert (topology.name, topology.named, topology.path) == ("shop", False, str(tmp_path / "shop.yaml"))
    assert topology.connections["a"].url.path == str(tmp_path / "a.db")


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert load("shop.yaml", env={}, engines=drivers, stores=store).path == str(tmp_path / "shop.yaml")


@pytest.mark.parametrize(
    ("file", "name"), [("my shop.yaml", "my-shop"), (".yaml", "yaml"), ("--.yml", "topology"), ("größe.yml", "größe")]
)
def test_a_files_name_becomes_a_name(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).write_text(GOOD)
    assert load(tmp_path / file, env={}, engines=drivers, stores=store).name == name


def test_secrets_come_from_the_environment_given(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(GOOD)
    password = load(tmp_path / "t.yaml", env={"PW": "hunter2"}, engines=drivers, stores=store).connections["a"].password
    assert password is not None
    assert password.reveal() == "hunter2"


def test_a_secrets_file_is_relative_to_the_topology(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    (tmp_path / "t.yaml").write_text("connections:\n  a: {url: redis://h, password: '${file:pw}'}\n")
    password = load(tmp_path / "t.yaml", env={}, engines=drivers, stores=store).connections["a"].password
    assert password is not None
    assert password.reveal() == "hunter2"


@pytest.mark.parametrize(
    ("content", "line", "column", "part"),
    [
        (b"", 1, 1, "is empty"),
        (b"\n  \n", 1, 1, "is empty"),
        (b"# only a comment\n", 1, 1, "is empty"),
        (b"\xef\xbb\xbf", 1, 1, "is empty"),
        (b"a: 1\nb: \xff\n", 2, 4, "is not UTF-8 text: there is a byte 0xff"),
        (b"a\0", 1, 2, "is not a text file: there is a NUL byte"),
        ("a: b".encode("utf-16"), 1, 1, "is not UTF-8 text"),
        (b"\x7fELF\x02\x01\x01\x00", 1, 1, "is not a text file"),
        (b"SQLite format 3\0", 1, 16, "is not a text file"),
        (b"a: [\n", 2, 1, "not valid YAML"),
        (b"x" * (10 * 1024 * 1024 + 1), 0, 0, "is larger than 10 MB"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else None,
)
def test_a_file_of_anything_else(tmp_path: Path, content: bytes, line: int, column: int, part: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(content)
    (problem,) = refused(path).problems
    assert (problem.file, problem.line, problem.column) == (str(path), line, column)
    assert part in problem.message


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(GOOD, encoding="utf-8-sig")
    assert load(tmp_path / "t.yaml", env={}, engines=drivers, stores=store).name == "t"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.yaml")
    assert str(error) == f"the topology {tmp_path / 'none.yaml'} does not exist"
    assert str(error.problems[0]) == f"{tmp_path / 'none.yaml'}: does not exist"


def test_the_name_of_a_file_stays_on_its_line() -> None:
    assert str(refused("none\n\x1b[31m.yaml")) == "the topology none\\n\\x1b[31m.yaml does not exist"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "is a directory" in str(refused(tmp_path))
    assert "is not a regular file" in str(refused(tmp_path / "fifo"))
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    assert "is not a regular file" in str(refused(tmp_path / "link"))
    assert "is not the name of a file" in str(refused("a\0b"))
    assert "cannot be read: file name too long" in str(refused("x" * 5000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(GOOD)
    path.chmod(stat.S_IWUSR)
    assert "cannot be read: permission denied" in str(refused(path))


def test_the_message_counts_the_problems() -> None:
    with pytest.raises(TopologyError) as caught:
        parse("a: 1\nb: 2\n", file="t.yaml", env={}, engines=drivers, stores=store)
    assert str(caught.value) == "the topology t.yaml has 3 problems"


def test_a_file_full_of_faults_is_cut_short() -> None:
    text = "connections:\n" + "".join(f"  n{index}: 1\n" for index in range(1500))
    with pytest.raises(TopologyError) as caught:
        parse(text, env={}, engines=drivers, stores=store)
    assert len(caught.value.problems) == 1001
    assert caught.value.problems[-1].message == "and 500 more problems"
    assert caught.value.problems[0].line == 2


@pytest.mark.parametrize("running", [True, False])
def test_the_collector_is_left_as_it_was(running: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if running else gc.disable)()
        with pytest.raises(TopologyError):
            parse("", env={}, engines=drivers, stores=store)
        parse(GOOD, env={}, engines=drivers, stores=store)
        assert gc.isenabled() is running
    finally:
        (gc.enable if before else gc.disable)()


def test_nothing_of_yaml_is_imported_before_it_is_needed() -> None:
    heavy = ("yaml", "difflib", "asyncio", "hashlib")
    code = f"import sys, omnidb_cli.topology; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
