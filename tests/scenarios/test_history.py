"""The history that real processes share, and what a crowd of them leaves of it."""

import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.shop import CommandLine, Shop
from tests.scenarios.terminal import Terminal
from tests.scenarios.test_clock import HOUR, Clock

CROWD = 1_000
HOME = "\x1b[H"


class Crowd(CommandLine):
    """Many connections that all answer."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "crowd")
        entries = "".join(f'  c{number}: {{url: "sqlite:///one.db"}}\n' for number in range(CROWD))
        self.config.write_text(f"name: crowd\nconnections:\n{entries}")
        sqlite3.connect(folder / "one.db").execute("CREATE TABLE who (name TEXT)").connection.close()

    def watched_six_times(self) -> list[str]:
        """What people did, as the history has it after six short watches."""
        for _ in range(6):
            assert self.code("watch", "--count", "1") in {0, 10}
        return self.events("--type", "circuit:open", "--type", "circuit:close")


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = hard if hard != resource.RLIM_INFINITY and hard < 4 * CROWD else 4 * CROWD
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
    made = Crowd(tmp_path)
    yield made
    made.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_six_watches_push_no_hold_out_of_the_history(crowd: Crowd) -> None:
    crowd.run("circuit", "open", "c7", "--reason", "new disk")
    assert crowd.watched_six_times() == ["circuit:open c7"]
    every = crowd.events()
    assert sum(one.startswith("health:changed") for one in every) == CROWD
    assert not [one for one in every if "connected" in one]


def test_nor_does_a_clock_that_was_set_back_before_them(crowd: Crowd, tmp_path: Path) -> None:
    (tmp_path / "clock").mkdir()
    clock = Clock(crowd, tmp_path / "clock")
    clock.jump(10_000 * HOUR)
    crowd.run("circuit", "open", "c7")
    clock.jump(0.0)
    assert crowd.watched_six_times() == ["circuit:open c7"]
    crowd.run("circuit", "close", "c7")
    assert crowd.events("--type", "circuit:close") == ["circuit:close c7"]


class TwoWatches:
    """Two live screens over one store."""

    def __init__(self, shop: Shop, *intervals: str) -> None:
        self.screens = [Terminal(shop, "watch", "--interval", one, columns=160, lines=40) for one in intervals]
        for screen in self.screens:
            screen.until("all healthy")
            screen.until("next check in")

    def shown(self, event: str) -> list[list[str]]:
        """The lines of that event in the last whole picture of each screen, once both have drawn two more."""
        return [self._lines(screen, event) for screen in self.screens]

    def _lines(self, screen: Terminal, event: str) -> list[str]:
        screen.until(event)
        seen = len(screen.sent)
        for _ in range(3):
            seen = screen.until(HOME, after=seen)
        end = seen - len(HOME)
        whole = screen.plain(screen.sent.rindex(HOME, 0, end), end)
        return [line for line in whole.splitlines() if f" {event} " in line]

    def close(self) -> None:
        for screen in self.screens:
            screen.close()


@pytest.mark.parametrize("intervals", [("100ms", "1h"), ("100ms", "100ms")])
def test_two_watches_show_what_either_saw_once(shop: Shop, intervals: tuple[str, str]) -> None:
    shop.write(breaker="{reset_timeout: 1s, half_open_successes: 1}")
    both = TwoWatches(shop, *intervals)
    shop.take_away("primary")
    for failovers in both.shown("failover"):
        assert len(failovers) == 1
        assert "replica" in failovers[0]
    shop.bring_back("primary")
    for recoveries in both.shown("recovery"):
        assert len(recoveries) == 1
    for opened in both.shown("circuit:open"):
        assert len(opened) == 1
    both.close()
    assert shop.events("--type", "failover", "--type", "recovery") == ["failover primary", "recovery primary"]


def test_a_watch_shows_what_a_person_did(shop: Shop) -> None:
    both = TwoWatches(shop, "1h", "1h")
    shop.run("circuit", "open", "replica", "--reason", "new disk")
    for opened in both.shown("circuit:open"):
        assert len(opened) == 1
        assert "new disk" in opened[0]
    both.close()
