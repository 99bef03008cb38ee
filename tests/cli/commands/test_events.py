"""`omnidb events`: which of the history is shown."""

import json

import pytest

from tests.cli.runner import Runner

PRIMARY = ["circuit:open primary", "failover primary"]
ARCHIVE = ["circuit:open archive", "circuit:close archive"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ((), [*PRIMARY, *ARCHIVE]),
        (("--type", "circuit:open"), ["circuit:open primary", "circuit:open archive"]),
        (("--name", "archive"), ARCHIVE),
        (("--name", "archive", "--type", "circuit:open"), ["circuit:open archive"]),
        (("--type", "failover", "--type", "circuit:close"), ["failover primary", "circuit:close archive"]),
        (("--since", "1h", "--name", "primary"), PRIMARY),
    ],
    ids=" ".join,
)
def test_the_history_that_was_asked_for(shop: Runner, asked: tuple[str, ...], shown: list[str]) -> None:
    shop.run("circuit", "open", "primary")
    shop.run("circuit", "open", "archive")
    shop.run("circuit", "close", "archive")
    events = json.loads(shop.run("events", "-o", "json", *asked).stdout)["events"]
    assert [f"{one['type']} {one['name']}" for one in events] == shown
