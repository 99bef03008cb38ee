"""YAML becomes plain data whose places are known; bombs and nonsense are refused."""

import pytest

from omnidb_cli.topology.document import Document, Unreadable
from omnidb_cli.topology.scalars import BROKEN, Misread


def test_plain_data_of_every_sort() -> None:
    document = Document('a: [1, 2.5, true, null, "x", y]\n"q": {n: -3}\n')
    assert document.data == {"a": [1, 2.5, True, None, "x", "y"], "q": {"n": -3}}
    assert not document.faults


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "---\n"])
def test_a_text_without_a_value(text: str) -> None:
    assert Document(text).data in (None, Misread("", "tag:yaml.org,2002:null"))


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: [1\nb: 2\n", 2, 2, "not valid YAML"),
        ("a:\n\tb: 1\n", 2, 1, "indent with spaces, not with a tab"),
        ("a: *nobody\n", 1, 4, "an alias (*) has no anchor"),
        ("a: &x 1\nb: &x 2\n", 2, 4, "an anchor (&) is there twice"),
        ("a: 1\n---\nb: 2\n", 2, 1, "more than one document"),
        ("a: b\0c\n", 1, 5, "a NUL byte"),
        ("a: 1\nb: \x07\n", 2, 4, "a control character U+0007"),
        ("a: {b: ${env:X}}\n", 1, 9, "a ${…} needs quotes"),
        ("a: &a [*a]\n", 1, 4, "would never end"),
        ("a: &a {<<: *a}\n", 1, 4, "would never end"),
        ("a: \ud800\n", 1, 4, "a control character U+D800"),
    ],
)
def test_what_cannot_be_read_at_all(text: str, line: int, column: int, part: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Document(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert part in str(caught.value)


@pytest.mark.parametrize("secret", ["*hunter2", "&hunter2 x\nb: &hunter2 y\nc: *hunter3", "!hunter2!x y"])
def test_syntax_errors_do_not_repeat_the_text(secret: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Document(f"a: {secret}\n")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? ", "[{a: "])
def test_absurd_nesting_is_refused_before_it_hurts(opening: str) -> None:
    with pytest.raises(Unreadable, match="nested more than 50 levels"):
        Document(opening * 200_000)


def test_absurdly_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnidb_cli.topology.document.MOST_VALUES", 100)
    with pytest.raises(Unreadable, match="more than 100 values"):
        Document("- a\n" * 101)


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 30):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines)


_WIDE = "a: &a {" + ", ".join(f"k{index}: 1" for index in range(1000)) + "}\n"


@pytest.mark.parametrize(
    "text",
    [_bomb(), _WIDE + "b: {<<: [" + "*a, " * 1000 + "]}", _WIDE + "".join(f"b{index}: *a\n" for index in range(999))],
    ids=["lists", "merges", "mappings"],
)
def test_expansion_bombs_are_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="expand to far more"):
        Document(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: 1\na: 2\n", 2, 1, 'the key "a" is already written on line 1'),
        ("{a: 1, a: 2}\n", 1, 8, "already written on line 1"),
        ("[a]: 1\n", 1, 1, "a key must be a word"),
        ("? \n: 1\n", 1, 2, "the key in front of the colon is missing"),
        ("on: 1\n", 1, 1, 'YAML reads the key on as true: put it in quotes, "on"'),
        ("2024-01-01: 1\n", 1, 1, 'YAML reads the key 2024-01-01 as a date: put it in quotes, "2024-01-01"'),
        ("1:30: 1\n", 1, 1, 'YAML reads the key 1:30 as 90: put it in quotes, "1:30"'),
        ("012: 1\n", 1, 1, 'YAML reads the key 012 as 10: put it in quotes, "012"'),
        ("15: 1\n", 1, 1, 'YAML reads the key 15 as a number: put it in quotes, "15"'),
        ("null: 1\n", 1, 1, 'YAML reads the key null as nothing: put it in quotes, "null"'),
        ("~: 1\n", 1, 1, 'YAML reads the key ~ as nothing: put it in quotes, "~"'),
        (".inf: 1\n", 1, 1, 'YAML reads the key .inf as a number: put it in quotes, ".inf"'),
        ("1.0e+3: 1\n", 1, 1, 'YAML reads the key 1.0e+3 as a number: put it in quotes, "1.0e+3"'),
        ("2024-01-01 10:00:00: 1\n", 1, 1, 'put it in quotes, "2024-01-01 10:00:00"'),
        ("a: !secret x\n", 1, 4, "a tag (!) has no meaning here"),
        ("a: !!python/object:os.system {}\n", 1, 4, "a tag (!) has no meaning here"),
        ("a: {<<: 5}\n", 1, 9, "<< merges mappings only"),
    ],
)
def test_what_is_told_beside_the_data(text: str, line: int, column: int, part: str) -> None:
    (fault,) = Document(text).faults
    assert fault[:2] == (line, column)
    assert part in fault[2]


def test_a_tagged_value_stands_for_nothing() -> None:
    assert Document("a: !x y\n").data == {"a": BROKEN}


def test_a_places_path_reads_as_people_write_it() -> None:
    problem = Document("a:\n  b: [x, {c: 1}]\n").problem("f", ("a", "b", 1, "c"), "m")
    assert (problem.line, problem.column, problem.path) == (2, 14, "a.b[1].c")


def test_the_place_of_a_key() -> None:
    problem = Document("a:\n  b: 1\n").problem("f", ("a", "b"), "m", at_key=True)
    assert (problem.line, problem.column) == (2, 3)


def test_aliases_share_what_they_stand_for() -> None:
    data = Document("a: &a {k: 1}\nb: *a\nc: {<<: *a, k: 2}\n").data
    assert data == {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 2}}
    assert isinstance(data, dict)
    assert data["a"] is data["b"]
