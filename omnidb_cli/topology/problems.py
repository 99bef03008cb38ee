"""Collects what is wrong with a topology, so that everything is told at once, with its place."""

from collections.abc import Collection

from omnidb_cli.errors import Problem
from omnidb_cli.topology.document import Document, Path, short

MOST_PROBLEMS = 1_000
_MOST_COMPARISONS = 50_000  # difflib takes some 10 µs for each


class Faults:
    """The faults found so far in one document."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[tuple[Path, str, bool]] = []
        self._more = 0
        self._comparisons = 0

    def add(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """A fault of the value at `path`, or of its key."""
        if len(self._found) < MOST_PROBLEMS:
            self._found.append((path, message, at_key))
        else:
            self._more += 1

    def nearest(self, word: str, known: Collection[str]) -> str:
        """` (did you mean "x"?)` for the nearest of the known words, or nothing."""
        self._comparisons += len(known)
        if self._comparisons > _MOST_COMPARISONS or len(word) > 100:
            return ""
        from difflib import get_close_matches

        by_letters = {one.lower(): one for one in known}
        near = get_close_matches(word.lower(), by_letters, n=1)
        return f' (did you mean "{short(by_letters[near[0]])}"?)' if near else ""

    def problems(self, document: Document) -> tuple[Problem, ...]:
        """All of them in the order of the text; for a file that is full of faults the first, and how many more."""
        early = [Problem(self._file, line, column, "", text) for line, column, text in document.faults[:MOST_PROBLEMS]]
        late = [document.problem(self._file, path, text, at_key=key) for path, text, key in self._found]
        problems = sorted(early + late, key=lambda problem: (problem.line, problem.column))[:MOST_PROBLEMS]
        more = len(document.faults) + len(late) + self._more - len(problems)
        if more > 0:
            last = problems[-1]
            problems.append(Problem(self._file, last.line, last.column, "", f"and {more:,} more problems"))
        return tuple(problems)
