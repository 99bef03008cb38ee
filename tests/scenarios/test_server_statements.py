"""What becomes of a statement when the connection breaks, the time runs out or somebody ends omnidb."""

import signal
import subprocess

import pytest

from tests.scenarios.server_fleet import Answer, Fleet
from tests.scenarios.shop import until
from tests.servers.proxy import Proxy


def running(fleet: Fleet, *options: str) -> "subprocess.Popen[str]":
    """`exec` of the endless statement, when the primary works on it."""
    pair = fleet.pair
    process = fleet.start("exec", "primary", pair.endless, *options)
    until(lambda: pair.is_running(pair.primary), "the statement runs")
    return process


def stops(fleet: Fleet) -> None:
    """Returns when the primary works on it no more."""
    until(lambda: not fleet.pair.is_running(fleet.pair.primary), "the statement stops")


@pytest.mark.parametrize("cut", ["connection", "server"])
def test_a_write_that_was_sent_is_carried_out_once_at_most_and_nowhere_else(
    fleet: Fleet, proxy: Proxy, cut: str
) -> None:
    pair = fleet.pair
    pair.promote()  # so that the backup would take it, and may
    fleet.write(urls={"primary": pair.url(proxy)}, failover="{primary: {to: replica, writes: allow}}")
    with pair.lasting_write() as write:
        process = fleet.start("exec", "primary", write, "-o", "json")
        until(pair.is_writing, "it is being carried out")
        if cut == "server":
            pair.primary.kill()
        else:
            proxy.silence()
            pair.finish_writing()
            until(lambda: pair.written(pair.primary) == 1, "it has been carried out")
            proxy.refuse()
            proxy.reset_all()
        answer = Answer(fleet.ended(process))
    assert (answer.code, answer.kind, answer.connection) == (21, "reset", "primary")
    assert 'the outcome of the statement on "primary" is unknown' in answer.message
    assert "whether it took effect" in answer.error["hint"]
    if cut == "server":
        pair.start(pair.primary)
    assert pair.written(pair.primary) == (cut == "connection")
    assert pair.written(pair.replica) == 0
    assert fleet.circuit("primary")["failures"] == 1


def test_the_time_limit_stops_it_on_the_server_too(fleet: Fleet) -> None:
    answer = Answer(fleet.ended(running(fleet, "--timeout", "1s", "-o", "json")))
    assert (answer.code, answer.kind, answer.connection) == (21, "timeout", "primary")
    assert 'the time limit of 1s ran out on "primary"' in answer.message
    stops(fleet)


def test_a_signal_stops_it_on_the_server_too_and_ends_omnidb_though_the_server_hangs(fleet: Fleet) -> None:
    pair = fleet.pair
    process = running(fleet)
    process.send_signal(signal.SIGINT)
    ended = fleet.ended(process)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert "its outcome is unknown" in ended.stderr
    stops(fleet)
    process = running(fleet, "--timeout", "1500ms")
    pair.primary.hang()
    process.send_signal(signal.SIGTERM)
    ended = fleet.ended(process)
    assert (ended.returncode, ended.stdout) == (143, "")
    assert "its outcome is unknown" in ended.stderr
    pair.primary.resume()
    stops(fleet)


def test_a_transaction_cannot_span_commands(fleet: Fleet) -> None:
    if fleet.pair.engine == "redis":
        pytest.skip("Redis has transactions of another kind")
    for statement in ("BEGIN", "START TRANSACTION", "COMMIT", "SAVEPOINT a"):
        for name in ("primary", "replica"):
            answer = fleet.exec(statement, name=name)
            assert (answer.code, answer.kind, answer.connection) == (23, "statement", name)
            assert "one statement per exec: a transaction cannot span commands" in answer.message
    assert fleet.circuit("primary")["failures"] == 0
