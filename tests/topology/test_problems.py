"""Nearest names are found while that is cheap, and places are those of the text."""

from omnidb_cli.topology.document import Document
from omnidb_cli.topology.problems import Faults


def test_the_nearest_name() -> None:
    faults = Faults("f")
    assert faults.nearest("primry", ["primary", "replica"]) == ' (did you mean "primary"?)'
    assert faults.nearest("xyzzy", ["primary", "replica"]) == ""


def test_thousands_of_unknown_names_do_not_cost_minutes() -> None:
    faults = Faults("f")
    known = [f"name{index}" for index in range(20_000)]
    suggested = [bool(faults.nearest("name1x", known)) for _ in range(100)]
    assert suggested[0]
    assert sum(suggested) == 2


def test_problems_come_in_the_order_of_the_text() -> None:
    faults = Faults("f")
    faults.add(("b",), "second")
    faults.add(("a",), "first", at_key=True)
    problems = faults.problems(Document("a: 1\nb: 2\nb: 3\n"))
    assert [(problem.line, problem.column, problem.message[:6]) for problem in problems] == [
        (1, 1, "first"),
        (2, 4, "second"),
        (3, 1, "the ke"),
    ]
