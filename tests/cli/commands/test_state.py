"""`omnidb state`: what a program is told of the state."""

import json
from pathlib import Path

from tests.cli.runner import Runner


def test_where_the_state_is_and_of_which_version(shop: Runner) -> None:
    shop.run("circuit", "open", "archive")
    told = json.loads(shop.run("state", "show", "-o", "json").stdout)
    assert (told["schema"], told["topology"]) == ("omnidb.state/v1", "shop")
    assert told["schema_version"] >= 1
    assert str(shop.shop.state) in json.dumps(told)


def test_a_reset_says_where_the_old_state_is_kept(shop: Runner) -> None:
    shop.run("circuit", "open", "archive")
    told = json.loads(shop.run("state", "reset", "-o", "json").stdout)
    assert (told["schema"], told["topology"]) == ("omnidb.state-reset/v1", "shop")
    assert Path(told["kept_aside"]).exists()
    [*_, archive] = json.loads(shop.run("circuit", "list", "-o", "json").stdout)["circuits"]
    assert (archive["name"], archive["circuit"]["state"]) == ("archive", "closed")
