"""Whether a test notices a mutant."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from tests.mutants.covering import Coverage
from tests.mutants.mutant import Mutant
from tests.mutants.tree import Tree

_SLOW_S = 60.0
"""How much test time beyond the room's own a survivor is given."""

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


class Verdict(NamedTuple):
    """What became of a mutant, and the test that noticed it (None where none did, or none can be named)."""

    mutant: Mutant
    outcome: str
    by: str | None = None


def tried(tree: Tree, mutant: Mutant, coverage: Coverage) -> Verdict:
    """Runs the tests of the room that cover it, then those of other rooms and the scenarios, until one fails."""
    with tree.with_fault(mutant):
        for tests in _stages(mutant, coverage):
            ended = tree.tests(tests, "-x", limit_s=30 + 5 * sum(coverage.seconds[test] for test in tests))
            if ended.code is None:
                return Verdict(mutant, TIMED_OUT)
            if ended.code != 0:
                failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ended.said, re.MULTILINE)
                return Verdict(mutant, KILLED, failed[1] if failed else None)
    return Verdict(mutant, SURVIVED)


def _stages(mutant: Mutant, coverage: Coverage) -> Iterator[list[str]]:
    own = f"tests/{mutant.room}/"
    for of_the_room, group in groupby(coverage.tests_for(mutant), lambda test: test.startswith(own)):
        if of_the_room:
            yield list(group)
        else:
            yield _affordable(list(group), coverage)


def _affordable(tests: list[str], coverage: Coverage) -> list[str]:
    chosen, spent = [], 0.0
    for test in tests:
        spent += coverage.seconds[test]
        if chosen and spent > _SLOW_S:
            break
        chosen.append(test)
    return chosen
