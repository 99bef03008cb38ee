"""The runbooks give the numbers that the code has."""

from omnidb_cli.state.retention import AGELESS, BUDGETS
from tests.project.pages import page, rows, section


def test_the_budgets_of_the_history_are_documented() -> None:
    text = section(page("operations.md"), "The history")
    documented = [(row[0].strip("`"), int(row[2]), int(row[3])) for row in rows(text)]
    assert documented == [(kind.value, budget.events, budget.days) for kind, budget in BUDGETS.items()]
    assert f"the newest {AGELESS} of a class" in text
