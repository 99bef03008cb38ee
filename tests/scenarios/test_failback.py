"""Who serves after a primary has recovered: `failback` as policy and as an act, across processes."""

from tests.scenarios.shop import Shop


def serving(shop: Shop) -> str:
    route = shop.object("status", "primary")["connections"][0]["route"]
    assert route["failover"] is (route["serving"] != "primary")
    found: str = route["serving"]
    return found


def test_with_manual_the_backup_serves_until_somebody_says_otherwise_for_everybody(shop: Shop) -> None:
    shop.write(failover="{primary: {to: [replica], failback: manual}}")
    shop.take_away("primary")
    assert serving(shop) == "replica"
    refused = shop.run("failback", "primary")
    assert (refused.returncode, refused.stdout) == (32, "")
    assert '"primary" cannot serve again yet: unhealthy' in refused.stderr
    shop.bring_back("primary")
    assert [serving(shop) for _ in range(3)] == ["replica"] * 3
    assert shop.connection("primary", "--last")["health"] == "healthy"
    assert shop.object("exec", "primary", "SELECT 1")["served_by"] == "replica"
    assert shop.object("failback", "primary")["serving"] == "primary"
    assert serving(shop) == "primary"
    assert shop.object("exec", "primary", "SELECT 1")["served_by"] == "primary"
    assert shop.events("--type", "recovery") == ["recovery primary"]


def test_with_manual_a_hold_that_ends_does_not_move_the_service_back(shop: Shop) -> None:
    shop.write(failover="{primary: {to: [replica], failback: manual}}")
    shop.run("circuit", "open", "primary")
    assert serving(shop) == "replica"
    shop.run("circuit", "close", "primary")
    assert serving(shop) == "replica"
    assert shop.code("failback", "primary") == 0
    assert serving(shop) == "primary"


def test_with_failback_after_it_waits_that_long_in_whichever_process(shop: Shop) -> None:
    shop.write(failover="{primary: {to: [replica], failback_after: 1h}}")
    shop.run("circuit", "open", "primary")
    assert serving(shop) == "replica"
    shop.run("circuit", "close", "primary")
    assert [serving(shop) for _ in range(2)] == ["replica"] * 2
    shop.write(failover="{primary: {to: [replica], failback_after: 1ms}}")
    assert serving(shop) == "primary"


def test_failback_of_what_serves_itself_is_done_already(shop: Shop) -> None:
    assert shop.code("failback", "primary") == 0
    assert not shop.state.exists()
