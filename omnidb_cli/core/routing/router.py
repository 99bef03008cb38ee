"""Who serves whom: the order of candidates, the choice among them, and the failback policy.

Pure but for what `FailoverRouter` remembers of who serves now.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from omnidb_cli.core.routing.eligibility import Eligibility
from omnidb_cli.core.settings import Failback, Failover
from omnidb_cli.errors import ConfigurationError


class Assignment(Struct, frozen=True):
    """Who serves a connection. `known` is False until it was decided once; `name` is None when nobody can.

    `eligible_since` (clock seconds) is since when a primary that does not serve has been eligible without a break,
    `split_since` (Unix time) since when two of its route take writes.
    """

    name: str | None = None
    known: bool = False
    eligible_since: float | None = None
    split_since: float | None = None


UNDECIDED = Assignment()

FailoverSpec = str | Sequence[str] | Failover


class FailoverRouter:
    """The failover rules of all connections, and who serves each now.

    Raises ConfigurationError for ends that are not connections, self-failover and cycles.
    """

    def __init__(self, failover: Mapping[str, FailoverSpec], names: Iterable[str]) -> None:
        known = set(names)
        self._rules = {head: _rule(head, spec, known) for head, spec in failover.items()}
        _refuse_cycles(self._rules)
        backups = {head: frozenset(rule.backups) for head, rule in self._rules.items()}
        self._orders = {head: _breadth_first(head, self._rules, backups) for head in self._rules}
        self._heads: dict[str, list[str]] = {}
        for head, order in self._orders.items():
            for name in order:
                if name != head:
                    self._heads.setdefault(name, []).append(head)
        self._serving: dict[str, Assignment] = {}

    def order(self, name: str) -> tuple[str, ...]:
        """Everybody who may serve `name`: itself, its backups in order, then theirs; each once."""
        return self._orders.get(name) or (name,)

    def heads_of(self, name: str) -> list[str]:
        """The connections, besides itself, that `name` may serve."""
        return self._heads.get(name, [])

    def stands_by(self, name: str) -> bool:
        """Whether it is somebody's backup and has no failover of its own."""
        return name not in self._rules and name in self._heads

    def policy(self, name: str) -> Failover | None:
        """The failover rule of `name`, or None."""
        return self._rules.get(name)

    def serving(self, name: str) -> Assignment:
        """Who serves `name` as decided last."""
        return self._serving.get(name, UNDECIDED)

    def settle(self, name: str, serving: Assignment) -> None:
        """Remembers who serves `name` now."""
        self._serving[name] = serving


def decide(
    order: Sequence[str],
    previous: Assignment,
    policy: Failover | None,
    stand: Callable[[str], Eligibility],
    clock: float,
    split_since: float | None = None,
) -> Assignment:
    """Who serves the first of `order` from `clock` on. `split_since` is not None while two of them take writes."""
    head = order[0]
    if policy is None:
        return Assignment(head if stand(head) is not Eligibility.INELIGIBLE else None, known=True)
    since = None
    if previous.known and previous.name not in (None, head) and stand(head) is not Eligibility.INELIGIBLE:
        since = clock if previous.eligible_since is None else previous.eligible_since
    held_back = is_held_back(since, policy, clock, split=split_since is not None)
    chosen = choose(order, stand, serving=previous.name, held_back=held_back)
    return Assignment(chosen, known=True, eligible_since=None if chosen == head else since, split_since=split_since)


def is_held_back(eligible_since: float | None, policy: Failover | None, clock: float, *, split: bool) -> bool:
    """Whether a primary that is eligible since then still leaves the service to its backup.

    It does until `failback_after` is over, until a person says otherwise, and while a split brain lasts (semantics,
    Failover 6 and 8).
    """
    if eligible_since is None or policy is None:
        return False
    return split or policy.failback == Failback.MANUAL or clock < eligible_since + policy.failback_after_s


def fails_back_at(serving: Assignment, policy: Failover, clock: float) -> float | None:
    """The clock seconds at which a primary that is held back comes back by itself, or None.

    None too where that time is over and checks are still proving it, and while a split brain lasts: then it is a
    check that leads on, not the clock.
    """
    if serving.eligible_since is None or serving.split_since is not None or policy.failback == Failback.MANUAL:
        return None
    back_at = serving.eligible_since + policy.failback_after_s
    return back_at if back_at > clock else None


def choose(
    order: Sequence[str], stand: Callable[[str], Eligibility], *, serving: str | None = None, held_back: bool = False
) -> str | None:
    """The first of `order` that may serve; one being proved by checks, or held back, waits behind a ready one.

    A recovering one that serves already goes on: after an outage of a whole pair the service would otherwise bounce
    from the primary to whichever backup is proved first, and back.
    """
    waiting = in_place = None
    for name in order:
        one = stand(name)
        if one is Eligibility.INELIGIBLE:
            continue
        put_off = held_back and name == order[0]
        if put_off or (one is Eligibility.RECOVERING and name != serving):
            waiting = waiting or name
        elif waiting is None:
            return name
        else:
            in_place = in_place or name
            if one is Eligibility.ELIGIBLE:
                return in_place
    return waiting or in_place


def _rule(head: str, spec: FailoverSpec, known: set[str]) -> Failover:
    rule = spec if isinstance(spec, Failover) else Failover(spec)
    for name in (head, *rule.backups):
        if name not in known:
            raise ConfigurationError(f'failover names "{name}", which is not a connection')
    return rule


def _breadth_first(head: str, rules: Mapping[str, Failover], backups: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """`backups` are those of the rules as sets: one that adds nothing new is passed over at once."""
    order, seen = [head], {head}
    for name in order:
        if name not in rules or backups[name] <= seen:
            continue
        for backup in rules[name].backups:
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
                raise ConfigurationError(f"failover cycle: {chain}")
            elif backup not in finished:
                path[backup] = iter(_backups(backup, rules))


def _backups(name: str, rules: Mapping[str, Failover]) -> tuple[str, ...]:
    return rules[name].backups if name in rules else ()
