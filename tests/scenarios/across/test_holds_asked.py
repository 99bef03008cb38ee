"""Holds that people ask for while others hold, or serve, the same connections (semantics, Circuit 10, Failover 10)."""

from pathlib import Path

import pytest

from tests.scenarios.across.ground import PAIR, Ground, Host, locked, waits_for

ANN, BOB = Host.called("ann-laptop"), Host.called("bob-laptop")


@pytest.fixture
def shop(shop: Ground, host: Host) -> Ground:
    return shop


def open_(shop: Ground, *options: str, env: dict[str, str] = ANN) -> int:
    return shop.run("circuit", "open", *options, env=env).returncode


def test_ones_own_longer_hold_lasts_longer_and_is_told_as_a_change(shop: Ground) -> None:
    assert open_(shop, "primary", "--for", "1h") == 0
    first = shop.saved("primary")
    assert open_(shop, "primary", "--for", "2h") == 0
    second = shop.saved("primary")
    assert second["held_until"] > first["held_until"] + 3000
    assert (second["opened_at"], second["actor"]) == (first["opened_at"], first["actor"])
    assert shop.circuits() == ["circuit:open manual", "failover", "hold:changed"]


@pytest.mark.parametrize("held_for", [("--for", "2h"), ()], ids=["for two hours", "until closed"])
def test_ones_own_shorter_hold_is_already_so(shop: Ground, held_for: tuple[str, ...]) -> None:
    open_(shop, "primary", *held_for)
    before = shop.row("primary")
    assert open_(shop, "primary", "--for", "1h") == 0
    assert shop.row("primary") == before
    assert open_(shop, "primary", "--for", "1h", "--replace") == 0
    assert shop.saved("primary")["hold_s"] == 3600


def test_another_persons_hold_is_taken_over_only_on_purpose(shop: Ground) -> None:
    open_(shop, "primary", "--for", "1h", "--reason", "new disk")
    before = shop.row("primary")
    for options in ((), ("--for", "1m"), ("--for", "5h"), ("--force",)):
        assert open_(shop, "primary", *options, env=BOB) == 32
        assert shop.row("primary") == before
    assert open_(shop, "primary", "--replace", env=BOB) == 0
    after = shop.saved("primary")
    assert after["actor"].endswith("@bob-laptop")
    assert shop.circuits() == ["circuit:open manual", "failover", "hold:changed"]


def test_a_hold_that_is_over_is_nobodys(shop: Ground) -> None:
    open_(shop, "primary", "--for", "200ms")
    shop.outlast("primary")
    assert open_(shop, "primary", "--for", "1h", env=BOB) == 0
    assert shop.saved("primary")["actor"].endswith("@bob-laptop")


def test_one_refusal_holds_none_of_them(shop: Ground) -> None:
    open_(shop, "archive")
    assert open_(shop, "primary", "archive", env=BOB) == 32
    assert not shop.circuit("primary")["manual"]


@pytest.mark.parametrize("names", [("primary",), ("primary", "replica"), ("replica",)])
def test_the_last_one_that_serves_is_held_only_by_force(shop: Ground, names: tuple[str, ...]) -> None:
    shop.write(failover=PAIR)
    shop.run("status")
    shop.take_away("replica" if names == ("primary",) else "primary")
    shop.run("status")
    if names == ("primary", "replica"):
        shop.bring_back("primary")
        shop.statuses(2)
    assert open_(shop, *names) == 32
    assert [shop.circuit(name)["manual"] for name in names] == [False] * len(names)
    assert open_(shop, *names, "--force") == 0
    assert [shop.circuit(name)["manual"] for name in names] == [True] * len(names)


def test_what_was_never_checked_counts_as_somebody_who_serves(shop: Ground) -> None:
    assert open_(shop, "primary") == 0
    assert open_(shop, "replica") == 0
    assert open_(shop, "archive") == 32


def test_two_people_at_once_and_one_of_them_is_told_no(shop: Ground) -> None:
    shop.run("status")
    with locked(shop.state, "IMMEDIATE"):  # both have read that nobody holds it; neither has written
        both = [shop.start("circuit", "open", "primary", env=env) for env in (ANN, BOB)]
        for process in both:
            waits_for(process, Path(f"{shop.state}-wal"))
    for process in both:
        process.communicate()
    assert sorted(process.returncode for process in both) == [0, 32]
    winner = both[0] if both[0].returncode == 0 else both[1]
    whose = "@ann-laptop" if winner is both[0] else "@bob-laptop"
    assert shop.saved("primary")["actor"].endswith(whose)
    assert shop.circuits() == ["circuit:open manual", "failover"]
