"""States and moments in words."""

from datetime import timedelta

import pytest

from omnidb_cli.core.circuit.model import CircuitState
from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import ConnectionSnapshot, RoleView, RouteView
from omnidb_cli.output import words
from tests.output.scenes import NOW, ago, broken_primary, circuit, connection, held_reports, snapshot


def test_every_state_has_a_symbol_of_its_own_beside_its_word() -> None:
    cells = [words.health_cell(health) for health in Health]
    cells += [words.circuit_cell(circuit(state)) for state in CircuitState]
    cells.append(words.circuit_cell(circuit(CircuitState.OPEN, manual=True)))
    symbols = [cell.text.split()[0] for cell in cells]
    assert len(set(symbols)) == len(cells)
    assert [cell.text.split(" ", 1)[1] for cell in cells] == [*Health, *CircuitState, "open, held"]


@pytest.mark.parametrize(
    ("expected", "actual", "text"),
    [
        ("primary", "primary", "primary"),
        (None, "replica", "replica"),
        ("primary", "replica", "replica, not primary"),
        ("primary", None, "–"),
    ],
)
def test_role(expected: str | None, actual: str | None, text: str) -> None:
    assert words.role_cell(RoleView(expected, actual)).text == text


@pytest.mark.parametrize(
    ("span_ms", "text"),
    [(0.0, "0.00ms"), (0.054, "0.05ms"), (1.94, "1.9ms"), (9.94, "9.9ms"), (9.96, "10ms"), (2300, "2.3s")],
)
def test_milliseconds(span_ms: float, text: str) -> None:
    assert words.milliseconds(span_ms) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "just now"), (0.9, "just now"), (12.3, "12s ago"), (-0.5, "just now"), (-90, "1m 30s ahead")],
)
def test_age(seconds: float, text: str) -> None:
    assert words.age(ago(seconds), NOW) == text


def test_what_was_never_checked_says_so() -> None:
    assert words.age_cell(None, NOW).text == "never"


@pytest.mark.parametrize(
    ("seconds", "wait", "left"), [(12, "in 12s", "12s left"), (0, "now", "over"), (-5, "now", "over")]
)
def test_what_is_to_come(seconds: float, wait: str, left: str) -> None:
    assert words.wait(ago(-seconds), NOW) == wait
    assert words.left(ago(-seconds), NOW) == left


def test_another_day_is_named() -> None:
    assert words.time_of_day(ago(60), NOW) == "07:29:00"
    assert words.time_of_day(ago(86_400), NOW) == "2026-11-22 07:30:00"


@pytest.mark.parametrize(("seconds", "text"), [(4.0, "4s"), (3.2, "4s"), (0.01, "1s"), (61, "1m 1s")])
def test_a_countdown_has_no_fractions(seconds: float, text: str) -> None:
    assert words.whole_seconds(seconds) == text


@pytest.mark.parametrize(
    ("one", "urgency"),
    [
        (connection("x", route=RouteView(None, False, "", ())), 0),
        (broken_primary(), 1),
        (connection("x", circuit=circuit(CircuitState.OPEN), route=RouteView("y", True, "", ())), 2),
        (connection("x", health=Health.DEGRADED), 3),
        (connection("x", route=RouteView("y", True, "failback is manual", ())), 3),
        (held_reports(), 4),
        (connection("x"), words.WELL),
        (connection("x", circuit=circuit(CircuitState.DISABLED)), words.WELL),
    ],
)
def test_urgency(one: ConnectionSnapshot, urgency: int) -> None:
    assert words.urgency(one, snapshot(one)) == urgency


def test_a_wait_is_counted_to_the_moment() -> None:
    assert words.wait(NOW + timedelta(minutes=2, seconds=5), NOW) == "in 2m 5s"
