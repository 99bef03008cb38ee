"""That a fault is put into a copy alone, is noticed by a test that fails, and never hangs the run."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.__main__ import report, score
from tests.mutants.covering import Coverage
from tests.mutants.mutant import PACKAGE, Mutant, in_file
from tests.mutants.tree import Tree, copies
from tests.mutants.trial import KILLED, SURVIVED, TIMED_OUT, Verdict, tried

FILE = "core/health/isolation.py"
NOTICES = "tests/core/health/test_isolation.py::test_everything_down_at_once_by_network_errors_is_suspect"
SEES_NOTHING = "tests/core/health/test_queue.py::test_first_come_first_served"
ELSEWHERE = "tests/topology/secrets/test_secret.py::nothing"


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    with copies(1) as made:
        yield made[0]


@pytest.fixture
def mutant() -> Mutant:
    """At least four connections instead of at least three."""
    [found] = [one for one in in_file(PACKAGE / FILE) if (one.before, one.after) == ("3", "(4)")]
    return found


def covered(*tests: str, line: int = 1) -> Coverage:
    return Coverage([{test: {"seconds": 1.0, "lines": [[FILE, line]]} for test in tests}])


def test_a_fault_is_noticed_by_a_test_that_fails(tree: Tree, mutant: Mutant) -> None:
    assert tried(tree, mutant, covered(SEES_NOTHING, NOTICES)) == (mutant, KILLED, NOTICES)


def test_a_fault_that_no_test_notices_survives_and_the_copy_is_mended(tree: Tree, mutant: Mutant) -> None:
    assert tried(tree, mutant, covered(SEES_NOTHING)) == (mutant, SURVIVED, None)
    assert tried(tree, mutant, Coverage([])) == (mutant, SURVIVED, None)
    assert tree.tests([NOTICES], limit_s=60).code == 0


def test_a_command_with_an_empty_environment_runs_the_copy(tree: Tree, mutant: Mutant, tmp_path: Path) -> None:
    asked = [tree.python, "-c", "import omnidb_cli.core.health.isolation as it; print(it.__file__, it._CONNECTIONS)"]
    with tree.with_fault(mutant):
        said = subprocess.run(asked, cwd=tmp_path, env={}, capture_output=True, text=True, check=True).stdout
    assert said == f"{tree.root / 'omnidb_cli' / FILE} 4\n"


def test_tests_that_do_not_end_are_killed_at_their_limit(tree: Tree) -> None:
    hanging = tree.root / "tests" / "core" / "test_hanging.py"
    hanging.write_text("def test_it(): \n    while True: pass\n", encoding="utf-8")
    assert tree.tests(["tests/core/test_hanging.py"], limit_s=3).code is None


def test_the_line_is_what_is_covered_else_its_function_else_its_file(mutant: Mutant) -> None:
    inside = mutant._replace(line=20, lines=(18, 24))
    assert covered(NOTICES, line=20).tests_for(inside) == [NOTICES]
    assert covered(NOTICES, line=24).tests_for(inside) == [NOTICES]
    assert covered(NOTICES, line=3).tests_for(inside) == [NOTICES]
    told = {test: {"seconds": 1.0, "lines": [[FILE, line]]} for test, line in ((NOTICES, 20), (ELSEWHERE, 24))}
    assert Coverage([told]).tests_for(inside) == [NOTICES]


def test_what_runs_at_import_is_covered_by_the_whole_room(mutant: Mutant) -> None:
    told = {test: {"seconds": 1.0, "lines": []} for test in (NOTICES, ELSEWHERE)}
    assert mutant.lines is None
    assert Coverage([told]).tests_for(mutant) == [NOTICES]


def test_the_tests_of_the_room_come_first(mutant: Mutant) -> None:
    assert covered(ELSEWHERE, NOTICES).tests_for(mutant) == [NOTICES, ELSEWHERE]


def test_the_traced_run_tells_the_lines_of_a_test_and_of_what_it_starts(tree: Tree) -> None:
    tree.runs("tests.mutants.tracer")
    notes = tree.root / ".lines"
    notes.mkdir()
    test = tree.root / "tests" / "core" / "test_both.py"
    test.write_text(
        "import subprocess, sys\nfrom omnidb_cli.core.health.isolation import is_suspect\n"
        "def test_here(): is_suspect([])\n"
        "COMMAND = [sys.executable, '-c', 'import omnidb_cli.core.health.isolation']\n"
        "def test_there(): subprocess.run(COMMAND, env={}, check=True)\n"
        "def test_failing(): assert is_suspect([])\n",
        encoding="utf-8",
    )
    ended = tree.tests(["tests/core/test_both.py"], "-p", "tests.mutants.tracing", limit_s=60)
    tree.runs()
    told = Coverage([json.loads((notes / "answer.json").read_text(encoding="utf-8"))])
    assert ended.code == 1
    source = (PACKAGE / FILE).read_text(encoding="utf-8").splitlines()
    body = next(number for number, line in enumerate(source, 1) if "seen = list" in line)
    top = next(number for number, line in enumerate(source, 1) if line.startswith("_HOSTS"))
    [place] = [one for one in in_file(PACKAGE / FILE) if (one.before, one.after) == ("2", "(3)")]
    here, there = (f"tests/core/test_both.py::test_{name}" for name in ("here", "there"))
    assert told.tests_for(place._replace(line=body, lines=(body, body))) == [here]
    assert there in told.tests_for(place._replace(line=top, lines=(top, top)))
    assert set(told.seconds) == {here, there}


def test_the_score_counts_what_was_noticed_and_the_report_shows_what_was_not(mutant: Mutant) -> None:
    verdicts = [Verdict(mutant, outcome) for outcome in (KILLED, KILLED, TIMED_OUT, SURVIVED)]
    assert score(verdicts) == 0.75
    told = report(verdicts).splitlines()
    assert told[:3] == [f"omnidb_cli/{FILE}:{mutant.line}, in the module", "  - 3", "  + (4)"]
    assert told[-2:] == ["| core | 4 | 2 | 1 | 1 | 75% |", "| all | 4 | 2 | 1 | 1 | 75% |"]
