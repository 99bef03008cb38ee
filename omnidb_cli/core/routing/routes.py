"""Who would serve whom, and why: reads how connections stand, and changes nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence

from omnidb_cli.core.circuit.model import Instant
from omnidb_cli.core.connection import Connection
from omnidb_cli.core.events.model import utc
from omnidb_cli.core.routing.eligibility import (
    MOST_REASONS,
    Eligibility,
    against,
    clock_time,
    eligibility_of,
    reason_of,
)
from omnidb_cli.core.routing.router import FailoverRouter, choose, is_held_back
from omnidb_cli.core.routing.split_brain import Parting, find, sentence
from omnidb_cli.core.snapshot import Candidate, Route, SplitBrain


class Routes:
    """The reading side of the coordinator. `clock` is in seconds of the moments that `now` gives."""

    __slots__ = ("_connections", "_now", "_roles", "_router", "_suspects")

    def __init__(
        self, connections: Mapping[str, Connection], router: FailoverRouter, now: Callable[[], Instant]
    ) -> None:
        self._connections = connections
        self._router = router
        self._now = now
        self._roles = {name: connection.expected for name, connection in connections.items()}
        replicas = [name for name, role in self._roles.items() if role == "replica"]
        self._suspects = {head for name in replicas for head in (name, *router.heads_of(name))}
        """The routes on which a replica is expected: no others can have a split brain."""

    def eligibility(self, name: str, clock: float) -> Eligibility:
        """Where `name` stands, whatever trial calls are under way."""
        connection = self._connections[name]
        return eligibility_of(connection.state, clock, connection.settings.rules, has_check=connection.has_check)

    def eligibility_for_a_call(self, name: str, clock: float) -> Eligibility:
        """Where `name` stands for one more call: a half-open circuit that has no permit left is out."""
        connection = self._connections[name]
        left = connection.breaker.permits_left(clock)
        return eligibility_of(
            connection.state, clock, connection.settings.rules, has_check=connection.has_check, permits_left=left
        )

    def reason(self, name: str, clock: float) -> str:
        """Why `name` stands where it stands, in words that follow its name."""
        connection = self._connections[name]
        if (split := self.split_brain_of(name)) is not None and not connection.breaker.circuit.held:
            return f"degraded: {split.sentence}"
        left = connection.breaker.permits_left(clock)
        return reason_of(
            connection.state, clock, connection.settings.rules, has_check=connection.has_check, permits_left=left
        )

    def route(self, name: str, *, without: Collection[str] = ()) -> Route:
        """Who would serve `name` now, leaving out `without`, and every candidate's verdict."""
        clock = self._now().clock
        order = self._router.order(name)
        held_back = self._why_held_back(name, clock)

        def stand(one: str) -> Eligibility:
            return Eligibility.INELIGIBLE if one in without else self.eligibility_for_a_call(one, clock)

        serving = choose(order, stand, serving=self._router.serving(name).name, held_back=held_back is not None)
        candidates = self._candidates(order, stand, clock)
        if held_back is not None and serving != name and candidates[0].eligible:
            waiting = Candidate(name, eligible=True, reason=f"{candidates[0].reason}, {held_back}")
            candidates = (waiting, *candidates[1:])
        reason = against(candidates, len(candidates)) if serving is None else f"{name} {candidates[0].reason}"
        return Route(name, serving, serving not in (None, name), reason, candidates, self.split_brain(name))

    def chosen(self, name: str, clock: float) -> str | None:
        """Who takes a call for `name`, its own backups included; None when nobody is eligible."""
        serving, split = self._router.serving(name), self.parting(name) is not None
        held_back = is_held_back(serving.eligible_since, self._router.policy(name), clock, split=split)
        order = self._router.order(name)
        return choose(
            order, lambda one: self.eligibility_for_a_call(one, clock), serving=serving.name, held_back=held_back
        )

    def parting(self, head: str) -> Parting | None:
        """Who takes writes on the route of `head` beside an expected replica, or None."""
        if head not in self._suspects:
            return None
        order, connections = self._router.order(head), self._connections
        return find(order, self._roles, lambda name: connections[name].takes_writes)

    def split_brain(self, head: str) -> SplitBrain | None:
        """The split brain on the route of `head`, or None."""
        parting = self.parting(head)
        if parting is None:
            return None
        since = self._router.serving(head).split_since
        records = {name: self._connections[name].health for name in (parting.primary, *parting.replicas)}
        replica, *others = parting.replicas
        return SplitBrain(
            requested=head,
            primary=parting.primary,
            replica=replica,
            others=tuple(others),
            since=None if since is None else utc(since),
            sentence=sentence(parting, records, since),
        )

    def split_brain_of(self, name: str) -> SplitBrain | None:
        """The split brain in which `name` is the replica that takes writes, or None."""
        if name not in self._suspects or self._roles[name] != "replica":
            return None
        for head in (name, *self._router.heads_of(name)):
            split = self.split_brain(head)
            if split is not None and name in split.replicas:
                return split
        return None

    def split_brains(self) -> tuple[SplitBrain, ...]:
        """Every split brain, in the order of the connections."""
        found = (self.split_brain(head) for head in self._connections if head in self._suspects)
        return tuple(one for one in found if one is not None)

    def standbys(self) -> frozenset[str]:
        """Every connection that only stands by for others (semantics, Failover 9)."""
        return frozenset(name for name in self._roles if self.is_standby(name))

    def is_standby(self, name: str) -> bool:
        """Whether `name` only stands by for others (semantics, Failover 9)."""
        return self._roles[name] != "primary" and self._router.stands_by(name)

    def why_nobody(self, name: str, clock: float) -> str:
        """What stands against the first candidates for `name`, in one line, and how many there are besides."""
        order = self._router.order(name)
        first = self._candidates(order[:MOST_REASONS], lambda one: self.eligibility(one, clock), clock)
        return against(first, len(order))

    def _candidates(
        self, order: Sequence[str], stand: Callable[[str], Eligibility], clock: float
    ) -> tuple[Candidate, ...]:
        return tuple(Candidate(one, stand(one) is not Eligibility.INELIGIBLE, self.reason(one, clock)) for one in order)

    def _why_held_back(self, name: str, clock: float) -> str | None:
        """Why a primary that could serve leaves it to its backup for now, or None."""
        serving, policy = self._router.serving(name), self._router.policy(name)
        split = self.parting(name) is not None
        if policy is None or not is_held_back(serving.eligible_since, policy, clock, split=split):
            return None
        if split:
            return "failback waits while the split brain lasts"
        if serving.eligible_since is None or policy.failback == "manual":
            return "failback is manual"
        back_at = self._now().wall + serving.eligible_since + policy.failback_after_s - clock
        return f"failing back at {clock_time(back_at)}"
