"""omnidb's own NamedTuple does what `typing.NamedTuple` does: the same class body, both ways."""

import copy
import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from omnidb_cli import tuples


def made_by(base: Any) -> Any:
    class Place(base):
        """Where."""

        host: str
        port: int = 5432
        tags: tuple[str, ...] = ()

        @property
        def text(self) -> str:
            return f"{self.host}:{self.port}"

    return Place


class Kept(tuples.NamedTuple):
    """At the top of a module, where pickle finds it."""

    name: str
    number: int = 0


class Empty(tuples.NamedTuple): ...


USES: dict[str, Callable[[Any], object]] = {
    "by position": lambda place: place("db", 1, ("eu",)),
    "by name": lambda place: place(port=1, host="db"),
    "twice": lambda place: [place("db"), place("db", tags=("a",))],
    "repr": lambda place: repr(place("db")),
    "fields": lambda place: (place._fields, place.__match_args__, place._field_defaults),
    "items": lambda place: (place("db").host, place("db")[1], [*place("db")]),
    "property": lambda place: place("db").text,
    "equal": lambda place: (place("db") == place("db"), place("db") == ("db", 5432, ()), hash(place("db"))),
    "replace": lambda place: place("db")._replace(port=7),
    "make": lambda place: place._make(["db", 1, ()]),
    "asdict": lambda place: place("db")._asdict(),
    "size": lambda place: place("db").__sizeof__(),
    "copy": lambda place: (copy.copy(place("db")), copy.deepcopy(place("db"))),
    "doc": lambda place: place.__doc__,
}
REFUSED: dict[str, Callable[[Any], object]] = {
    "none given": lambda place: place(),
    "too many": lambda place: place("db", 1, (), 4),
    "unknown": lambda place: place("db", hots=1),
    "twice the same": lambda place: place("db", host="db"),
    "unknown to replace": lambda place: place("db")._replace(hots=1),
    "too few to make": lambda place: place._make(["db"]),
    "set": lambda place: setattr(place("db"), "host", "other"),
    "set what is no field": lambda place: setattr(place("db"), "other", 1),
}


@pytest.mark.parametrize("use", USES)
def test_it_is_used_as_the_other(use: str) -> None:
    assert USES[use](made_by(tuples.NamedTuple)) == USES[use](made_by(typing.NamedTuple))


@pytest.mark.parametrize("use", REFUSED)
def test_it_refuses_what_the_other_refuses(use: str) -> None:
    for base in (tuples.NamedTuple, typing.NamedTuple):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            REFUSED[use](made_by(base))


def test_it_matches_by_position() -> None:
    match Kept("a", 2):
        case Kept(name, 2):
            assert name == "a"
        case _:
            pytest.fail("no match")


def test_it_is_pickled_and_may_be_empty() -> None:
    assert pickle.loads(pickle.dumps(Kept("a", 2))) == Kept("a", 2)
    assert type(pickle.loads(pickle.dumps(Kept("a")))) is Kept
    assert Empty() == ()
