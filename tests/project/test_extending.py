"""The example driver of docs/extending.md is a driver: it is copied by whoever begins one."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omnidb_cli.cli import app, commands
from omnidb_cli.core.health.model import Observation
from omnidb_cli.drivers.base import Driver, Target
from omnidb_cli.errors import ConnectError
from tests.project.pages import ROOT, page
from tests.servers.base import HOST, free_port

OpenDriver = Callable[[Target], Driver]


@pytest.fixture
def open_example() -> OpenDriver:
    names: dict[str, OpenDriver] = {}
    exec(compile(_example(), "extending.md", "exec"), names)
    return names["open_driver"]


def test_the_example_type_checks(tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api")
    file = tmp_path / "memcached.py"
    proof = "\n\nfrom omnidb_cli.drivers.base import Driver\n\nexample: Driver = MemcachedDriver('', 1)\n"
    file.write_text(_example() + proof)
    said, _, code = mypy.run(["--strict", "--cache-dir", str(ROOT / ".mypy_cache"), str(file)])
    assert code == 0, said


async def test_the_example_checks(open_example: OpenDriver) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"version\r\n"
        writer.write(b"VERSION 1.6\r\n")
        writer.close()

    async with await asyncio.start_server(answer, HOST) as server:
        driver = open_example(_target(server.sockets[0].getsockname()[1]))
        driver.load()
        found = await driver.check()
        assert isinstance(found, Observation)
        assert found.version == "VERSION 1.6"
        await driver.aclose()


async def test_the_example_says_that_nobody_is_there(open_example: OpenDriver) -> None:
    with pytest.raises(ConnectError):
        await open_example(_target(free_port())).check()


def test_the_example_command_takes_the_global_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names.py").write_text(_example(1))
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    monkeypatch.setattr(app, "names_in", lambda _package: ("names",))
    monkeypatch.setattr(app, "load", lambda package, name: import_module(f"{package}.{name}"))
    ended = CliRunner().invoke(app.app, ["names", "-c", str(ROOT / "configs/demo.yaml")])
    assert (ended.exit_code, ended.stdout.split()) == (0, ["primary", "replica", "archive"])
    assert "no option '--confg': did you mean --config?" in CliRunner().invoke(app.app, ["names", "--confg"]).stderr


def _example(number: int = 0) -> str:
    return page("extending.md").split("```python\n")[number + 1].partition("```")[0]


def _target(port: int) -> Target:
    return Target("cache", "memcached", "memcached", hosts=((HOST, port),))
