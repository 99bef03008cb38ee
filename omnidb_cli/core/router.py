"""Who serves whom: the order of candidates, the choice among them, and the failback policy.

Pure but for what `FailoverRouter` remembers of who serves now.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from omnidb_cli.core.settings import Failback, Failover
from omnidb_cli.core.standing import Stand
from omnidb_cli.errors import ConfigurationError
from omnidb_cli.tuples import NamedTuple


class Serving(NamedTuple):
    """Who serves a connection. `known` is False until it was decided once; `name` is None when nobody can.

    `eligible_since` (clock seconds) is since when a primary that does not serve has been eligible without a break.
    """

    name: str | None = None
    known: bool = False
    eligible_since: float | None = None


UNDECIDED = Serving()

FailoverSpec = str | Sequence[str] | Failover


class FailoverRouter:
    """The failover rules of all connections, and who serves each now.

    Raises ConfigurationError for ends that are not connections, self-failover and cycles.
    """

    def __init__(self, failover: Mapping[str, FailoverSpec], names: Iterable[str]) -> None:
        known = set(names)
        self._rules = {head: _rule(head, spec, known) for head, spec in failover.items()}
        _refuse_cycles(self._rules)
        self._orders = {head: _breadth_first(head, self._rules) for head in self._rules}
        self._heads: dict[str, list[str]] = {}
        for head, order in self._orders.items():
            for name in order:
                if name != head:
                    self._heads.setdefault(name, []).append(head)
        self._serving: dict[str, Serving] = {}

    def order(self, name: str) -> tuple[str, ...]:
        """Everybody who may serve `name`: itself, its backups in order, then theirs; each once."""
        return self._orders.get(name) or (name,)

    def heads_of(self, name: str) -> list[str]:
        """The connections, besides itself, that `name` may serve."""
        return self._heads.get(name, [])

    def policy(self, name: str) -> Failover | None:
        """The failover rule of `name`, or None."""
        return self._rules.get(name)

    def serving(self, name: str) -> Serving:
        """Who serves `name` as decided last."""
        return self._serving.get(name, UNDECIDED)

    def settle(self, name: str, serving: Serving) -> None:
        """Remembers who serves `name` now."""
        self._serving[name] = serving


def decide(
    order: Sequence[str], previous: Serving, policy: Failover | None, stand: Callable[[str], Stand], clock: float
) -> Serving:
    """Who serves the first of `order` from `clock` on."""
    head = order[0]
    if policy is None:
        return Serving(head if stand(head) is not Stand.OUT else None, known=True)
    since = None
    if previous.known and previous.name not in (None, head) and stand(head) is not Stand.OUT:
        since = clock if previous.eligible_since is None else previous.eligible_since
    chosen = choose(order, stand, held_back=is_held_back(since, policy, clock))
    return Serving(chosen, known=True, eligible_since=None if chosen == head else since)


def is_held_back(eligible_since: float | None, policy: Failover | None, clock: float) -> bool:
    """Whether a primary that is eligible since then still leaves the service to its backup (semantics, Failover 6)."""
    if eligible_since is None or policy is None:
        return False
    return policy.failback == Failback.MANUAL or clock < eligible_since + policy.failback_after_s


def choose(order: Sequence[str], stand: Callable[[str], Stand], *, held_back: bool = False) -> str | None:
    """The first of `order` that may serve; one being proved by checks, or held back, waits behind a ready one."""
    stands = [(name, stand(name)) for name in order]
    if held_back and stands[0][1] is not Stand.OUT:
        stands[0] = (stands[0][0], Stand.PROVING)
    somebody_ready = any(one is Stand.READY for _, one in stands)
    for name, one in stands:
        if one is Stand.OUT or (one is Stand.PROVING and somebody_ready):
            continue
        return name
    return None


def _rule(head: str, spec: FailoverSpec, known: set[str]) -> Failover:
    rule = spec if isinstance(spec, Failover) else Failover(spec)
    for name in (head, *rule.backups):
        if name not in known:
            raise ConfigurationError(f'failover names "{name}", which is not a connection')
    return rule


def _breadth_first(head: str, rules: Mapping[str, Failover]) -> tuple[str, ...]:
    order, seen = [head], {head}
    for name in order:
        for backup in _backups(name, rules):
            if backup not in seen:
                seen.add(backup)
                order.append(backup)
    return tuple(order)


def _refuse_cycles(rules: Mapping[str, Failover]) -> None:
    finished: set[str] = set()
    for start in rules:
        path = {} if start in finished else {start: iter(_backups(start, rules))}
        while path:
            name, ahead = next(reversed(path.items()))
            backup = next(ahead, None)
            if backup is None:
                finished.add(name)
                del path[name]
            elif backup in path:
                names = list(path)
                chain = " → ".join([*names[names.index(backup) :], backup])
                raise ConfigurationError(f"failover goes round in a circle: {chain}")
            elif backup not in finished:
                path[backup] = iter(_backups(backup, rules))


def _backups(name: str, rules: Mapping[str, Failover]) -> tuple[str, ...]:
    return rules[name].backups if name in rules else ()
