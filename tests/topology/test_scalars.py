"""Which words are what they look like, and what YAML would make of the others."""

import pytest

from omnidb_cli.topology.document import Document
from omnidb_cli.topology.scalars import Misread, how_read


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("1.5", 1.5), (".5", 0.5), ("2.", 2.0), ("1.0e+3", 1000.0),
        ("true", True), ("False", False), ("null", None), ("'no'", "no"), ("1e3", "1e3"), ("=", "="), ("0o7", "0o7"),
    ],
)  # fmt: skip
def test_words_that_are_what_they_check_like(word: str, value: object) -> None:
    assert Document(f"a: {word}\n").data == {"a": value}


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("no", "false"), ("Yes", "true"), ("ON", "true"), ("off", "false"), ("~", "nothing"),
        ("012", "10"), ("-012", "-10"), ("0x1F", "31"), ("0b101", "5"), ("1_000", "1000"), ("1:30", "90"),
        ("-1:30:00", "-5400"), ("2024-01-01", "a date"), ("2024-01-01 10:00:00", "a date"), (".nan", "not a number"),
        (".inf", "a number"), ("1:30.5", "a number"), ("1_0.5", "a number"), ("9" * 40, "a number too large"),
        ("!!int x", "a number"),
    ],
)  # fmt: skip
def test_words_that_yaml_reads_otherwise(word: str, read: str) -> None:
    data = Document(f"a: {word}\n").data
    assert isinstance(data, dict)
    misread = data["a"]
    assert isinstance(misread, Misread)
    assert how_read(misread.text, misread.tag) == read
