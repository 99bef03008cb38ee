"""Which tests run a line: taken once by a traced run of each test file, and kept while nothing of it changes."""

import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.mutants.each import in_parallel
from tests.mutants.mutant import ROOMS, ROOT, Mutant
from tests.mutants.tree import Tree

_KEPT = ROOT / ".cache" / "mutants"
_ABOUT_THE_WHOLE = "scenarios"
_NOT_USED = {"mutants", "bench", "project"}
_LIMIT_S = 900.0


class Coverage:
    """For each line the tests that run it, and how long each test takes."""

    def __init__(self, answers: Sequence[dict[str, dict[str, list[list[str | int]]]]]) -> None:
        self.seconds: dict[str, float] = {}
        self._tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for answer in answers:
            for test, told in answer.items():
                self.seconds[test] = told["seconds"]  # type: ignore[assignment]
                for file, line in told["lines"]:
                    self._tests[str(file)][int(line)].add(test)

    def tests_for(self, mutant: Mutant) -> list[str]:
        """The tests that could notice: those of the line, else of its function, else of the file.

        What runs at import has run before any test: all tests of its room could notice it. The tests of the room come
        first, before those of others that run the file, the quick ones before the slow ones.
        """
        own = f"tests/{mutant.room}/"
        lines = self._tests.get(mutant.file, {})
        whole = {test for tests in lines.values() for test in tests}
        if mutant.lines is None:
            found = whole | {test for test in self.seconds if test.startswith(own)}
        else:
            first, last = mutant.lines
            near = {test for line, tests in lines.items() if first <= line <= last for test in tests}
            found = lines.get(mutant.line, set()) or near or whole
        return sorted(found, key=lambda test: (not test.startswith(own), test not in whole, self.seconds[test], test))


def coverage(trees: Sequence[Tree], room: str | None) -> Coverage:
    """What is kept, and what must be taken again: of every room that may notice, and of the scenarios."""
    suites = (*dict.fromkeys([*ROOMS, *filter(None, [room])]), _ABOUT_THE_WHOLE)
    files = [path for suite in suites for path in sorted((ROOT / "tests" / suite).rglob("test_*.py"))]
    base = _digest(sorted((ROOT / "omnidb_cli").rglob("*.py")) + _support())
    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = {path: _KEPT / f"{_digest([path], base)}.json" for path in files}
    missing = [path for path in files if not kept[path].exists()]

    def take(tree: Tree, path: Path) -> None:
        print(f"coverage of {path.relative_to(ROOT)} …", file=sys.stderr, flush=True)
        kept[path].write_text(_traced(tree, path.relative_to(ROOT).as_posix()), encoding="utf-8")

    in_parallel(trees, missing, take)
    for old in set(_KEPT.glob("*.json")) - set(kept.values()) if room in {None, *ROOMS} else ():
        old.unlink()
    return Coverage([json.loads(path.read_text(encoding="utf-8")) for path in kept.values()])


def _support() -> list[Path]:
    found = [path for path in sorted((ROOT / "tests").rglob("*.py")) if not path.name.startswith("test_")]
    return [path for path in found if path.relative_to(ROOT / "tests").parts[0] not in _NOT_USED]


def _digest(paths: Sequence[Path], base: str = "") -> str:
    digest = sha256(base.encode())
    for path in paths:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def _traced(tree: Tree, test_file: str) -> str:
    notes = tree.root / ".lines"
    shutil.rmtree(notes, ignore_errors=True)
    notes.mkdir()
    tree.runs("tests.mutants.tracer")
    try:
        ended = tree.tests([test_file], "-p", "tests.mutants.tracing", limit_s=_LIMIT_S)
    finally:
        tree.runs()
    answer = notes / "answer.json"
    if not answer.exists():
        print(f"no coverage of {test_file}: {ended.said[-500:]}", file=sys.stderr)
        return "{}"
    return answer.read_text(encoding="utf-8")
