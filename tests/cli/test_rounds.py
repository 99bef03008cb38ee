"""When a round of looks is over."""

from omnidb_cli.cli.rounds import Rounds


async def test_a_round_is_over_when_everybody_was_looked_at() -> None:
    over: list[int] = []
    rounds = Rounds(["a", "b"], 60.0, lambda: over.append(rounds.done))
    assert rounds.next_in_s() is None
    for name in ("a", "a", "b"):
        rounds.looked(name)
    assert over == [1]
    rounds.looked("b")
    assert over == [1]
    rounds.looked("a")
    assert over == [1, 2]
    assert 0 < (rounds.next_in_s() or 0) <= 60
