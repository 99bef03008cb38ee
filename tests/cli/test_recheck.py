"""Which verdicts are due for another check before a candidate is passed over."""

from datetime import timedelta
from time import monotonic, time
from typing import Any

import pytest

from omnidb_cli import drivers
from omnidb_cli.cli.recheck import check_again
from omnidb_cli.cli.rules import settings_of
from omnidb_cli.cli.wiring import orchestrator
from omnidb_cli.core.circuit.model import Hold, Instant
from omnidb_cli.core.health.model import CheckResult, Health
from omnidb_cli.core.orchestrator import Orchestrator
from omnidb_cli.core.reducer import CheckCompleted, ConnectionState, HoldRequested, reduce
from omnidb_cli.state import store
from omnidb_cli.topology import Topology, parse
from tests.cli.test_wiring import Fake

DOWN = CheckResult(Health.UNHEALTHY, kind="refused", detail="refused")
TEXT = """
name: t
connections: {{a: {{url: "sqlite:///a.db"}}, b: {{url: "sqlite:///b.db"}}, c: {{url: "sqlite:///c.db"}}}}
failover: {{a: [b, c]}}
circuit_breaker: {breaker}
"""

OFF, TEN_SECONDS = "false", "{reset_timeout: 10s, half_open_successes: 1}"


class Shop:
    """Three databases that answer well now, and what is saved of them."""

    def __init__(self, breaker: str = TEN_SECONDS) -> None:
        self.topology: Topology = parse(TEXT.format(breaker=breaker), engines=drivers, stores=store)
        self.drivers = {name: Fake() for name in "abc"}
        self.db: Orchestrator = orchestrator(self.topology, self.drivers)  # type: ignore[arg-type]
        self.settings = settings_of(self.topology)

    def saved(self, name: str, *, age_s: float, given: Any = None) -> None:
        """Has `name` restored as it was left so long ago: by a failed check, or by what is `given`."""
        at = Instant(monotonic() - age_s, time() - age_s)
        self.db.restore(name, reduce(ConnectionState(), given or CheckCompleted(DOWN), at, self.settings[name]).memory)

    async def checked(self, *, alone: bool = False) -> str:
        """Who was checked again on the way to whoever serves `a`."""
        await self.db.connect(check=False, keep_checking=False)
        try:
            await check_again(self.db, "a", self.topology, alone=alone)
        finally:
            await self.db.disconnect()
        return "".join(name for name, driver in self.drivers.items() if driver.checks)


@pytest.mark.parametrize(
    ("breaker", "age_s", "checked"),
    [
        (TEN_SECONDS, 0, ""),
        (TEN_SECONDS, 9, ""),
        (TEN_SECONDS, 11, "a"),
        (TEN_SECONDS, -60, "a"),
        (OFF, 29, ""),
        (OFF, 31, "a"),
    ],
    ids=[
        "just now",
        "fresh",
        "older than the reset timeout",
        "from the future",
        "circuits off: fresh",
        "circuits off: 30 s old",
    ],
)
async def test_a_failed_check_binds_for_the_reset_timeout_or_30_s_with_circuits_off(
    breaker: str, age_s: float, checked: str
) -> None:
    shop = Shop(breaker)
    shop.saved("a", age_s=age_s)
    assert await shop.checked() == checked
    assert shop.db.health()["a"] is (Health.HEALTHY if checked else Health.UNHEALTHY)


async def test_nobody_is_checked_where_the_connection_itself_may_serve_or_never_was_checked() -> None:
    assert await Shop().checked() == ""


async def test_all_who_would_be_passed_over_are_checked_in_order_and_those_behind_are_not() -> None:
    shop = Shop()
    for name in "abc":
        shop.saved(name, age_s=60)
    shop.drivers["a"].trouble = OSError("gone")
    assert await shop.checked() == "ab"
    assert (shop.db.health()["a"], shop.db.health()["b"]) == (Health.UNHEALTHY, Health.HEALTHY)
    assert shop.drivers["a"].checks == 1


async def test_without_failover_only_the_connection_itself_is_checked() -> None:
    shop = Shop()
    for name in "abc":
        shop.saved(name, age_s=60)
    shop.drivers["a"].trouble = OSError("gone")
    assert await shop.checked(alone=True) == "a"


@pytest.mark.parametrize("hold_s", [None, 3600.0])
async def test_a_hold_that_lasts_is_not_questioned(hold_s: float | None) -> None:
    shop = Shop()
    shop.saved("a", age_s=60, given=HoldRequested(Hold(hold_s, None, "me")))
    assert await shop.checked() == ""


async def test_the_age_counts_from_when_the_check_answered() -> None:
    shop = Shop()
    shop.saved("a", age_s=20)
    [a, *_] = shop.db.snapshot().connections
    assert a.checked_at is not None
    assert timedelta(seconds=19) < shop.db.snapshot().taken_at - a.checked_at < timedelta(seconds=40)
