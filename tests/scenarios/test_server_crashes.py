"""Servers that die, hang and come back, and what commands make of it that are run one after the other."""

from tests.scenarios.server_fleet import Fleet
from tests.scenarios.shop import until

NOTICED = ["health:changed primary", "circuit:open primary", "failover primary"]
HEALED = ["health:changed primary", "circuit:half-open primary", "circuit:close primary", "recovery primary"]


def test_a_killed_primary_is_shown_explained_and_routed_around_until_it_is_back(fleet: Fleet) -> None:
    pair = fleet.pair
    pair.primary.kill()
    status = fleet.check()
    primary = status["primary"]
    assert (status.code, primary["health"], primary["error"]["kind"]) == (10, "unhealthy", "refused")
    assert (primary["circuit"]["state"], primary["circuit"]["reason"]) == ("open", "health-check-failed")
    assert (primary["route"]["serving"], primary["route"]["failover"]) == ("replica", True)
    assert "connection refused" in primary["route"]["reason"]
    read = fleet.exec(pair.read)
    assert (read.code, read.served_by, read.rows) == (0, "replica", pair.rows_after(0))
    assert (read.receipt["served_by"], read.receipt["failover"]) == ("replica", True)
    assert read.receipt["reason"] == primary["route"]["reason"]
    alone = fleet.exec(pair.read, "--no-failover")
    assert (alone.code, alone.connection) == (20, "primary")
    assert fleet.events("--name", "primary") == NOTICED
    pair.start(pair.primary)
    first, second = fleet.check(), fleet.check()
    assert (first.code, first["primary"]["circuit"]["state"], first["primary"]["health"]) == (
        10,
        "half-open",
        "healthy",
    )
    assert (second["primary"]["circuit"]["state"], second["primary"]["route"]["serving"]) == ("closed", "primary")
    assert fleet.events("--name", "primary") == NOTICED + HEALED


def test_exec_finds_out_by_itself_and_others_learn_of_it(fleet: Fleet) -> None:
    pair = fleet.pair
    fleet.write(breaker="{threshold: 1, reset_timeout: 30s}")
    rejected = fleet.exec(pair.rejected)  # which says nothing against the server
    assert (rejected.code, rejected.kind, rejected.connection) == (23, "statement", "primary")
    pair.primary.restart()  # between two commands: nothing to notice
    assert fleet.exec(pair.write).served_by == "primary"
    pair.catch_up()
    pair.primary.kill()
    write = fleet.exec(pair.write)  # nothing had been sent when the primary refused, so the backup may be asked
    assert (write.code, write.kind, write.connection) == (24, "statement", "replica")
    assert pair.written(pair.replica) == 1
    assert fleet.events("--name", "primary") == NOTICED
    fleet.forget()
    alone = fleet.exec(pair.read, "--no-failover")
    assert (alone.code, alone.kind, alone.connection) == (21, "refused", "primary")


def test_a_hung_primary_and_then_both(fleet: Fleet) -> None:
    pair = fleet.pair
    fleet.write(timeout="500ms")
    pair.primary.hang()
    impatient = fleet.exec(pair.read, "--timeout", "200ms")  # less than a check has: it proves nothing to anybody
    assert (impatient.code, impatient.kind, impatient.connection) == (21, "timeout", "primary")
    assert "nothing was sent" in impatient.message
    assert fleet.events() == []
    read = fleet.exec(pair.read)
    assert (read.code, read.served_by, read.rows) == (0, "replica", pair.rows_after(0))
    primary = fleet.connection("primary", "--last")
    assert (primary["health"], primary["error"]["kind"]) == ("unhealthy", "timeout")
    assert (primary["circuit"]["state"], primary["route"]["serving"]) == ("open", "replica")
    pair.replica.hang()
    fleet.forget()
    read = fleet.exec(pair.read)
    assert (read.code, read.kind, read.connection) == (21, "timeout", "replica")
    assert fleet.exec(pair.read).code == 20
    for server in (pair.primary, pair.replica):
        server.resume()
        until(lambda server=server: pair.clients(server) == 0, "no connection is left behind")  # type: ignore[misc]


def test_six_that_hang_at_once(every_pair: Fleet) -> None:
    for pair in every_pair.pairs:
        pair.primary.hang()
        pair.replica.hang()
    status = every_pair.check()
    assert (status.code, len(status.connections)) == (11, 6)
    for one in status.connections.values():
        assert (one["error"]["kind"], one["route"]["serving"]) == ("timeout", None), one
