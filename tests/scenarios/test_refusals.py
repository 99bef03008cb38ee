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
    ("circuit", "list", "primry"),
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
    ("status", "--interval", "5s"),
    ("circuit", "frobnicate", "primary"),
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
    ("exec", "primary", ""),
    ("exec", "primary", "SELECT", "1"),
    ("exec", "primary", "SELECT 1", "--file", "x.sql"),
    ("exec", "primary", "--file", "nosuch.sql"),
    ("exec", "primary", "SELECT 1", "--timeout", "never"),
    ("exec", "primary", "SELECT 1", "-o", "name"),
    ("circuit", "open"),
    ("circuit", "open", "primary", "--for", "91d"),
    ("circuit", "open", "primary", "--for", "0"),
    ("circuit", "close"),
    ("failback",),
    ("route",),
    ("events", "--type", "lunch"),
    ("events", "--since", "yesterday"),
    ("events", "--until", "2026-02-30"),
    ("events", "--since", "07:30", "--until", "2020-01-01"),
    ("events", "--follow", "--until", "07:30"),
    ("events", "-n", "0"),
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


SEVERAL = (
    ("status", "primry", "primary", "lunch", "primry"),
    ("status", "--last", "primry", "lunch"),
    ("watch", "primry", "lunch"),
    ("circuit", "open", "primry", "lunch", "primary"),
    ("circuit", "close", "primry", "lunch"),
    ("circuit", "list", "primry", "lunch"),
    ("events", "--name", "primry", "--name", "lunch"),
)


@pytest.mark.parametrize("command", SEVERAL, ids=" ".join)
def test_all_unknown_connections_are_named_each_with_its_nearest(shop: Runner, command: tuple[str, ...]) -> None:
    ended = shop.run(*command)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert ended.stderr.splitlines() == [
        'error: no connections named "primry", "lunch"',
        '  hint: for "primry" did you mean "primary"? the connections are: primary, replica, archive',
    ]
    assert not (shop.folder / "state").exists()
