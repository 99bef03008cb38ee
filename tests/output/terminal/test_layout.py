"""Which columns survive, and how wide they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.output.report import Column
from omnidb_cli.output.terminal.layout import GAP, Place, display_width, fit, natural_widths

COLUMNS = (Column("NAME"), Column("LATENCY", priority=2), Column("CHECKED", priority=1), Column("WHY", min_width=10))


def test_without_a_width_everything_is_shown_in_full() -> None:
    assert fit(COLUMNS, [5, 6, 7, 300], None) == [Place(0, 5), Place(1, 6), Place(2, 7), Place(3, 300)]


def test_the_highest_priority_number_goes_first() -> None:
    natural = [10, 10, 10, 10]
    assert [place.column for place in fit(COLUMNS, natural, 46)] == [0, 1, 2, 3]
    assert [place.column for place in fit(COLUMNS, natural, 45)] == [0, 2, 3]
    assert [place.column for place in fit(COLUMNS, natural, 33)] == [0, 3]


def test_sentences_are_narrowed_before_a_column_is_left_out() -> None:
    assert fit(COLUMNS, [10, 10, 10, 50], 46) == [Place(0, 10), Place(1, 10), Place(2, 10), Place(3, 10)]


def test_names_are_narrowed_only_when_nothing_else_can_be() -> None:
    assert fit(COLUMNS, [60, 10, 10, 50], 42) == [Place(0, 30), Place(3, 10)]


@given(st.lists(st.integers(0, 80), min_size=4, max_size=4), st.integers(20, 250))
def test_a_table_never_exceeds_its_width(natural: list[int], width: int) -> None:
    places = fit(COLUMNS, natural, width)
    assert sum(place.width for place in places) + GAP * (len(places) - 1) <= width
    assert {0, 3} <= {place.column for place in places}
    assert all(place.width <= natural[place.column] for place in places)


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧", "a👍🏽b", "❤\ufe0f ok", "⚠\ufe0f", "1\ufe0f\u20e3", "❤\ufe0f\u200d🔥",
        "👩\u200d❤\ufe0f\u200d👨",
        "🇩🇪",
        "👩🏽\u200d💻 x", "🙂日本e\u0301",
    ],
)  # fmt: skip
def test_emoji_take_what_rich_gives_them(text: str) -> None:
    from rich.cells import cell_len

    assert display_width(text) == cell_len(text)


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert [display_width(text) for text in ("abc", "日本", "e\u0301", "→")] == [3, 4, 1, 1]
    assert natural_widths(["A", "BBB"], [["日本", "x"]]) == [4, 3]
