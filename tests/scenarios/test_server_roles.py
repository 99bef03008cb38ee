"""Servers that are not what they should be: a read-only primary, a promoted replica, one that is behind."""

from tests.scenarios.server_fleet import Fleet
from tests.scenarios.shop import until


def test_a_read_only_primary_is_no_primary(fleet: Fleet) -> None:
    pair = fleet.pair
    pair.make_read_only()
    write = fleet.exec(pair.write)  # nobody has checked it yet: the server itself refuses
    assert (write.code, write.kind, write.connection) == (23, "role", "primary")
    assert fleet.circuit("primary")["failures"] == 0
    status = fleet.check()
    primary = status["primary"]
    assert (status.code, primary["health"], primary["error"]["kind"]) == (10, "unhealthy", "role")
    assert "expected a primary" in primary["error"]["message"]
    assert (primary["circuit"]["state"], primary["route"]["serving"]) == ("open", "replica")
    write = fleet.exec(pair.write)
    assert (write.code, write.connection) == (24, "replica")
    assert (pair.written(pair.primary), pair.written(pair.replica)) == (0, 0)


def test_a_promoted_replica_is_shown_and_written_by_policy_alone(fleet: Fleet) -> None:
    pair = fleet.pair
    fleet.run("circuit", "open", "primary")
    write = fleet.exec(pair.write, "--allow-write-on-backup")  # allowed to try, and the server refuses
    assert (write.code, write.kind, write.connection) == (23, "role", "replica")
    pair.promote()
    status = fleet.check()
    replica = status["replica"]
    assert (status.code, replica["health"], replica["error"]["kind"]) == (10, "degraded", "role")
    assert (replica["role"], replica["circuit"]["state"]) == ({"expected": "replica", "actual": "primary"}, "closed")
    assert status["primary"]["route"]["serving"] == replica["route"]["serving"] == "replica"
    write = fleet.exec(pair.write)
    assert (write.code, write.connection, pair.written(pair.replica)) == (24, "replica", 0)
    assert "--allow-write-on-backup" in write.error["hint"]
    write = fleet.exec(pair.write, "--allow-write-on-backup")
    assert (write.code, write.served_by, pair.written(pair.replica)) == (0, "replica", 1)
    fleet.write(failover="{primary: {to: replica, writes: allow}}")
    write = fleet.exec(pair.write)
    assert (write.code, write.served_by, pair.written(pair.replica)) == (0, "replica", 2)
    assert pair.written(pair.primary) == 0


def test_a_replica_that_is_behind_is_degraded_and_serves(fleet: Fleet) -> None:
    pair = fleet.pair
    fleet.write(keys={"replica": "role: replica, max_lag: 200ms"})
    if pair.can_lag:
        with pair.lagging():
            until(lambda: fleet.check("replica").code == 10, "it is behind")
            replica = fleet.connection("replica", "--last")
            assert (replica["health"], replica["error"]["kind"]) == ("degraded", "lag")
            assert replica["lag_seconds"] > 0.2
    pair.stop_replication()
    status = until(lambda: (found := fleet.check()).code == 10 and found, "it is seen")
    replica = status["replica"]
    assert (replica["health"], replica["error"]["kind"]) == ("degraded", "lag")
    assert " stopped: " in replica["error"]["message"]
    assert (replica["route"]["serving"], status["primary"]["route"]["serving"]) == ("replica", "primary")
    fleet.run("circuit", "open", "primary")
    assert fleet.exec(pair.read).served_by == "replica"
