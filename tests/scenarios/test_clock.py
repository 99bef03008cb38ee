"""The wall clock jumps, forwards and back, under saved state and under a watch."""

from pathlib import Path

import pytest

from tests.scenarios.shop import Shop, lines

HOUR = 3600.0
SHIFTED = """\
import pathlib, time
real = time.time
def shifted():
    return real() + float(pathlib.Path({path!r}).read_text() or 0)
time.time = shifted
"""


class Clock:
    """The wall clock of every process that starts from now on; their monotonic clocks go on as they are."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self._offset = folder / "offset"
        self.jump(0.0)
        (folder / "sitecustomize.py").write_text(SHIFTED.format(path=str(self._offset)))
        shop.env["PYTHONPATH"] = str(folder)

    def jump(self, seconds: float) -> None:
        """Sets the clock so far off the true one."""
        new = self._offset.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self._offset)


@pytest.fixture
def clock(shop: Shop, tmp_path: Path) -> Clock:
    (tmp_path / "clock").mkdir()
    return Clock(shop, tmp_path / "clock")


def test_a_verdict_from_the_future_does_not_bind(shop: Shop, clock: Clock) -> None:
    shop.write(breaker="{reset_timeout: 1h, half_open_successes: 1}")
    clock.jump(10 * HOUR)
    shop.take_away("primary")
    shop.run("status")
    shop.bring_back("primary")
    assert shop.object("exec", "primary", "SELECT 1")["served_by"] == "replica"
    clock.jump(0.0)
    assert shop.object("exec", "primary", "SELECT 1")["served_by"] == "primary"


def test_a_hold_ends_neither_early_nor_never(shop: Shop, clock: Clock) -> None:
    clock.jump(10 * HOUR)
    shop.run("circuit", "open", "primary", "--for", "1h")
    clock.jump(0.0)
    assert shop.circuit("primary")["manual"]
    clock.jump(12 * HOUR)
    assert not shop.circuit("primary")["manual"]


def test_a_watch_goes_on_through_it(shop: Shop, clock: Clock) -> None:
    watch = shop.start("watch", "--interval", "50ms", "--until", "primary=unhealthy", "--timeout", "30s")
    seen = lines(watch)
    before = next(seen)["taken_at"]
    clock.jump(10 * HOUR)
    ahead = next(line["taken_at"] for line in seen if line["taken_at"][:13] != before[:13])
    clock.jump(-10 * HOUR)
    next(line for line in seen if line["taken_at"] < before < ahead)
    shop.take_away("primary")
    *_, last = seen
    assert watch.wait() == 0
    assert last["connections"][0]["health"] == "unhealthy"
    assert shop.circuit("primary")["state"] == "open"
