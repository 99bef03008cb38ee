"""What an orchestrator said and shows, kept beside it: what the state machine compares it with."""

from collections.abc import Sequence

from omnidb_cli import Candidate, CircuitState, ConnectionSnapshot, Event, EventType, Health

TRIALS_OUT = "as many trial calls"


class Ledger:
    """The events so far, each checked to go on from the one before.

    `epochs` counts the stretches of each circuit's life: a call that another stretch admitted is late. `opened_by`
    says who may close it again: health, calls or hand. `held_until` is the loop time at which each hold ends.
    """

    def __init__(self, names: Sequence[str], circuit: CircuitState) -> None:
        self.events: list[Event] = []
        self.epochs = dict.fromkeys(names, 0)
        self.opened_by: dict[str, str] = {}
        self.held_until: dict[str, float] = {}
        self._closed_by_hand: set[str] = set()
        self.health = dict.fromkeys(names, Health.UNKNOWN.value)
        self.circuit = dict.fromkeys(names, circuit.value)
        self.serving: dict[str, str | None] = {name: name for name in names}
        self._read = 0

    def is_held(self, name: str, now_s: float) -> bool:
        return now_s < self.held_until.get(name, 0.0)

    def close(self, name: str) -> None:
        """A person closes it: results from before are void, even where it was closed."""
        self.held_until.pop(name, None)
        self.epochs[name] += 1
        self._closed_by_hand.add(name)

    def read(self, now_s: float) -> None:
        """Takes in what was said since."""
        for event in self.events[self._read :]:
            self._read += 1
            match event.type:
                case EventType.HEALTH_CHANGED:
                    self._read_health(event, event.name or "")
                case EventType.CIRCUIT_OPEN | EventType.CIRCUIT_HALF_OPEN | EventType.CIRCUIT_CLOSE:
                    self._read_circuit(event, event.name or "", now_s)
                case EventType.FAILOVER | EventType.RECOVERY | EventType.NO_ROUTE:
                    self._read_route(event, event.name or "")
                case EventType.ERROR:
                    raise AssertionError(event)
        self._closed_by_hand.clear()

    def _read_health(self, event: Event, name: str) -> None:
        assert event.previous == self.health[name] != event.current
        self.health[name] = str(event.current)

    def _read_circuit(self, event: Event, name: str, now_s: float) -> None:
        assert event.previous == self.circuit[name]
        assert event.current != event.previous or event.reason == "manual", "announced twice"
        if self.is_held(name, now_s):
            assert event.reason in {"manual", "hold-expired", "reset-timeout-elapsed"}, (
                "something automatic touched a hold"
            )
        self._judge_reason(event, name)
        self.circuit[name] = str(event.current)
        self.epochs[name] += 1

    def _judge_reason(self, event: Event, name: str) -> None:
        """Each way out of a state belongs to who led into it (semantics, "Health ↔ circuit")."""
        by = self.opened_by.get(name)
        match (event.type, event.reason):
            case (EventType.CIRCUIT_OPEN, "failure-threshold" | "trial-failed"):
                self.opened_by[name] = "calls"
            case (EventType.CIRCUIT_OPEN, "health-check-failed"):
                self.opened_by[name] = "calls" if event.previous == "half-open" and by == "calls" else "health"
            case (EventType.CIRCUIT_OPEN, "manual"):
                self.opened_by[name] = "hand"
            case (EventType.CIRCUIT_HALF_OPEN, reason):
                assert (
                    by
                    == {"reset-timeout-elapsed": "calls", "health-recovered": "health", "hold-expired": "hand"}[
                        str(reason)
                    ]
                )
            case (EventType.CIRCUIT_CLOSE, "health-recovered"):
                assert by in {"health", "hand"}
            case (EventType.CIRCUIT_CLOSE, "manual"):
                assert name in self._closed_by_hand, "closed by force"
            case (_, reason):
                assert reason in {"trials-succeeded", "hold-expired"}

    def _read_route(self, event: Event, name: str) -> None:
        before = self.serving[name]
        match event.type:
            case EventType.FAILOVER:
                assert event.backup not in (None, name, before)
                self.serving[name] = event.backup
            case EventType.RECOVERY:
                assert before != name
                assert event.backup == before
                self.serving[name] = name
            case _:
                assert before is not None
                self.serving[name] = None


def by_the_rules(
    candidates: Sequence[Candidate], views: dict[str, ConnectionSnapshot], *, unchecked: str, before: str | None
) -> str | None:
    """Who has to serve, worked out anew from what is shown of each candidate (semantics, "One vocabulary")."""
    eligible = [one.name for one in candidates if one.eligible]
    assert eligible == [one.name for one in candidates if _is_eligible(one, views[one.name])]
    in_place = [
        one
        for one in candidates
        if one.eligible
        and (not _waits(one, views[one.name], unchecked) or (one.name == before and not _is_put_off(one)))
    ]
    if any(views[one.name].circuit.state is not CircuitState.HALF_OPEN for one in in_place):
        return in_place[0].name
    return eligible[0] if eligible else None


def _is_eligible(candidate: Candidate, view: ConnectionSnapshot) -> bool:
    refuses = view.circuit.state is CircuitState.OPEN or TRIALS_OUT in candidate.reason
    return view.health is not Health.UNHEALTHY and not refuses


def _waits(candidate: Candidate, view: ConnectionSnapshot, unchecked: str) -> bool:
    """Whether it stands behind a closed backup: checks can prove it, or its failback is put off."""
    half_open = view.circuit.state is CircuitState.HALF_OPEN
    provable = candidate.name != unchecked and view.circuit.reason in ("health-recovered", "hold-expired")
    return _is_put_off(candidate) or (half_open and provable)


def _is_put_off(candidate: Candidate) -> bool:
    return "failback is manual" in candidate.reason or "failing back at" in candidate.reason
