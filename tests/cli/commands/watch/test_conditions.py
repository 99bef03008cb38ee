"""The conditions that a watch waits for."""

import pytest
import typer

from omnidb_cli.cli.commands.watch.conditions import condition
from omnidb_cli.core.health.model import Health
from omnidb_cli.errors import UnknownConnectionError
from tests.cli.test_verdict import connection, snapshot

NAMES = ("a", "b=c", "d")


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("healthy", connection(), connection(health=Health.DEGRADED)),
        ("failover", connection(serving="d"), connection()),
        ("recovery", connection(), connection(serving="d")),
        ("recovery", connection(), connection(serving=None)),
        ("a=unhealthy", connection(health=Health.UNHEALTHY), connection(health=Health.UNKNOWN)),
        ("a=degraded", connection(health=Health.DEGRADED), connection("d", health=Health.DEGRADED)),
        ("b=c=healthy", connection("b=c"), connection("b=c", health=Health.UNHEALTHY)),
    ],
)
def test_condition(text: str, good: object, bad: object) -> None:
    met = condition(text, NAMES)
    assert met(snapshot(good))  # type: ignore[arg-type]
    assert not met(snapshot(bad))  # type: ignore[arg-type]


def test_a_failover_that_nobody_serves_is_none() -> None:
    nobody = connection(serving=None)
    assert condition("failover", NAMES)(snapshot(nobody)) is False


@pytest.mark.parametrize("text", ["", "sunday", "a=", "a=unknown", "=healthy=", "Healthy"])
def test_no_condition(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="healthy, failover, recovery or NAME="):
        condition(text, NAMES)


def test_a_name_that_is_not_watched() -> None:
    with pytest.raises(UnknownConnectionError):
        condition("z=healthy", NAMES)
