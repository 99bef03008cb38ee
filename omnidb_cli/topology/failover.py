"""Failover rules as a graph: what may not be in it."""

from collections.abc import Iterator, Mapping, Sequence


def cycles(backups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Each cycle that a walk along the backups closes, as the chain that shows it: `a, b, a`.

    Every edge is walked once, so there are at most as many as edges. A connection that backs itself up is no
    cycle here.
    """
    finished: set[str] = set()
    for start in backups:
        if start not in finished:
            yield from _closed_by(start, backups, finished)


def _closed_by(start: str, backups: Mapping[str, Sequence[str]], finished: set[str]) -> Iterator[tuple[str, ...]]:
    chain = [start]
    position = {start: 0}
    todo = [iter(backups.get(start, ()))]
    while todo:
        backup = next(todo[-1], None)
        if backup is None:
            todo.pop()
            finished.add(done := chain.pop())
            del position[done]
        elif backup in position:
            if backup != chain[-1]:
                yield (*chain[position[backup] :], backup)
        elif backup not in finished:
            position[backup] = len(chain)
            chain.append(backup)
            todo.append(iter(backups.get(backup, ())))
