"""`omnidb state`: what a program is told of the state."""

import json

from tests.cli.runner import Runner


def test_where_the_state_is_and_of_which_version(shop: Runner) -> None:
    shop.run("circuit", "open", "archive")
    told = json.loads(shop.run("state", "show", "-o", "json").stdout)
    assert (told["schema"], told["topology"]) == ("omnidb.state/v1", "shop")
    assert told["schema_version"] >= 1
    assert str(shop.shop.state) in json.dumps(told)
