"""What is refused before anything is done: wrong usage, a bad topology, a name that there is not."""

from pathlib import Path

import pytest

from tests.cli.runner import Runner


@pytest.fixture
def shop(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


NAMING = (
    ("status", "primry"),
    ("status", "primary", "primry"),
    ("status", "--last", "primry"),
    ("status", "--watch", "primry"),
    ("watch", "primry"),
    ("watch", "--until", "primry=healthy"),
    ("exec", "primry", "SELECT 1"),
    ("circuit", "open", "primry"),
    ("circuit", "close", "primry"),
    ("failback", "primry"),
    ("route", "primry"),
    ("events", "--name", "primry"),
)
USAGE = (
    ("nosuch",),
    ("status", "--nosuch"),
    ("status", "--fail-on", "sometimes"),
    ("status", "-o", "xml"),
    ("status", "--max-age", "5s"),
    ("status", "--watch", "--last"),
    ("watch", "--interval", "0"),
    ("watch", "--interval", "5 parsecs"),
    ("watch", "--interval", "-1s"),
    ("watch", "--interval", "nan"),
    ("watch", "--count", "0"),
    ("watch", "--until", "sunday"),
    ("watch", "--until", "primary=lovely"),
    ("watch", "--timeout", "1s"),
    ("watch", "-o", "csv"),
    ("exec", "primary"),
    ("exec", "primary", "SELECT 1", "--file", "x.sql"),
    ("exec", "primary", "--file", "nosuch.sql"),
    ("exec", "primary", "SELECT 1", "--timeout", "never"),
    ("exec", "primary", "SELECT 1", "-o", "name"),
    ("circuit", "open"),
    ("circuit", "open", "primary", "--for", "91d"),
    ("circuit", "open", "primary", "--for", "0"),
    ("circuit", "close"),
    ("circuit", "list", "primary"),
    ("failback",),
    ("route",),
    ("events", "--type", "lunch"),
    ("events", "--since", "yesterday"),
    ("state",),
    ("state", "show", "-o", "csv"),
    ("config", "frobnicate"),
)
OTHERS = (("circuit", "list"), ("state", "show"), ("state", "reset"), ("config", "validate"), ("config", "show"))


@pytest.mark.parametrize("command", USAGE, ids=" ".join)
def test_usage_is_two_and_touches_nothing(shop: Runner, command: tuple[str, ...]) -> None:
    ended = shop.run(*command)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "Usage:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (shop.folder / "state").exists()


@pytest.mark.parametrize("command", [*NAMING, *OTHERS], ids=" ".join)
def test_a_bad_topology_is_three(shop: Runner, command: tuple[str, ...]) -> None:
    shop.write(failover="{primary: nobody}")
    ended = shop.run(*command)
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert f"{shop.config}:6:21: failover.primary: " in ended.stderr


@pytest.mark.parametrize("command", NAMING, ids=" ".join)
def test_an_unknown_connection_is_four_and_changes_nothing(shop: Runner, command: tuple[str, ...]) -> None:
    ended = shop.run(*command)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert 'no connection named "primry"' in ended.stderr
    assert 'did you mean "primary"?' in ended.stderr
    assert not (shop.folder / "state").exists()


def test_an_engine_without_driver_is_valid_and_says_plainly_that_it_cannot_be_used(
    shop: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omnidb_cli.drivers.base._files", lambda: {"sqlite": "sqlite"})
    shop.config.write_text('connections: {cache: {url: "redis://cache/0"}}\n')
    assert shop.run("config", "validate").exit_code == 0
    for command in (("status",), ("watch", "--count", "1"), ("exec", "cache", "GET a"), ("route", "cache")):
        ended = shop.run(*command)
        assert (ended.exit_code, ended.stdout) == (3, "")
        assert 'connection "cache": redis cannot be used yet' in ended.stderr
    assert shop.run("circuit", "open", "cache").exit_code == 0
