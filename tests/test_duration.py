"""Durations: what people write, the limits of each use, and that omnidb reads what it prints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.duration import (
    LONGEST_DELAY_S,
    LONGEST_HOLD_S,
    LONGEST_S,
    format_duration,
    parse_duration,
    write_duration,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("3d", 259_200), ("2w", 1_209_600), ("45", 45),
        ("1.5h", 5400), (".5s", 0.5), ("2d 4h", 187_200), (" 1h  30m ", 5400), ("1m30.5s", 90.5), ("1s500ms", 1.5),
        ("1w2d3h4m5s6ms", 788_645.006), (45, 45), (0.25, 0.25), ("1 h", 3600),
    ],
)  # fmt: skip
def test_what_people_write(written: object, seconds: float) -> None:
    assert parse_duration(written, longest_s=None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "s", "5x", "5 days", "1h 30", "30 1h", "30m1h", "1h1h", "1.5h30m", "-5s", "1e3", "1_000", "1:30", "٣s",
        "1h,30m", "inf", "nan", "5S", "1h" + " " * 70 + "1m", "9" * 60, "9" * 30 + "w", True, False, None, [], {},
        float("nan"), float("inf"), -1, 10**400, 1e12,
    ],
)  # fmt: skip
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(written, zero=True, longest_s=None)


def test_zero_only_where_it_is_allowed() -> None:
    assert parse_duration("0s", zero=True) == 0
    assert parse_duration(0, zero=True) == 0
    with pytest.raises(ValueError, match="'0ms' is not a duration above zero"):
        parse_duration("0ms")


@pytest.mark.parametrize(
    ("longest_s", "fits", "too_long", "said"),
    [
        (LONGEST_S, "24h", "24h 1s", "longer than 24h"),
        (LONGEST_S, "1d", 86_401, "longer than 24h"),
        (LONGEST_DELAY_S, "60s", "61s", "longer than 1m"),
        (LONGEST_HOLD_S, "90d", "13w", "longer than 90d"),
        (0.5, "500ms", "1s", "longer than 500ms"),
    ],
)
def test_the_limit_is_told_as_people_write_it(longest_s: float, fits: str, too_long: object, said: str) -> None:
    assert parse_duration(fits, longest_s=longest_s) == longest_s
    with pytest.raises(ValueError, match=said):
        parse_duration(too_long, longest_s=longest_s)


def test_without_a_limit_years_are_a_duration() -> None:
    assert parse_duration("520w", longest_s=None) == 520 * 604_800


@given(st.floats(0, 1e9, allow_nan=False))
def test_what_is_shown_can_be_typed(seconds: float) -> None:
    read = parse_duration(format_duration(seconds), zero=True, longest_s=None)
    assert abs(read - seconds) <= max(0.05 * seconds, 0.0005)


@given(st.integers(0, 1_000_000_000))
def test_a_shown_duration_stays_as_it_is(milliseconds: int) -> None:
    shown = format_duration(milliseconds / 1000)
    assert format_duration(parse_duration(shown, zero=True, longest_s=None)) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.1, "100ms"), (0.0005, "0.5ms"), (1.5, "1500ms"), (90, "90s"), (300, "5m"), (86_400, "24h"),
        (129_600, "36h"), (172_800, "2d"), (7_776_000, "90d"),
    ],
)  # fmt: skip
def test_a_duration_is_written_as_in_the_file(seconds: float, text: str) -> None:
    assert write_duration(seconds) == text


@given(st.integers(1, 90 * 86_400_000))
def test_a_written_duration_means_the_same(milliseconds: int) -> None:
    read = parse_duration(write_duration(milliseconds / 1000), longest_s=LONGEST_HOLD_S)
    assert read == pytest.approx(milliseconds / 1000, rel=1e-12)
