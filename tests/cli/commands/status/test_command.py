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


@pytest.mark.parametrize(("form", "says_it_itself"), [("table", True), ("json", False), ("csv", False)])
def test_what_goes_before_all_is_said_beside_every_format(shop: Runner, form: str, says_it_itself: bool) -> None:
    nowhere = "".join(f"  r{host}: {{url: 'redis://127.0.0.{host}:1'}}\n" for host in (1, 2, 3))
    shop.write(text=f"name: shop\nconnections:\n{nowhere}")
    ended = shop.run("status", "-o", form)
    assert ended.exit_code == 12
    assert ("may be isolated" in ended.stdout) is says_it_itself
    assert ("may be isolated" in ended.stderr) is not says_it_itself


def test_an_account_that_may_do_too_much_is_told_of(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mighty(Fake):
        async def check(self) -> Observation:
            return Observation(latency_s=0.001, powers="its account has FILE")

    monkeypatch.setattr(wiring, "open_driver", lambda target: Mighty() if target.name == "primary" else Fake())
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    done = shop.run("status")
    assert done.stderr.count("its account has FILE, which no read-only transaction holds back") == 1
    assert "primary" in done.stderr
    assert "FILE" not in shop.run("status", "--last").stderr
