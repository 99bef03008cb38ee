"""Servers that answer and do not let omnidb in."""

from tests.scenarios.server_fleet import Fleet


def test_who_is_not_let_in_is_replaced_and_told_why(fleet: Fleet) -> None:
    pair = fleet.pair
    wrong = {
        "primary": ("auth", pair.wrong_password(pair.primary)),
        "no-database": ("not-found", pair.missing_database(pair.primary)),
        "wrong-authority": ("tls", pair.wrong_authority()),
        "no-tls": (pair.kind_of_no_tls, pair.tls_refused()),
        "without-tls": (pair.kind_without_tls, pair.tls_missing()),
    }
    fleet.write(more={name: url for name, (_, url) in wrong.items()}, timeout="600ms")
    read = fleet.exec(pair.read)
    assert (read.code, read.served_by, read.rows) == (0, "replica", pair.rows_after(0))
    assert fleet.circuit("primary")["reason"] == "health-check-failed"
    status = fleet.check()
    assert status.code == 10
    for name, (kind, _) in wrong.items():
        one = status[name]
        assert (one["health"], one["error"]["kind"]) == ("unhealthy", kind), one["error"]
        assert (one["circuit"]["state"], one["route"]["serving"]) == ("open", "replica"), name
        assert one["error"]["message"] in one["route"]["reason"]
    history = fleet.object("events", "--type", "health:changed", "--name", "primary")["events"]
    assert [one["detail"]["kind"] for one in history] == ["auth"]
    fleet.forget()
    alone = fleet.exec(pair.read, "--no-failover")
    assert (alone.code, alone.kind, alone.connection) == (22, "auth", "primary")
    assert "check the user and the password" in alone.error["hint"]
    assert fleet.exec(pair.read, "--no-failover").code == 20


def test_connections_that_are_used_up(fleet: Fleet) -> None:
    pair = fleet.pair
    with pair.exhausted(pair.primary):
        read = fleet.exec(pair.read)
        assert (read.code, read.served_by, read.rows) == (0, "replica", pair.rows_after(0))
        primary = fleet.check()["primary"]
    assert (primary["health"], primary["error"]["kind"]) == ("unhealthy", "capacity")
    assert (primary["circuit"]["state"], primary["route"]["serving"]) == ("open", "replica")
    assert fleet.check()["primary"]["health"] == "healthy"
