"""`omnidb exec`: whose verdicts a refusal gives, and whose fault it is when time runs out."""

import asyncio
import json
from typing import Any

import pytest

from omnidb_cli.cli import compose
from omnidb_cli.errors import ConnectError, ErrorKind
from tests.cli.runner import Runner
from tests.cli.test_compose import Fake


def test_without_failover_a_refusal_gives_the_verdict_of_that_one_alone(shop: Runner) -> None:
    shop.run("circuit", "open", "primary", "replica", "archive", "--reason", "mains", "--force")
    whole = shop.run("exec", "primary", "SELECT 1")
    alone = shop.run("exec", "primary", "SELECT 1", "--no-failover")
    assert (whole.exit_code, alone.exit_code) == (20, 20)
    assert all(name in whole.stderr for name in ("primary", "replica", "archive"))
    assert "primary" in alone.stderr
    assert not any(name in alone.stderr for name in ("replica", "archive"))


class Unreachable(Fake):
    """A server that refuses connections, or does not answer."""

    def __init__(self, trouble: Exception | None) -> None:
        super().__init__()
        self.trouble = trouble

    async def connect(self, *, read_only: bool, timeout_s: float) -> Any:
        if self.trouble is not None:
            raise self.trouble
        await asyncio.Event().wait()


REFUSED = ConnectError("refused", kind=ErrorKind.REFUSED)


@pytest.mark.parametrize(
    ("trouble", "check_limit", "order_limit", "counts"),
    [
        (None, "100ms", "20s", True),
        (None, "20s", "100ms", False),
        (REFUSED, "20s", "10s", True),
        (REFUSED, "1s", "10s", True),
    ],
    ids=["a check's time is up", "the order's time is up", "refused, little time left", "refused, much time left"],
)
def test_a_server_is_blamed_for_a_connect_that_fails_unless_the_orders_own_time_ran_out(
    shop: Runner,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception | None,
    check_limit: str,
    order_limit: str,
    *,
    counts: bool,
) -> None:
    text = shop.config.read_text().replace("timeout: 20s", f"timeout: {check_limit}")
    shop.config.write_text(text)
    monkeypatch.setattr(compose, "open_driver", lambda _target: Unreachable(trouble))
    ended = shop.run("exec", "primary", "SELECT 1", "--no-failover", "--timeout", order_limit)
    assert ended.exit_code == 21
    assert ("--timeout" in ended.stderr) is not counts
    saved = json.loads(shop.run("status", "--last", "primary", "-o", "json").stdout)
    assert saved["connections"][0]["health"] == ("unhealthy" if counts else "unknown")
