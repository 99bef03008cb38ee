"""`omnidb status`: what is done before the first check."""

from typing import Any

import pytest

from omnidb_cli.cli import compose
from omnidb_cli.cli.commands.status import check_all
from omnidb_cli.core.health import Answer, Health
from tests.cli.runner import Runner
from tests.cli.test_compose import Fake


def test_what_a_check_needs_is_imported_before_any_clock_runs(shop: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Fake):
        async def check(self) -> Answer:
            assert self.loaded, "the import would count as the server's latency"
            return Answer(latency_s=0.001)

    made: list[Any] = []
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    monkeypatch.setattr(compose, "open_driver", lambda _target: made.append(Slow()) or made[-1])
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
    monkeypatch.setattr(compose, "open_driver", lambda _target: made.append(Closing()) or made[-1])
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
