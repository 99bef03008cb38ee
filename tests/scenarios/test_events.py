"""The history as a person asks for it: between two times, the newest, and as it goes on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.scenarios.shop import Shop, lines

ACTS = ("--type", "circuit:open", "--type", "circuit:close")


@pytest.fixture
def holds(shop: Shop) -> list[dict[str, Any]]:
    """Four manual acts, as they are in the history."""
    for name in ("primary", "replica"):
        assert shop.code("circuit", "open", name) == 0
        assert shop.code("circuit", "close", name) == 0
    found: list[dict[str, Any]] = shop.object("events", *ACTS)["events"]
    assert [one["type"] for one in found] == ["circuit:open", "circuit:close"] * 2
    return found


def shown(shop: Shop, *words: str) -> list[int]:
    return [one["id"] for one in shop.object("events", *ACTS, *words)["events"]]


def test_between_two_times(shop: Shop, holds: list[dict[str, Any]]) -> None:
    ids, times = [one["id"] for one in holds], [one["at"] for one in holds]
    assert shown(shop, "--since", times[1]) == ids[1:]
    assert shown(shop, "--until", times[1]) == ids[:2]
    assert shown(shop, "--since", times[1].replace("T", " ").rstrip("Z"), "--until", times[2]) == ids[1:3]
    assert shown(shop, "--since", "1h30m") == shown(shop, "--since", "520w") == ids
    assert shown(shop, "--until", "1h") == shown(shop, "--since", "2100-01-01") == []
    assert shown(shop, "--since", f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}") == ids


def test_the_newest_oldest_first(shop: Shop, holds: list[dict[str, Any]]) -> None:
    ids = [one["id"] for one in holds]
    assert shown(shop, "-n", "2") == ids[-2:]
    assert shown(shop, "--limit", "2", "--until", holds[2]["at"]) == ids[1:3]
    assert shown(shop, "-n", "99") == ids


def following(shop: Shop, *words: str) -> Iterator[dict[str, Any]]:
    return lines(shop.start("events", "--follow", "-o", "jsonl", *ACTS, *words))


def test_the_newest_and_then_what_comes(shop: Shop, holds: list[dict[str, Any]]) -> None:
    heard = following(shop, "-n", "1")
    assert next(heard)["id"] == holds[-1]["id"]
    assert shop.code("circuit", "open", "archive") == 0
    assert shop.code("circuit", "close", "archive") == 0
    assert [next(heard)["type"] for _ in range(2)] == ["circuit:open", "circuit:close"]


def reset(shop: Shop) -> None:
    assert shop.code("state", "reset") == 0


def remove(shop: Shop) -> None:
    for file in shop.state.parent.iterdir():
        file.unlink()


def replace(shop: Shop) -> None:
    """Another file comes into the place at once, with a history of its own that numbers from 1."""
    other = shop.folder / "other.db"
    assert shop.code("circuit", "open", "replica", "--state", f"sqlite:///{other}") == 0
    for journal in ("-wal", "-shm"):
        (shop.state.parent / f"{shop.state.name}{journal}").unlink(missing_ok=True)
    other.rename(shop.state)


@pytest.mark.usefixtures("holds")
@pytest.mark.parametrize("change", [reset, remove, replace])
def test_it_is_followed_over_a_history_that_begins_anew(shop: Shop, change: Any) -> None:
    heard = following(shop)
    assert [next(heard)["name"] for _ in range(4)] == ["primary", "primary", "replica", "replica"]
    change(shop)
    if change is replace:
        assert next(heard)["name"] == "replica"
    for name in ("archive", "primary"):
        assert shop.code("circuit", "open", name, "--force") == 0
        assert next(heard)["name"] == name
    assert all(process.poll() is None for process in shop._running)
