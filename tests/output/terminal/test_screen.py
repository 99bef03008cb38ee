"""The live screen at three sizes, and what gives way first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.cli.verdict import verdict
from omnidb_cli.core.snapshot import Snapshot
from omnidb_cli.output.terminal.drawing import rendered
from omnidb_cli.output.terminal.screen import ScreenState, frame, plan_lines
from omnidb_cli.output.views.finding import NOTHING_FOUND
from omnidb_cli.output.views.problems import problems
from tests.output.scenes import NOW, all_well, dead_standby, events, fleet, isolated, parted, shop

SIZES = ((40, 8), (60, 10), (80, 24), (200, 50))


def drawn(scene: ScreenState, size: tuple[int, int], *, color: bool = False) -> str:
    return rendered(frame(scene, now=NOW, size=size), width=size[0], color=color)


def scene(snapshot: Snapshot | None, **fields: object) -> ScreenState:
    found = NOTHING_FOUND if snapshot is None else verdict(snapshot)
    return ScreenState(snapshot, tuple(events()), NOW + timedelta(seconds=3.2), finding=found, **fields)


SCENES = {
    "shop": scene(shop()),
    "well": scene(all_well()),
    "fleet": scene(fleet(60, broken=3)),
    "stale": scene(shop(), stale="state not available: disk I/O error"),
    "first": ScreenState(),
    "standby": scene(dead_standby()),
    "split-brain": scene(parted()),
    "isolated": scene(isolated(), stale="state not available: disk I/O error"),
    "outage": scene(fleet(300, broken=75)),
    "ended": scene(shop(), ended="until primary=unhealthy: met after 12s"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCENES)
def test_frame(name: str, size: tuple[int, int], golden: Callable[[str, str], None]) -> None:
    text = drawn(SCENES[name], size)
    assert len(text.splitlines()) <= size[1]
    assert max(map(len, text.splitlines())) <= size[0]
    golden(f"watch-{name}.{size[0]}x{size[1]}.txt", text)


@given(st.integers(40, 220), st.integers(8, 70), st.integers(0, 80), st.integers(0, 12), st.booleans())
def test_no_screen_is_ever_exceeded(width: int, height: int, size: int, broken: int, stale: bool) -> None:
    snapshot = fleet(size, broken=min(broken, size))
    text = drawn(scene(snapshot, stale="x" * 300 if stale else None), (width, height))
    assert len(text.splitlines()) <= height
    assert max(map(len, text.splitlines())) <= width
    assert "next check in 4s" in text.splitlines()[-1]


@pytest.mark.parametrize("size", [(60, 50), (80, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_sentence_is_whole_where_lines_are_free(size: tuple[int, int]) -> None:
    text = drawn(scene(shop()), size)
    notes = [note.text for note in problems(shop(), NOW)]
    assert any(len(note) > size[0] for note in notes)
    assert [note for note in notes if note not in " ".join(text.split())] == []


def test_healthy_rows_are_folded_before_any_other() -> None:
    text = drawn(scene(fleet(60, broken=5)), (80, 20))
    assert text.count("✗ unhealthy") == 5
    assert "… and 5" in text
    assert "healthy\n" in text


def test_what_is_hidden_although_it_is_not_well_is_counted() -> None:
    text = drawn(scene(fleet(60, broken=20)), (80, 14))
    assert "… and 40 healthy, 14 not well: a larger window shows them" in text


@given(
    st.integers(1, 60),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 40),
    st.integers(0, 30),
    st.integers(0, 1),
)
def test_the_lines_are_shared_out_without_remainder_or_overdraft(
    room: int, troubled: int, well: int, alike: int, told: int, gap: int
) -> None:
    rows, sentences = troubled + well, -(-troubled // alike)
    plan = plan_lines(room, troubled=troubled, rows=rows, problems=sentences, events=told, gap=gap)
    hidden = plan.rows < rows
    used = plan.rows + hidden + plan.problems + plan.events + gap * ((plan.problems > 0) + (plan.events > 0))
    assert used <= max(room, hidden)
    assert plan.rows >= min(troubled, room - 1 - gap - max(1, room // 3))
    assert plan.problems <= sentences
    assert plan.problems >= min(sentences, 1, room - 1 - gap)  # one line is for a row, or for how many are hidden
    assert plan.events <= told
    if plan.rows < troubled:
        assert plan.events == 0


def test_an_outage_of_many_leaves_a_line_for_the_reason() -> None:
    """33 red rows and no reason tell nobody anything."""
    for height in (8, 14, 40):
        text = drawn(scene(fleet(300, broken=75)), (80, height))
        assert "75 connections are unhealthy since 07:27 UTC (3m): no answer within 5s" in " ".join(text.split())


def test_trouble_of_this_host_and_of_the_store_goes_before_everything_else() -> None:
    for width in (60, 160):
        first = drawn(SCENES["isolated"], (width, 40)).replace("\n", " ")
        where = [first.index(text) for text in ("this host may be isolated", "disk I/O error", "shop · 3 connections")]
        assert where == sorted(where)


def test_a_split_brain_names_both_ends_and_the_command_that_holds_one() -> None:
    text = " ".join(drawn(scene(parted()), (80, 24)).split())
    assert text.startswith('✗ split brain: "primary" and "replica" both take writes since 07:28:00Z (primary at 1/2;')
    assert "hold one of them: omnidb circuit open primary" in text


def test_the_last_frame_says_how_it_ended_and_that_nothing_follows() -> None:
    last = drawn(SCENES["ended"], (80, 24)).splitlines()[-1]
    assert last == "07:30:00 UTC · until primary=unhealthy: met after 12s"


def test_every_text_is_cleaned() -> None:
    shown = rendered(
        frame(scene(shop(), stale="stale"), now=NOW, size=(120, 40), clean=lambda text: "#" * len(text)),
        width=120,
        color=False,
    )
    for text in ("primary", "connection refused", "stale", "anna", "internal"):
        assert text not in shown
