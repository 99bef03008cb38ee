"""What a live screen shows before the first checks are over."""

import asyncio
import gc
from typing import Any

import pytest

from omnidb_cli.cli import wiring
from omnidb_cli.cli.commands.watch.displays import Shown
from omnidb_cli.cli.commands.watch.run import WatchOptions, watch_until_done
from omnidb_cli.cli.errors import ExitCode
from omnidb_cli.core.health.model import Health, Observation
from tests.cli.runner import Runner
from tests.cli.test_wiring import Fake


class Slow(Fake):
    """A server that takes a moment to answer."""

    async def check(self) -> Observation:
        await asyncio.sleep(0.2)
        return Observation(latency_s=0.2)


class Frames:
    """A screen that keeps what it was given to show."""

    is_alive = True

    def __init__(self) -> None:
        self.healths: list[set[Health]] = []

    def show(self, shown: Shown) -> None:
        self.healths.append({one.health for one in shown.snapshot.connections})

    def __getattr__(self, name: str) -> Any:
        return lambda *_given, **_more: None


async def test_a_screen_is_there_before_the_first_check_is_over(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    monkeypatch.setattr(wiring, "open_driver", lambda _target: Slow())
    context, frames = shop.context(), Frames()
    code = await watch_until_done(context, context.topology(), WatchOptions(rounds=1), frames, None)  # type: ignore[arg-type]
    assert code is ExitCode.DONE
    assert (frames.healths[0], frames.healths[-1]) == ({Health.UNKNOWN}, {Health.HEALTHY})


def test_a_watch_collects_garbage_as_usual(shop: Runner) -> None:
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        assert shop.run("watch", "--count", "1", "-o", "json").exit_code == 0
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
