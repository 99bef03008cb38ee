"""`watch` over servers: what breaks is noticed as it breaks, and few connections are enough for it."""

import itertools
import json
import signal
from collections.abc import Callable, Iterator
from threading import Timer
from typing import Any

import pytest

from tests.scenarios.server_fleet import Fleet
from tests.scenarios.server_mariadb import Mariadb
from tests.scenarios.server_pairs import ServerPair
from tests.scenarios.server_postgres import Postgres
from tests.scenarios.server_redis import Redis
from tests.scenarios.shop import PATIENCE_S, until
from tests.servers.base import Server
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

NO_CHECK_IN_BETWEEN = ("--interval", "60s")
"""Longer than any watch here lives: what is noticed has not waited for it."""

OFTEN = ("--interval", "200ms")
Line = dict[str, dict[str, Any]]


class Watch:
    """A running `watch`; a test that waits in vain ends with it."""

    def __init__(self, fleet: Fleet, *options: str) -> None:
        self._fleet = fleet
        self._process = fleet.start("watch", "-o", "json", *options)
        self._limit = Timer(PATIENCE_S, self._process.kill)
        self._limit.start()
        next(self)

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        """The connections of the next line, by name."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise StopIteration
        return {one["name"]: one for one in json.loads(line)["connections"]}

    def until(self, holds: Callable[[Line], bool], what: str) -> Line:
        """The first line of which it holds."""
        for line in self:
            if holds(line):
                return line
        raise AssertionError(f"never shown: {what}")

    def ended(self, by: signal.Signals | None = None) -> int:
        """How it ends, by a signal or by itself; it has said nothing but its lines."""
        if by is not None:
            self._process.send_signal(by)
        ended = self._fleet.ended(self._process)
        assert ended.stderr == ""
        return ended.returncode

    def close(self) -> None:
        self._limit.cancel()
        self._limit.join()


@pytest.fixture
def watch(fleet: Fleet) -> Iterator[Callable[..., Watch]]:
    """Starts one, and returns it after its first line."""
    started: list[Watch] = []

    def start(*options: str) -> Watch:
        started.append(Watch(fleet, *options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def fails_over(line: Line) -> bool:
    return bool(line["primary"]["route"]["serving"] == "replica")


def all_is_well(line: Line) -> bool:
    return all(
        (one["health"], one["circuit"]["state"], one["route"]["serving"]) == ("healthy", "closed", name)
        for name, one in line.items()
    )


def connections(server: Server) -> set[str]:
    """The server's own numbers of the connections that omnidb has to it."""
    match server:
        case PostgresServer():
            return set(server.sql(f"SELECT pid FROM pg_stat_activity WHERE usename = '{Postgres.user}'").split())
        case MariaDB():
            return set(
                server.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{Mariadb.user}'").split()
            )
        case RedisServer():
            return {one["id"] for one in server.clients(Redis.user)}
    raise AssertionError(f"nobody knows how to ask {server.name}")


def break_connections(server: Server) -> None:
    """Ends them as an administrator does; the server is as well as before."""
    for number in connections(server):
        match server:
            case PostgresServer():
                server.sql(f"SELECT pg_terminate_backend({number})")
            case MariaDB():
                server.sql(f"KILL {number}")
            case RedisServer():
                server.ask("CLIENT", "KILL", "ID", number)


def test_a_killed_primary_is_noticed_at_once_and_its_return_by_the_next_check(
    fleet: Fleet, watch: Callable[..., Watch]
) -> None:
    pair = fleet.pair
    stays, waits = watch(*NO_CHECK_IN_BETWEEN), watch(*NO_CHECK_IN_BETWEEN, "--until", "failover")
    pair.primary.kill()
    down = stays.until(fails_over, "the failover")["primary"]
    assert (down["health"], down["circuit"]["state"]) == ("unhealthy", "open")
    assert down["error"]["kind"] in {"refused", "reset"}  # so soon that it may still be dying
    assert waits.ended() == 0
    until(lambda: "failover primary" in fleet.events(), "the history has it")
    waits = watch(*OFTEN, "--until", "recovery")
    pair.start(pair.primary)
    *_, last = waits
    assert (waits.ended(), last["primary"]["route"]["serving"]) == (0, "primary")
    stays.until(lambda line: not fails_over(line), "what the other one has found out")
    assert stays.ended(signal.SIGTERM) == 143
    history = [event for event in fleet.events("--name", "primary") if "connected" not in event]
    assert history == [
        "health:changed primary",
        "health:changed primary",
        "circuit:open primary",
        "failover primary",
        "health:changed primary",
        "circuit:half-open primary",
        "circuit:close primary",
        "recovery primary",
    ]


def test_a_hung_primary_is_noticed_at_the_next_check(fleet: Fleet, watch: Callable[..., Watch]) -> None:
    fleet.write(timeout="500ms")
    watched = watch(*OFTEN)
    fleet.pair.primary.hang()
    down = watched.until(fails_over, "the failover")["primary"]
    assert (down["health"], down["error"]["kind"], down["circuit"]["state"]) == ("unhealthy", "timeout", "open")
    fleet.pair.primary.resume()
    watched.until(all_is_well, "the recovery")
    assert watched.ended(signal.SIGINT) == 130


def test_one_connection_a_server_is_held_and_none_is_left(fleet: Fleet, watch: Callable[..., Watch]) -> None:
    pair = fleet.pair
    watched = watch(*OFTEN)
    held = [connections(server) for server in (pair.primary, pair.replica)]
    assert [len(numbers) for numbers in held] == [1, 1]
    for _ in itertools.islice(watched, 6):
        assert held == [connections(server) for server in (pair.primary, pair.replica)]
    pair.primary.stop()
    watched.until(fails_over, "that it is away")
    pair.start(pair.primary)
    watched.until(lambda line: line["primary"]["health"] == "healthy", "that it is back")
    for _ in itertools.islice(watched, 4):
        assert all(len(connections(server)) <= 2 for server in (pair.primary, pair.replica))
    assert watched.ended(signal.SIGINT) == 130
    nothing_is_left(pair)


def test_broken_connections_to_servers_that_are_well_are_made_anew(fleet: Fleet, watch: Callable[..., Watch]) -> None:
    pair = fleet.pair
    watched = watch(*NO_CHECK_IN_BETWEEN)
    for server in (pair.primary, pair.replica):
        is_checked_at_anew(server)
    fleet.run("circuit", "open", "replica", "--reason", "new disk")
    held = watched.until(lambda line: line["replica"]["circuit"]["manual"], "what another terminal did")
    assert held["replica"]["circuit"]["reason"] == "new disk"
    assert {one["health"] for one in held.values()} == {"healthy"}
    assert watched.ended(signal.SIGTERM) == 143
    nothing_is_left(pair)
    seen = fleet.object("events", "--type", "health:changed")["events"]
    assert sorted((one["name"], one["detail"]["current"]) for one in seen) == [
        ("primary", "healthy"),
        ("replica", "healthy"),
    ]


def is_checked_at_anew(server: Server) -> None:
    """Breaks the connection that is held to it, and returns when there is another."""
    (before,) = connections(server)
    break_connections(server)
    until(lambda: connections(server) - {before}, "the check on a new one")


def nothing_is_left(pair: ServerPair) -> None:
    """Returns when omnidb has no connection to either."""
    until(lambda: not connections(pair.primary) | connections(pair.replica), "no connection is left")
