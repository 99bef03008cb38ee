"""`omnidb circuit`: what is said about a hold that is there, or that is refused."""

import json

from tests.cli.runner import Runner


def test_a_hold_that_lasts_as_long_is_kept_and_how_to_shorten_it_is_said_where_it_has_an_end(shop: Runner) -> None:
    assert shop.run("circuit", "open", "archive", "--for", "1h").exit_code == 0
    again = shop.run("circuit", "open", "archive", "--for", "30m")
    assert (again.exit_code, "--replace" in again.stderr) == (0, True)
    assert shop.run("circuit", "open", "replica").exit_code == 0
    again = shop.run("circuit", "open", "replica")
    assert (again.exit_code, "--replace" in again.stderr) == (0, False)
    assert "nothing changed" in again.stderr


def test_a_refused_hold_says_why_the_others_cannot_serve_and_repeats_nothing_about_those_named(shop: Runner) -> None:
    shop.shop.take_away("replica")
    shop.run("status")
    assert shop.run("circuit", "open", "archive", "--reason", "moving house").exit_code == 0
    refused = shop.run("circuit", "open", "primary")
    assert refused.exit_code == 32
    said = refused.stderr.splitlines()[0]
    assert "replica unhealthy" in said
    assert "moving house" in said
    assert said.count("primary ") == 1, said
    assert json.loads(shop.run("circuit", "list", "-o", "json").stdout)["circuits"][0]["circuit"]["manual"] is False


def test_where_a_backup_would_be_held_the_reasons_are_those_of_the_other_backups(shop: Runner) -> None:
    shop.shop.take_away("primary", "archive")
    shop.run("status")
    refused = shop.run("circuit", "open", "replica")
    assert refused.exit_code == 32
    said = refused.stderr.splitlines()[0]
    assert '"primary"' in said
    assert "archive unhealthy" in said
    assert not any(reason in said for reason in ("primary unhealthy", "replica healthy", "replica unhealthy")), said
    assert shop.run("circuit", "open", "replica", "--force").exit_code == 0


def test_every_connection_is_listed_also_one_of_which_nothing_is_saved(shop: Runner) -> None:
    shop.run("circuit", "open", "archive")
    listed = json.loads(shop.run("circuit", "list", "-o", "json").stdout)["circuits"]
    assert {one["name"]: one["circuit"]["state"] for one in listed} == {
        "primary": "closed",
        "replica": "closed",
        "archive": "open",
    }
