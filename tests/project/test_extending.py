"""The examples of docs/extending.md work: each is put among the files of the package, and nothing else is touched."""

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.project.pages import ROOT, blocks
from tests.scenarios.shop import Shop
from tests.servers.base import HOST, free_port

FILES = {one.info.partition(" ")[2]: one.text for one in blocks("python") if one.page.name == "extending.md"}
CACHE = """\
connections:
  cache: {{url: "memcached://{place}?timeout=5"}}
health_check: {{timeout: 20s}}
"""


class Memcached(socketserver.StreamRequestHandler):
    """What the example asks for."""

    def handle(self) -> None:
        if self.rfile.readline() == b"version\r\n":
            self.wfile.write(b"VERSION 1.6\r\n")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the examples in it."""
    folder = tmp_path_factory.mktemp("extended")
    copytree(ROOT / "omnidb_cli", folder / "omnidb_cli", ignore=ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        file = folder / name
        assert not file.exists()
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


@pytest.fixture
def shop(tmp_path: Path, package: Path) -> Iterator[Shop]:
    """Its commands are those of the extended package, which is found before the installed one."""
    made = Shop(tmp_path)
    made.env["PYTHONPATH"] = str(package)
    yield made
    made.close()


@pytest.fixture
def memcached() -> Iterator[str]:
    with socketserver.ThreadingTCPServer((HOST, 0), Memcached) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"{HOST}:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_page_has_an_example_of_each() -> None:
    folders = {Path(name).parent.as_posix().removeprefix("omnidb_cli/") for name in FILES}
    assert folders == {"drivers/memcached", "cli/commands", "output/formats", "state"}


def test_the_engine_is_checked(shop: Shop, memcached: str) -> None:
    shop.config.write_text(CACHE.format(place=memcached))
    status = shop.object("status")
    assert [(one["engine"], one["health"]) for one in status["connections"]] == [("memcached", "healthy")]
    assert status["connections"][0]["address"] == memcached


def test_the_engine_has_its_default_port_and_its_parameters(shop: Shop) -> None:
    shop.config.write_text(CACHE.format(place="cache1"))
    assert "cache1:11211" in shop.run("status", "--last").stdout
    shop.config.write_text(CACHE.format(place="cache1").replace("timeout=", "timeuot="))
    ended = shop.run("config", "validate")
    assert (ended.returncode, 'did you mean "timeout"?' in ended.stderr) == (3, True), ended.stderr


def test_the_engine_says_that_nobody_is_there(shop: Shop) -> None:
    shop.config.write_text(CACHE.format(place=f"{HOST}:{free_port()}"))
    (one,) = shop.object("status")["connections"]
    assert (one["health"], one["error"]["kind"]) == ("unhealthy", "refused")


def test_the_engine_is_suggested(shop: Shop) -> None:
    shop.config.write_text(CACHE.format(place="cache1").replace("memcached:", "memcache:"))
    assert 'did you mean "memcached"?' in shop.run("config", "validate").stderr


def test_the_command_takes_the_global_options(shop: Shop) -> None:
    ended = shop.run("names", "-c", str(shop.config))
    assert (ended.returncode, ended.stdout.split()) == (0, ["primary", "replica", "archive"])
    assert "no option '--confg': did you mean --config?" in shop.run("names", "--confg").stderr
    assert "names" in shop.run("--help").stdout


def test_the_format_is_one_of_those_that_help_names(shop: Shop) -> None:
    assert shop.run("status", "-o", "nul").stdout == "primary\0replica\0archive\0"
    assert "nul" in shop.run("status", "--help").stdout
    assert "nul" not in shop.run("exec", "--help").stdout


def test_the_store_is_found_by_its_scheme(shop: Shop) -> None:
    trail = shop.folder / "trail.jsonl"
    shop.config.write_text(f"{shop.config.read_text()}state: journal://{trail}\n")
    assert shop.run("config", "validate").returncode == 0
    assert not trail.exists()
    shop.take_away("primary")
    ended = shop.run("status")
    assert (ended.returncode, ended.stderr) == (10, "")
    told = [json.loads(line)["type"] for line in trail.read_text().splitlines()]
    assert {"health:changed", "circuit:open", "failover"} <= set(told)


@pytest.mark.parametrize("folder", sorted({Path(name).parent for name in FILES}), ids=lambda one: one.name)
def test_the_example_type_checks(tmp_path: Path, folder: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    own = "|".join(re.escape(name.removesuffix(".py").replace("/", ".")) for name in FILES)
    together = "\n\n".join(text for name, text in FILES.items() if Path(name).parent == folder)
    file = tmp_path / "example.py"
    file.write_text(re.sub(rf"^ *from ({own}) import .*\n", "", together, flags=re.MULTILINE))
    said, _, code = mypy.run(["--strict", "--cache-dir", str(ROOT / ".mypy_cache"), str(file)])
    assert code == 0, said
