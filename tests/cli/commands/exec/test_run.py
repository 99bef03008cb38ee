"""Whom a statement is tried on next, and on which terms: decided from how things stand."""

import pytest
from msgspec.structs import replace

from omnidb_cli import drivers
from omnidb_cli.cli.commands.exec.request import ExecRequest, ExecTarget
from omnidb_cli.cli.commands.exec.run import next_service
from omnidb_cli.cli.wiring import offline_orchestrator
from omnidb_cli.state import store
from omnidb_cli.topology import Topology, parse

TEXT = """
connections:
  a: {url: "sqlite:///a.db"}
  b: {url: "sqlite:///b.db"}
  c: {url: "sqlite:///c.db"}
failover: {a: {to: [b, c], writes: WRITES}}
circuit_breaker: BREAKER
"""


def topology(*, writes: str = "deny", breaker: str = "{}") -> Topology:
    return parse(TEXT.replace("WRITES", writes).replace("BREAKER", breaker), engines=drivers, stores=store)


def chosen(given: Topology, order: ExecRequest, *, held: str = "", tried: str = "") -> ExecTarget | None:
    db = offline_orchestrator(given)
    for name in held:
        db.open_circuit(name, actor="me")
    return next_service(db, order, given, set(tried))


ORDER = ExecRequest("a", "SELECT 1")


@pytest.mark.parametrize(
    ("held", "tried", "served_by"),
    [("", "", "a"), ("", "a", "b"), ("", "ab", "c"), ("", "abc", None), ("a", "", "b"), ("ab", "c", None)],
)
def test_the_first_who_may_and_was_not_tried(held: str, tried: str, served_by: str | None) -> None:
    service = chosen(topology(), ORDER, held=held, tried=tried)
    assert (service and service.name) == served_by


def test_a_backup_is_read_only_and_the_connection_itself_is_not() -> None:
    assert chosen(topology(), ORDER) == ExecTarget("a", is_failover=False, read_only=False, reason="a not checked yet")
    assert chosen(topology(), ORDER, held="a") == ExecTarget(
        "b", is_failover=True, read_only=True, reason="a held by me"
    )
    for allowed in (chosen(topology(writes="allow"), ORDER, held="a"),):
        assert allowed is not None
        assert not allowed.read_only
    asked = chosen(topology(), replace(ORDER, write_on_backup=True), held="a")
    assert asked is not None
    assert not asked.read_only


def test_without_failover_it_is_that_one_or_nobody() -> None:
    alone = replace(ORDER, failover=False)
    assert chosen(topology(), alone, held="b") is not None
    assert chosen(topology(), alone, held="a") is None
    assert chosen(topology(), alone, tried="a") is None


def test_the_last_resort_is_never_one_that_a_person_holds() -> None:
    off = topology(breaker="false")
    assert chosen(off, ORDER, held="abc") is None
    last = chosen(off, ORDER, held="bc")
    assert last is not None
    assert last.name == "a"
