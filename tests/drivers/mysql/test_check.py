"""What a server's own words about its replication mean; MySQL and MariaDB name them differently."""

import pytest

from omnidb_cli.drivers.mysql.check import ServerState, answer, status_statement
from tests.drivers.mysql_rows import MARIADB, MYSQL, OLD_MYSQL, FakeWire, Row


def judged(*sources: Row, read_only: bool = True) -> tuple[object, ...]:
    found = answer(ServerState(read_only, sources), latency_s=0.1, version="8.4.0")
    return found.role, found.lag_s, found.stalled


@pytest.mark.parametrize("names", [MARIADB, MYSQL])
def test_a_running_replica(names: Row) -> None:
    assert judged(names) == ("replica", 3.0, None)
    assert judged(names, read_only=False) == ("primary", 3.0, None)


def test_nothing_is_guessed() -> None:
    assert judged() == (None, None, None)
    unknown = answer(ServerState(read_only=True, sources=None), latency_s=0.1, version="x")
    assert (unknown.role, unknown.writable, unknown.lag_s) == (None, False, None)


def test_of_several_sources_the_worst_counts() -> None:
    behind = {**MARIADB, "Seconds_Behind_Master": "7"}
    lost = {**MARIADB, "Slave_IO_Running": "Connecting", "Seconds_Behind_Master": None, "Last_IO_Error": "no  \n route"}
    assert judged(MARIADB, behind)[1] == 7.0
    _, lag_s, stalled = judged(MARIADB, lost)
    assert lag_s is None
    assert stalled == "replication from db1:3306 stopped: the I/O thread has no connection (no route)"


def test_a_long_error_is_cut() -> None:
    broken = {**MYSQL, "Replica_SQL_Running": "No", "Last_SQL_Error": "x" * 5000}
    stalled = str(judged(broken)[2])
    assert "the SQL thread is stopped (xxx" in stalled
    assert len(stalled) < 500


@pytest.mark.parametrize(
    ("version", "statement"),
    [
        ("10.11.6-MariaDB", "SHOW ALL SLAVES STATUS"),
        ("8.4.0", "SHOW REPLICA STATUS"),
        ("8.0.22-13", "SHOW REPLICA STATUS"),
        (OLD_MYSQL, "SHOW SLAVE STATUS"),
    ],
)
def test_how_a_server_is_asked(version: str, statement: str) -> None:
    assert status_statement(FakeWire(version)) == statement  # type: ignore[arg-type]
