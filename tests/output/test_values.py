"""Values in JSON and text, and texts that can do a terminal no harm."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import Candidate
from omnidb_cli.output.json_text import compact
from omnidb_cli.output.values import json_safe, jsonable, rfc3339, text_of, visible, visible_lines

Word = StrEnum("Word", {"A": "a"})
Level = IntEnum("Level", {"LOW": 1})

ANY_TEXT = st.text(st.characters(codec=None, categories=None))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", "\\x00ff"),
        (memoryview(b"a"), "\\x61"),
        (Health.DEGRADED, "degraded"),
        (Level.LOW, 1),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00.000000Z"),
        (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(days=1, seconds=2, microseconds=500_000), "P1DT2.5S"),
        (timedelta(seconds=-10), "-P0DT10S"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({1: (b"\x01", [None])}, {"1": ["\\x01", [None]]}),
        (Candidate("a", True, "healthy"), {"name": "a", "eligible": True, "reason": "healthy"}),
    ],
)
def test_jsonable(value: object, expected: object) -> None:
    found = jsonable(value)
    assert found == expected
    assert type(found) is type(expected) or isinstance(value, IntEnum)


def test_a_word_of_an_enum_becomes_a_plain_string() -> None:
    assert type(jsonable(Word.A)) is str


def test_redaction_reaches_every_string_and_no_key() -> None:
    hidden = jsonable({"secret": ["secret", b"secret", {"a": Candidate("secret", True, "x")}]}, lambda _: "***")
    assert hidden == {"secret": ["***", "***", {"a": {"name": "***", "eligible": True, "reason": "***"}}]}


def test_early_years_keep_four_digits() -> None:
    assert rfc3339(datetime(33, 4, 3, tzinfo=UTC)) == "0033-04-03T00:00:00.000000Z"


def test_moments_that_utc_has_no_year_for_keep_their_zone() -> None:
    last = datetime(9999, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert rfc3339(last) == text_of(last) == "9999-12-31T23:30:00.000000-05:00"


@pytest.mark.parametrize("text", ["0.0000000", "-0.00000012", "1.50", "0", "NaN", "-Infinity", "1E+20"])
def test_exact_numerics_have_the_digits_that_databases_write(text: str) -> None:
    assert text_of(Decimal(text)) == jsonable(Decimal(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (Level.LOW, "1"),
        (Word.A, "a"),
        (0, "0"),
        (0.1, "0.1"),
        ("a\nb", "a\nb"),
        ([1, "é"], '[1, "é"]'),
        ({"a": None}, '{"a": null}'),
    ],
)
def test_text_of(value: object, text: str) -> None:
    assert text_of(value) == text


def test_escapes_are_shown_in_words_that_people_know() -> None:
    assert visible("a\tb\nc\x1b[31m\x9b\u202e") == "a\\tb\\nc\\x1b[31m\\x9b\\u202e"
    assert visible_lines("a\tb\nc\x1b") == "a\tb\nc\\x1b"
    assert visible("a\u200bb\ufeff\u00ad\U000e0041") == r"a\u200bb\ufeff\xad\U000e0041".replace(r"\xad", r"\u00ad")
    assert visible("a\u200db 👩\u200d 👩\u200d👧") == r"a\u200db 👩\u200d 👩‍👧"
    assert json.loads(json_safe('"a\u200b\U000e0041"')) == "a\u200b\U000e0041"
    assert json_safe('"\U000e0041\u200b\x7f"') == r'"\udb40\udc41\u200b\u007f"'
    assert visible("naïve 日本 👩‍👩‍👧 a\u00a0b") == "naïve 日本 👩‍👩‍👧 a\u00a0b"


@given(ANY_TEXT)
def test_nothing_visible_controls_a_terminal(text: str) -> None:
    shown = visible(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in shown)


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
)


@given(NESTED, st.booleans())
def test_json_reads_back_and_carries_no_control_character(value: object, ascii_only: bool) -> None:
    text = compact(value, ascii_only=ascii_only)
    assert json.loads(text) == value
    assert visible(text) == text
    assert text.isascii() or not ascii_only


def test_json_safe_leaves_what_is_harmless() -> None:
    assert json_safe('"日本\u0085"') == '"日本\\u0085"'
