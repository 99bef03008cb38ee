"""`omnidb status`: what is done before the first check."""

from typing import Any

import pytest

from omnidb_cli.cli import wiring
from omnidb_cli.cli.commands.status.command import check_all
from omnidb_cli.core.health.model import Health, Observation
from tests.cli.runner import Runner
from tests.cli.test_wiring import Fake


def test_what_a_check_needs_is_imported_before_any_clock_runs(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Fake):
        async def check(self) -> Observation:
            assert self.loaded, "the import would count as the server's latency"
            return Observation(latency_s=0.001)

    made: list[Any] = []
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    monkeypatch.setattr(wiring, "open_driver", lambda _target: made.append(Slow()) or made[-1])
    context = shop.context()
    db = check_all(context, context.topology())
    assert set(db.health().values()) == {Health.HEALTHY}
    assert len(made) == 3


def test_what_was_opened_for_the_checks_is_closed_when_they_are_over(
    shop: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Any] = []

    class Closing(Fake):
        async def aclose(self) -> None:
            closed.append(self)

    made: list[Any] = []
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    monkeypatch.setattr(wiring, "open_driver", lambda _target: made.append(Closing()) or made[-1])
    context = shop.context()
    db = check_all(context, context.topology())
    assert closed == made
    assert not db.is_connected
