"""`python -m tests.mutants`: puts small faults into copies of the code, and says which of them no test notices."""

import sys
import threading
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence

from tests.mutants.covering import Coverage, coverage
from tests.mutants.each import in_parallel
from tests.mutants.mutant import ROOMS, Mutant, every, sampled
from tests.mutants.tree import Tree, copies
from tests.mutants.trial import KILLED, SURVIVED, TIMED_OUT, Verdict, tried

GOAL = 0.95


def main() -> None:
    """Prints the survivors and the score of each room; ends with 1 when the score is below the goal."""
    asked = _asked()
    mutants = _wanted(asked)
    print(f"{len(mutants)} mutants, seed {asked.seed}", file=sys.stderr)
    with copies(asked.workers) as trees:
        verdicts = _verdicts(trees, mutants, coverage(trees, asked.room))
    print(report(verdicts))
    sys.exit(0 if score(verdicts) >= GOAL else 1)


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.mutants", description="Tells what share of small faults tests find.")
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="how many (150)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which: the same seed draws the same ones (1)")
    parser.add_argument("--room", choices=[*ROOMS, "output", "drivers"], help=f"of one room, not of {', '.join(ROOMS)}")
    parser.add_argument("--only", metavar="FILE[:LINE]", help="all in this place, such as core/circuit/model.py:120")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="how many at a time (2)")
    return parser.parse_args()


def _wanted(asked: Namespace) -> Sequence[Mutant]:
    if asked.only is None:
        return sampled([asked.room] if asked.room else ROOMS, asked.sample, asked.seed)
    file, _, line = asked.only.partition(":")
    found = [one for one in every(file.partition("/")[0]) if one.file == file and line in {"", str(one.line)}]
    return found or sys.exit(f"nothing to change in {asked.only}")


def _verdicts(trees: Sequence[Tree], mutants: Sequence[Mutant], covered: Coverage) -> list[Verdict]:
    lock, done = threading.Lock(), 0

    def attempt(tree: Tree, mutant: Mutant) -> Verdict:
        nonlocal done
        verdict = tried(tree, mutant, covered)
        with lock:
            done += 1
            by = f" by {verdict.by}" if verdict.by else ""
            print(f"{done}/{len(mutants)} {verdict.outcome}{by}: {mutant}", file=sys.stderr, flush=True)
        return verdict

    return in_parallel(trees, mutants, attempt)


def score(verdicts: Sequence[Verdict]) -> float:
    """The share that was noticed; a run that no longer ends is noticed too."""
    return sum(one.outcome != SURVIVED for one in verdicts) / len(verdicts) if verdicts else 1.0


def report(verdicts: Sequence[Verdict]) -> str:
    """The survivors, each with its line before and after, and a table of the rooms."""
    lines = []
    for mutant in (one.mutant for one in verdicts if one.outcome == SURVIVED):
        lines += [f"omnidb_cli/{mutant.file}:{mutant.line}, in {mutant.inside}"]
        lines += [f"  - {' '.join(mutant.before.split())}", f"  + {' '.join(mutant.after.split())}", ""]
    lines += ["| room | mutants | killed | timed out | survived | score |", "|---|---|---|---|---|---|"]
    rooms = sorted({one.mutant.room for one in verdicts})
    for room in rooms:
        lines.append(_row(room, [one for one in verdicts if one.mutant.room == room]))
    return "\n".join([*lines, _row("all", verdicts)])


def _row(name: str, verdicts: Sequence[Verdict]) -> str:
    counts = Counter(one.outcome for one in verdicts)
    cells = [len(verdicts), counts[KILLED], counts[TIMED_OUT], counts[SURVIVED], f"{score(verdicts):.0%}"]
    return f"| {name} | {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
