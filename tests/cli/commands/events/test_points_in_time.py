"""Points in time as people type them."""

from datetime import UTC, datetime, timedelta

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.cli.commands.events.points_in_time import parse, point_in_time

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("48h", datetime(2026, 11, 26, 5, 0, tzinfo=UTC)),
        ("3d", datetime(2026, 11, 25, 5, 0, tzinfo=UTC)),
        ("1h30m", datetime(2026, 11, 28, 3, 30, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 14, 5, 0, tzinfo=UTC)),
        ("520w", datetime(2016, 12, 10, 5, 0, tzinfo=UTC)),
        ("60", datetime(2026, 11, 28, 4, 59, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T07:30Z", datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ("2026-11-23t07:30:15z", datetime(2026, 11, 23, 7, 30, 15, tzinfo=UTC)),
        ("2026-11-23 07:30", datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ("2026-11-23 07:30:15.25 +02:00", datetime(2026, 11, 23, 5, 30, 15, 250000, tzinfo=UTC)),
        ("2026-11-23T07:30:00.123456-05:30", datetime(2026, 11, 23, 13, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-23 07:30:15 UTC", datetime(2026, 11, 23, 7, 30, 15, tzinfo=UTC)),
        ("07:30 UTC", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        ("04:30", datetime(2026, 11, 28, 4, 30, tzinfo=UTC)),
        ("07:30", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        (" 07:30:01Z ", datetime(2026, 11, 28, 7, 30, 1, tzinfo=UTC)),
    ],
)
def test_what_is_meant(text: str, meant: datetime) -> None:
    assert parse(text, NOW) == meant
    assert parse(text, NOW).utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11", "2026-W01-1", "7:30", "-1h", "nan", "9999999w", "9" * 30])
def test_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"is no time: write a duration ago such as 48h, or a time such as"):
        point_in_time(text)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "25:00", "2026-11-23T24:01Z", "0001-01-01T00:00+23:59"])
def test_a_time_that_there_is_not(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="there is no such date or time"):
        point_in_time(text)


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.{0,12}", fullmatch=True))
def test_whatever_is_typed_is_a_time_or_refused(text: str) -> None:
    try:
        found = parse(text, NOW)
    except ValueError:
        return
    assert found.tzinfo is UTC
