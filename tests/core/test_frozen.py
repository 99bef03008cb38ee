"""Frozen dataclasses of the house behave as those of the standard library."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace

import pytest

from omnidb_cli.core.snapshot import Candidate, RouteView

ONE = Candidate("primary", True, "healthy")


def test_it_is_a_dataclass_with_its_fields_in_order() -> None:
    assert is_dataclass(Candidate)
    assert [field.name for field in fields(Candidate)] == ["name", "eligible", "reason"]


def test_values_go_by_place_and_by_name() -> None:
    assert Candidate("primary", reason="healthy", eligible=True) == ONE
    assert (ONE.name, ONE.eligible, ONE.reason) == ("primary", True, "healthy")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (("a",), {}),
        (("a", True, "b", "c"), {}),
        (("a", True), {"reason": "b", "other": 1}),
        (("a", True, "b"), {"name": "c"}),
    ],
)
def test_missing_and_unknown_fields_are_refused(values: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Candidate(*values, **named)


def test_nothing_can_be_changed_added_or_deleted() -> None:
    for change in (lambda: setattr(ONE, "name", "x"), lambda: setattr(ONE, "more", 1), lambda: delattr(ONE, "name")):
        with pytest.raises(FrozenInstanceError):
            change()
    assert not hasattr(ONE, "__dict__")


def test_equality_and_hash_go_by_type_and_values() -> None:
    assert {ONE: 1}[Candidate("primary", True, "healthy")] == 1
    assert Candidate("primary", False, "healthy") != ONE
    assert ONE != ("primary", True, "healthy")


def test_the_library_s_own_tools_work_on_it() -> None:
    route = RouteView("primary", False, "healthy", (ONE,))
    assert replace(ONE, eligible=False) == Candidate("primary", False, "healthy")
    assert asdict(route)["candidates"] == ({"name": "primary", "eligible": True, "reason": "healthy"},)
    assert pickle.loads(pickle.dumps(route)) == copy.copy(route) == copy.deepcopy(route) == route
    assert repr(ONE) == "Candidate(name='primary', eligible=True, reason='healthy')"
