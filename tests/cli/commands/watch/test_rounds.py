"""When a round of checks is over."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from omnidb_cli.cli.commands.watch.rounds import Rounds
from tests.core.clock import START_S, advance, now, run


async def test_a_round_is_over_when_everybody_was_checked_at() -> None:
    over: list[int] = []
    rounds = Rounds(["a", "b"], 60.0, lambda: over.append(rounds.done))
    assert rounds.next_in_s() is None
    for name in ("a", "a", "b"):
        rounds.checked(name)
    assert over == [1]
    rounds.checked("b")
    assert over == [1]
    rounds.checked("a")
    assert over == [1, 2]
    assert 0 < (rounds.next_in_s() or 0) <= 60


def test_the_countdown_begins_again_with_each_round_and_stops_at_zero() -> None:
    async def main() -> None:
        rounds = Rounds(["a"], 10.0, lambda: None)
        rounds.checked("a")
        assert rounds.next_in_s() == 10
        await advance(4)
        assert rounds.next_in_s() == 6
        rounds.checked("a")
        assert rounds.next_in_s() == 10
        await advance(15)
        assert rounds.next_in_s() == 0

    run(main())


def ends(checks: "dict[float, str]", *, until_s: float, interval_s: float = 10.0) -> list[float]:
    """When rounds over `a` and `b` ended, where at these times these were checked."""

    async def main() -> list[float]:
        ended: list[float] = []
        rounds = Rounds(["a", "b"], interval_s, lambda: ended.append(now() - START_S))
        running: Coroutine[Any, Any, None] = rounds.run()
        task = asyncio.create_task(running)
        for at, names in checks.items():
            await advance(at - (now() - START_S))
            for name in names:
                rounds.checked(name)
        await advance(until_s - (now() - START_S))
        task.cancel()
        return ended

    return run(main())


def test_a_round_in_which_nothing_answers_is_waited_for_and_never_spun_on() -> None:
    assert ends({5: "ab"}, until_s=100) == [5]


def test_one_that_hangs_holds_up_no_round_longer_than_an_interval() -> None:
    assert ends({0: "a", 21: "a"}, until_s=45) == [20, 40]
    assert ends({0: "ab", 10: "a"}, until_s=25) == [0, 20]
    assert ends({0: "a"}, until_s=0.75, interval_s=0.25) == [0.5]


def test_a_round_in_which_nobody_was_checked_is_none() -> None:
    assert ends({}, until_s=100) == []


def test_a_round_that_ended_by_itself_is_not_ended_again() -> None:
    assert ends({5: "ab", 6: "a"}, until_s=24) == [5]
    assert ends({5: "ab", 6: "a"}, until_s=26) == [5, 25]
