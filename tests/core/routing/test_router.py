"""The order of candidates, the choice among them, and the way back to the primary."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli import ConfigurationError, Failover, FailoverRouter
from omnidb_cli.core.routing.eligibility import Eligibility
from omnidb_cli.core.routing.router import UNDECIDED, Assignment, FailoverSpec, choose, decide, is_held_back

READY, TRIAL, PROVING, OUT = Eligibility.ELIGIBLE, Eligibility.TRIAL, Eligibility.RECOVERING, Eligibility.INELIGIBLE


def router(failover: Mapping[str, FailoverSpec], names: str = "abcdef") -> FailoverRouter:
    return FailoverRouter(failover, names)


def test_who_has_no_failover_serves_alone() -> None:
    assert router({}).order("a") == ("a",)
    assert router({}).policy("a") is None


def test_backups_come_in_their_order_then_their_backups_breadth_first_each_once() -> None:
    tree = router({"a": ["c", "b"], "c": ["d", "e"], "b": ["d", "f"]})
    assert tree.order("a") == ("a", "c", "b", "d", "e", "f")
    assert tree.order("c") == ("c", "d", "e")


def test_a_chain_is_followed_to_its_end() -> None:
    assert router({"a": "b", "b": "c", "c": "d"}).order("a") == ("a", "b", "c", "d")


def test_whom_a_connection_may_serve_is_known_backwards_too() -> None:
    assert sorted(router({"a": "b", "b": "c", "d": "c"}).heads_of("c")) == ["a", "b", "d"]
    assert list(router({"a": "b"}).heads_of("a")) == []


@pytest.mark.parametrize(
    ("failover", "chain"),
    [
        ({"a": "a"}, "a → a"),
        ({"a": "b", "b": "a"}, "a → b → a"),
        ({"a": "b", "b": "c", "c": "d", "d": "b"}, "b → c → d → b"),
        ({"a": ["b", "c"], "c": ["d"], "d": ["a"]}, "a → c → d → a"),
    ],
)
def test_a_cycle_is_refused_with_its_chain(failover: dict[str, FailoverSpec], chain: str) -> None:
    with pytest.raises(ConfigurationError, match=chain):
        router(failover)


def test_a_diamond_is_no_cycle() -> None:
    assert router({"a": ["b", "c"], "b": "d", "c": "d"}).order("a") == ("a", "b", "c", "d")


def test_many_ways_through_the_same_backups_are_walked_once() -> None:
    layers = 60
    tree = {f"{side}{n}": [f"l{n + 1}", f"r{n + 1}"] for n in range(layers) for side in "lr"}
    names = [f"{side}{n}" for n in range(layers + 1) for side in "lr"]
    assert len(FailoverRouter(tree, names).order("l0")) == 2 * layers + 1


def test_a_chain_longer_than_the_stack_is_followed() -> None:
    names = [f"n{n}" for n in range(2000)]
    chain = dict(pairwise(names))
    assert FailoverRouter(chain, names).order("n0") == tuple(names)
    with pytest.raises(ConfigurationError, match="failover cycle"):
        FailoverRouter({**chain, names[-1]: names[0]}, names)


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)))
def test_exactly_the_cyclic_ones_are_refused(failover: dict[str, list[str]]) -> None:
    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(failover.get(start, ()))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += failover.get(name, ())
        return found

    cyclic = any(name in reachable(name) for name in failover)
    try:
        tree = router(failover)
    except ConfigurationError:
        assert cyclic
        return
    assert not cyclic
    for name in "abcdef":
        assert set(tree.order(name)) == {name, *reachable(name)}
        assert len(tree.order(name)) == len(set(tree.order(name)))
        assert set(tree.heads_of(name)) == {head for head in failover if name in reachable(head)}


def chosen(*stands: Eligibility, held_back: bool = False) -> str | None:
    order = "abcdef"[: len(stands)]
    return choose(order, dict(zip(order, stands, strict=True)).__getitem__, held_back=held_back)


@pytest.mark.parametrize(
    ("stands", "serves"),
    [
        ((READY, READY), "a"),
        ((OUT, READY, READY), "b"),
        ((OUT, OUT, READY), "c"),
        ((OUT, OUT, OUT), None),
        ((TRIAL, READY), "a"),
        ((PROVING, READY), "b"),
        ((PROVING, OUT), "a"),
        ((PROVING, TRIAL), "a"),
        ((PROVING, PROVING), "a"),
        ((PROVING, PROVING, READY), "c"),
        ((PROVING, TRIAL, READY), "b"),
        ((OUT, PROVING, OUT, READY), "d"),
        ((PROVING,), "a"),
    ],
)
def test_the_first_eligible_serves_and_one_that_checks_prove_waits_behind_a_ready_one(
    stands: tuple[Eligibility, ...], serves: str | None
) -> None:
    assert chosen(*stands) == serves


def test_one_that_serves_goes_on_while_it_recovers_though_a_backup_became_ready_first() -> None:
    stands = {"a": PROVING, "b": READY}.__getitem__
    assert choose("ab", stands, serving="a") == "a"
    assert choose("ab", stands, serving="b") == "b"
    assert choose("ab", stands, serving="a", held_back=True) == "b"
    assert choose("ab", {"a": OUT, "b": READY}.__getitem__, serving="a") == "b"


def test_a_split_brain_holds_back_a_primary_and_moves_nobody() -> None:
    split = decide("ab", Assignment("b", known=True), AUTO, lambda _: READY, 5.0, 77.0)
    assert split == Assignment("b", known=True, eligible_since=5.0, split_since=77.0)
    assert decide("ab", split, AUTO, lambda _: READY, 9.0).name == "a"
    assert decide("ab", Assignment("a", known=True), AUTO, lambda _: READY, 5.0, 77.0).name == "a"


def test_a_primary_that_is_held_back_waits_behind_a_ready_backup_only() -> None:
    assert chosen(READY, READY, held_back=True) == "b"
    assert chosen(READY, OUT, held_back=True) == "a"
    assert chosen(OUT, OUT, held_back=True) is None


@given(st.lists(st.sampled_from(Eligibility), min_size=1, max_size=6), st.booleans())
def test_nobody_who_is_out_ever_serves_and_somebody_does_if_anybody_can(
    stands: list[Eligibility], held_back: bool
) -> None:
    serving = chosen(*stands, held_back=held_back)
    if serving is None:
        assert set(stands) == {OUT}
    else:
        assert stands["abcdef".index(serving)] is not OUT


AUTO, LATER, MANUAL = Failover("b"), Failover("b", failback_after="30s"), Failover("b", failback="manual")


def decided(
    previous: Assignment, a: Eligibility, b: Eligibility, policy: Failover | None = AUTO, clock: float = 0.0
) -> Assignment:
    return decide("ab", previous, policy, {"a": a, "b": b}.__getitem__, clock)


def test_at_first_the_primary_serves_if_it_can_whatever_the_failback_policy() -> None:
    for policy in (AUTO, LATER, MANUAL):
        assert decided(UNDECIDED, READY, READY, policy).name == "a"
        assert decided(UNDECIDED, OUT, READY, policy).name == "b"


def test_failback_auto_returns_to_the_primary_at_once() -> None:
    assert decided(Assignment("b", known=True), READY, READY).name == "a"


def test_failback_after_counts_unbroken_eligibility() -> None:
    waiting = decided(Assignment("b", known=True), READY, READY, LATER, 100.0)
    assert waiting == Assignment("b", known=True, eligible_since=100.0)
    assert decided(waiting, READY, READY, LATER, 129.9).name == "b"
    broken = decided(waiting, OUT, READY, LATER, 120.0)
    assert broken.eligible_since is None
    again = decided(broken, READY, READY, LATER, 125.0)
    assert decided(again, READY, READY, LATER, 154.9).name == "b"
    assert decided(again, READY, READY, LATER, 155.0) == Assignment("a", known=True)


def test_failback_manual_leaves_the_backup_until_a_person_says_so_or_it_fails() -> None:
    waiting = decided(Assignment("b", known=True), READY, READY, MANUAL, 0.0)
    assert decided(waiting, READY, READY, MANUAL, 1e9).name == "b"
    assert decided(waiting, READY, OUT, MANUAL, 1.0).name == "a"


def test_nobody_holds_back_a_primary_that_left_no_one_serving() -> None:
    for policy in (LATER, MANUAL):
        assert decided(Assignment(None, known=True), READY, OUT, policy).name == "a"
        assert decided(Assignment(None, known=True), READY, READY, policy).name == "a"


def test_without_a_policy_there_is_only_itself() -> None:
    assert decide("a", UNDECIDED, None, lambda _: OUT, 0.0) == Assignment(None, known=True)
    assert decide("a", UNDECIDED, None, lambda _: PROVING, 0.0) == Assignment("a", known=True)


def test_is_held_back_says_until_when() -> None:
    assert not is_held_back(None, MANUAL, 0.0, split=False)
    assert not is_held_back(0.0, None, 0.0, split=False)
    assert not is_held_back(0.0, AUTO, 0.0, split=False)
    assert is_held_back(0.0, MANUAL, 1e9, split=False)
    assert is_held_back(10.0, LATER, 39.9, split=False)
    assert not is_held_back(10.0, LATER, 40.0, split=False)
    assert is_held_back(10.0, AUTO, 1e9, split=True)
    assert not is_held_back(None, AUTO, 1e9, split=True)
