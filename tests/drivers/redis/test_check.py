import pytest

from omnidb_cli.drivers.redis.check import HEARTBEAT_S, Replication, facts_of, replication_of
from omnidb_cli.drivers.redis.errors import ReplyError

_REPLICA = {
    "role": "slave",
    "master_host": "db1",
    "master_port": "6379",
    "master_link_status": "up",
    "master_last_io_seconds_ago": "0",
    "master_sync_in_progress": "0",
    "slave_read_only": "1",
}


def test_a_primary_takes_writes_and_has_no_lag() -> None:
    assert replication_of({"role": "master", "connected_slaves": "1"}) == Replication("primary", True)


def test_a_replica_that_follows_has_none_either() -> None:
    assert replication_of(_REPLICA) == Replication("replica", False, 0.0)


@pytest.mark.parametrize(("silent_s", "lag_s"), [(10, 0.0), (HEARTBEAT_S, 0.0), (HEARTBEAT_S + 1, HEARTBEAT_S + 1.0)])
def test_an_idle_primary_is_no_lag_and_a_silent_one_is(silent_s: int, lag_s: float) -> None:
    assert replication_of({**_REPLICA, "master_last_io_seconds_ago": str(silent_s)}).lag_s == lag_s


def test_a_writable_replica_is_a_replica_that_takes_writes() -> None:
    assert replication_of({**_REPLICA, "slave_read_only": "0"}) == Replication("replica", True, 0.0)


def test_a_link_that_is_down_stands_still_and_says_since_when() -> None:
    seen = replication_of(
        {**_REPLICA, "master_link_status": "down", "master_last_io_seconds_ago": "-1",
         "master_link_down_since_seconds": "42"}
    )  # fmt: skip
    assert seen.lag_s == 42.0
    assert seen.stalled == "replication stopped: the link to its primary db1:6379 has been down for 42s"


def test_a_link_that_never_was_has_no_lag_to_tell() -> None:
    seen = replication_of(
        {**_REPLICA, "master_link_status": "down", "master_last_io_seconds_ago": "-1",
         "master_link_down_since_seconds": "-1"}
    )  # fmt: skip
    assert seen.lag_s is None
    assert seen.stalled == "replication stopped: it has had no link to its primary db1:6379 since it started"


def test_a_copy_under_way_is_told_from_a_broken_link() -> None:
    seen = replication_of({**_REPLICA, "master_link_status": "down", "master_sync_in_progress": "1"})
    assert seen.stalled == "replication stopped: it is copying all data from its primary db1:6379"


@pytest.mark.parametrize("facts", [{}, {"role": "sentinel"}, {"role": ""}])
def test_what_is_not_said_is_not_guessed(facts: dict[str, str]) -> None:
    assert replication_of(facts) == Replication()


def test_a_replica_that_says_little_is_unknown_in_the_rest() -> None:
    assert replication_of({"role": "slave"}) == Replication("replica")


def test_facts_are_read_from_an_info_and_from_a_hello() -> None:
    assert facts_of(b"# Replication\r\nrole:slave\r\nmaster_host:::1\r\n\r\n") == {
        "role": "slave",
        "master_host": "::1",
    }
    assert facts_of({b"version": b"7.2.4", b"proto": 3}) == {"version": "7.2.4"}
    assert facts_of(ReplyError("refused")) == {}
