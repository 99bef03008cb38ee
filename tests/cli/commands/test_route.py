"""`omnidb route`: what it rests on, and what it prints for programs."""

import json

from tests.cli.runner import Runner


def reasons(shop: Runner, *options: str) -> dict[str, str]:
    found = json.loads(shop.run("route", "primary", "-o", "json", *options).stdout)
    return {one["name"]: one["reason"] for one in found["candidates"]}


def test_without_evidence_a_saved_route_is_not_vouched_for(shop: Runner) -> None:
    ended = shop.run("route", "primary", "--last")
    assert ended.exit_code == 12
    assert "primary" in ended.stderr
    assert all(reason.endswith("(never checked)") for reason in reasons(shop, "--last").values())


def test_a_saved_route_rests_on_those_up_to_the_one_that_serves(shop: Runner) -> None:
    shop.write(failover="{}")
    assert shop.run("status", "primary").exit_code == 0
    shop.write(failover="{primary: [replica]}")
    assert shop.run("route", "primary", "--last").exit_code == 0
    shop.shop.take_away("primary")
    shop.write(failover="{}")
    assert shop.run("status", "primary").exit_code == 11
    shop.write(failover="{primary: [replica]}")
    ended = shop.run("route", "primary", "--last")
    assert ended.exit_code == 12, "it rests on the backup too, which was never checked"


def test_saved_verdicts_come_with_their_age_and_fresh_ones_do_not(shop: Runner) -> None:
    assert all("checked" not in reason for reason in reasons(shop).values())
    assert all("(checked " in reason for reason in reasons(shop, "--last").values())


def test_for_programs_it_prints_whoever_serves_or_nothing(shop: Runner) -> None:
    assert shop.run("route", "primary", "-o", "name").stdout == "primary\n"
    shop.shop.take_away("primary")
    assert shop.run("route", "primary", "-o", "name").stdout == "replica\n"
    assert shop.run("route", "primary", "-o", "url").stdout == "sqlite:///replica.db\n"
    shop.shop.take_away("replica", "archive")
    ended = shop.run("route", "primary", "-o", "url")
    assert (ended.exit_code, ended.stdout) == (11, "")
