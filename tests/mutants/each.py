"""Work shared out to as many threads as there are copies."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from tests.mutants.tree import Tree

Work = TypeVar("Work")
Result = TypeVar("Result")


def in_parallel(trees: Sequence[Tree], work: Iterable[Work], do: Callable[[Tree, Work], Result]) -> list[Result]:
    """What `do` returns for each, in order; each call has a copy of its own meanwhile."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def with_tree(one: Work) -> Result:
        tree = free.get()
        try:
            return do(tree, one)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            return list(pool.map(with_tree, work))
        except BaseException:  # interrupted, too: what is under way ends, the rest is not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
