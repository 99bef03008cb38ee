import pytest

from omnidb_cli.drivers import engines, open_driver
from omnidb_cli.drivers.base import Driver, Target
from omnidb_cli.drivers.sqlite.driver import SqliteDriver
from omnidb_cli.errors import StatementError, TopologyError


def test_an_engine_is_the_file_of_its_name_and_private_modules_are_none() -> None:
    names = {engine.name for engine in engines()}
    assert "sqlite" in names
    assert not [name for name in names if name == "base" or name.startswith("_")]


def test_a_driver_is_opened_by_its_engine_and_touches_nothing() -> None:
    driver = open_driver(Target(name="a", engine="sqlite", scheme="sqlite", path="/nowhere/at/all.db"))
    assert isinstance(driver, SqliteDriver)


def test_an_engine_without_a_driver_is_named_with_those_that_have_one() -> None:
    with pytest.raises(TopologyError, match='"a": there is no engine oracle') as raised:
        open_driver(Target(name="a", engine="oracle", scheme="oracle"))
    assert "sqlite" in str(raised.value.hint)


@pytest.mark.parametrize("engine", ["base", "sqlite.files", "../sqlite", ""])
def test_what_is_no_engine_is_never_imported(engine: str) -> None:
    with pytest.raises(TopologyError):
        open_driver(Target(name="a", engine=engine, scheme="x"))


@pytest.mark.parametrize("path", [None, "", "/data/a\0b.db"])
def test_a_sqlite_target_needs_a_file(path: str | None) -> None:
    with pytest.raises(TopologyError, match="names no file"):
        open_driver(Target(name="a", engine="sqlite", scheme="sqlite", path=path))


def test_a_driver_has_what_the_protocol_asks_for() -> None:
    driver: Driver = SqliteDriver(Target(name="a", engine="sqlite", scheme="sqlite"), "/nowhere.db")
    assert driver.on_lost is None


def test_an_error_is_one_line() -> None:
    """Else a server could add a line that looks like one of ours."""
    error = StatementError("no\nserved by\r\u2028primary", hint="ask\n\nthem")
    assert (str(error), error.hint) == ("no served by primary", "ask them")
