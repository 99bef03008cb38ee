"""Two connections of one route that both take writes (semantics, Failover 8)."""

from collections.abc import Mapping

import pytest

from omnidb_cli import CheckResult, Failover, Health, PreconditionError
from omnidb_cli.core.routing.split_brain import Parting, find
from tests.core.clock import advance
from tests.core.fakes import Fleet, who

PRIMARY = CheckResult(role="primary", position="timeline 1, LSN 0/1")
PROMOTED = CheckResult(role="primary", position="timeline 2, LSN 0/2")
REPLICA = CheckResult(role="replica")
ROLES = {"a": "primary", "b": "replica"}


@pytest.mark.parametrize(
    ("roles", "writers", "parting"),
    [
        (ROLES, "ab", Parting("a", ("b",))),
        (ROLES, "a", None),
        (ROLES, "b", None),
        (ROLES, "", None),
        ({}, "ab", None),
        ({"b": "replica"}, "ab", Parting("a", ("b",))),
        ({"b": "replica"}, "bc", Parting("c", ("b",))),
        ({"b": "replica", "c": "replica"}, "abc", Parting("a", ("b", "c"))),
        ({"b": "replica", "c": "replica"}, "bc", Parting("b", ("c",))),
        ({"b": "primary", "c": "primary"}, "abc", None),
    ],
)
def test_it_takes_two_that_are_written_and_one_of_them_an_expected_replica(
    roles: Mapping[str, str], writers: str, parting: Parting | None
) -> None:
    assert find("abc", roles, lambda name: name in writers) == parting


class Pair(Fleet):
    """A primary `a` and its replica `b`, with roles as a topology would give them."""

    def __init__(self, policy: Failover = Failover("b")) -> None:  # noqa: B008 - frozen
        super().__init__("a", "b", failover={"a": policy}, roles=ROLES)
        self["a"].answer, self["b"].answer = PRIMARY, REPLICA

    async def observe(self, name: str, result: CheckResult) -> None:
        self[name].answer = result
        await self.db.check(name)

    async def fail_over(self) -> None:
        await self.turn("a", up=False)
        await self.observe("b", PROMOTED)
        self.forget()


async def test_it_is_told_once_degrades_the_replica_and_moves_nobody() -> None:
    async with Pair() as pair:
        pair.forget()
        await pair.observe("b", PROMOTED)
        await pair.db.check()
        (told,) = [event for event in pair.heard if event.type == "split-brain"]
        assert (told.name, told.primary, told.detail) == ("a", "a", {"replicas": ["b"]})
        snapshot = pair.db.snapshot()
        (split,) = snapshot.split_brains
        assert (split.requested, split.primary, split.replicas) == ("a", "a", ("b",))
        assert split.since == told.at
        for word in ('"a"', '"b"', "timeline 1, LSN 0/1", "timeline 2, LSN 0/2", f"{told.at:%H:%M:%SZ}"):
            assert word in split.sentence
        view = snapshot.connections[1]
        assert view.health is pair.db.health()["b"] is pair.db.stats()["b"].health is Health.DEGRADED
        assert view.error is not None
        assert (view.error.kind, view.error.message) == ("split-brain", split.sentence)
        assert snapshot.summary.split_brains == 1
        assert await pair.moves() == []
        assert pair.db.route("a").serving == "a"
        assert pair.db.route("a").split_brain == split


async def test_it_ends_when_one_is_read_only_again_and_can_begin_anew() -> None:
    async with Pair() as pair:
        await pair.observe("b", PROMOTED)
        await pair.observe("b", REPLICA)
        assert pair.db.snapshot().split_brains == ()
        await pair.observe("b", PROMOTED)
        assert len(pair.said("split-brain")) == 2


async def test_auto_failback_waits_while_it_lasts() -> None:
    async with Pair() as pair:
        await pair.fail_over()
        await pair.observe("a", PRIMARY)
        await pair.db.check("a")
        await advance(3600)
        assert await pair.moves() == []
        assert await pair.db.execute("a", who) == "b"
        assert pair.db.route("a").serving == "b"
        assert "split brain" in pair.db.route("a").candidates[0].reason
        assert len(pair.said("split-brain")) == 1
        await pair.observe("b", REPLICA)
        assert [move[0] for move in await pair.moves()] == ["recovery"]


@pytest.mark.parametrize("held", ["a", "b"])
async def test_holding_one_of_them_ends_it(held: str) -> None:
    async with Pair() as pair:
        await pair.fail_over()
        await pair.observe("a", PRIMARY)
        await pair.db.check("a")
        pair.db.open_circuit(held)
        assert pair.db.snapshot().split_brains == ()
        assert pair.db.route("a").serving == ("b" if held == "a" else "a")


async def test_a_person_may_accept_it_and_then_the_primary_goes_on_serving() -> None:
    async with Pair() as pair:
        await pair.fail_over()
        await pair.observe("a", PRIMARY)
        await pair.db.check("a")
        with pytest.raises(PreconditionError, match="split brain"):
            pair.db.failback("a", actor="ann@ops")
        assert pair.db.route("a").serving == "b"
        pair.db.failback("a", actor="ann@ops", accept_split_brain=True)
        await pair.db.check()
        await advance(100)
        assert pair.db.route("a").serving == "a"
        (recovery,) = [event for event in pair.heard if event.type == "recovery"]
        assert recovery.actor == "ann@ops"
        assert len(pair.db.snapshot().split_brains) == 1


async def test_a_dead_primary_and_its_promoted_replica_are_no_split_brain() -> None:
    async with Pair() as pair:
        await pair.fail_over()
        assert pair.db.snapshot().split_brains == ()
        assert pair.said("split-brain") == []


async def test_a_role_that_changes_while_health_stays_is_noticed() -> None:
    async with Pair() as pair:
        await pair.observe("a", CheckResult(role="primary", writable=False))
        await pair.observe("b", PROMOTED)
        assert pair.said("split-brain") == []
        await pair.observe("a", PRIMARY)
        assert len(pair.said("split-brain")) == 1
