"""Which faults are made of which code."""

from pathlib import Path

import pytest

from tests.mutants.mutant import PACKAGE, ROOMS, every, in_file, judged, sampled


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("tests.mutants.mutant.PACKAGE", tmp_path)

    def made(source: str) -> list[str]:
        path = tmp_path / "core.py"
        path.write_text(source, encoding="utf-8")
        return [one.applied(source.encode()).decode() for one in in_file(path)]

    return made


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("a < b\n", ["(a <= b)\n"]),
        ("a >= b > c\n", ["(a > b > c)\n", "(a >= b >= c)\n"]),
        ("a == b\n", ["(a != b)\n"]),
        ("a is not b\n", ["(a is b)\n"]),
        ("a in b\n", ["(a not in b)\n"]),
        ("a and b and c\n", ["(a or b or c)\n"]),
        ("not a\n", ["(a)\n"]),
        ("a + b * c\n", ["(a - b * c)\n", "a + (b + c)\n"]),
        ("a = 0\n", ["a = (1)\n"]),
        ("a = 1\n", ["a = (0)\n"]),
        ("a = 2.5\n", ["a = (3.5)\n"]),
        ("a = True\n", ["a = (False)\n"]),
        ("def f(a=True): ...\n", ["def f(a=(False)): ...\n"]),
        ("def f():\n    return a\n", ["def f():\n    return\n"]),
        ("if ä: b\n", ["if (not ä): b\n"]),
        ("f(a)\n", ["pass\n"]),
        ("async def f():\n    await g()\n", ["async def f():\n    pass\n"]),
        ("a.b = c\n", ["pass\n"]),
        ("a.b += c\n", ["pass\n"]),
        ("a = {'b': 'c'}\n", ["a = {('b-'): 'c'}\n"]),
        ("a['b']\n", ["a[('b-')]\n"]),
        ("class A(StrEnum):\n    B = 'b'\n", ["class A(StrEnum):\n    B = ('b-')\n"]),
    ],
)
def test_the_faults_that_are_made(changed, source: str, faults: list[str]) -> None:
    assert changed(source) == faults


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""\n',
        "a = 'words'\n",
        "a = 'words' + b\n",
        "a = f'{b + 1} words {c:3}'\n",
        "a: 'b' | None\n",
        "def f(a: dict['b', 1]) -> d['e']: ...\n",
        "class A:\n    def __repr__(self):\n        return b + 1\n",
        "if TYPE_CHECKING:\n    f(1)\n",
        "@f(1)\ndef g(): ...\n",
        "def f():\n    return None\n",
        "T = TypeVar('T', bound=1)\n",
        "__all__ = [1]\n",
    ],
)
def test_what_no_test_is_asked_to_notice(changed, source: str) -> None:
    assert changed(source) == []


@pytest.mark.parametrize("room", ["core", "topology"])
def test_every_fault_leaves_python(room: str) -> None:
    for mutant in every(room):
        source = (PACKAGE / mutant.file).read_bytes()
        compile(mutant.applied(source), mutant.file, "exec")
        assert mutant.applied(source) != source


def test_a_seed_draws_the_same_ones_again_and_another_draws_others() -> None:
    assert sampled(ROOMS, 50, seed=1) == sampled(ROOMS, 50, seed=1) != sampled(ROOMS, 50, seed=2)


def test_the_command_line_has_two_fifths_of_a_sample() -> None:
    rooms = [mutant.room for mutant in sampled(ROOMS, 150, seed=1)]
    assert (len(rooms), rooms.count("cli")) == (150, 60)
    assert all(rooms.count(room) > 10 for room in ROOMS)
    assert {mutant.room for mutant in sampled(["state"], 10, seed=1)} == {"state"}


def test_what_was_judged_equivalent_is_still_there_has_a_reason_and_is_not_drawn() -> None:
    for one in judged():
        room = one["file"].partition("/")[0]
        places = {(mutant.file, mutant.inside, mutant.before, mutant.after) for mutant in every(room)}
        place = (one["file"], one["inside"], one["before"], one["after"])
        assert place in places, one
        assert len(one["why"]) > 20, one
        drawn = {(mutant.file, mutant.inside, mutant.before, mutant.after) for mutant in sampled([room], 10_000, 1)}
        assert place not in drawn
