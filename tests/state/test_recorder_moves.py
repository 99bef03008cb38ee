"""Who serves, as several processes decided it: a late one neither undoes nor tells again what others did since."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from omnidb_cli.core.events.model import Event, EventType, utc
from omnidb_cli.core.routing.router import Assignment
from omnidb_cli.state.recorder import Recorder
from omnidb_cli.state.sqlite.store import SqliteStore

Opener = Callable[[], SqliteStore]
Maker = Callable[..., Recorder]


def types(store: SqliteStore) -> Sequence[str]:
    return [one.event.type.value for one in store.events()]


def failover(clock: Any, backup: str = "replica") -> Event:
    return Event(EventType.FAILOVER, "primary", utc(clock.wall), primary="primary", backup=backup)


def recovery(clock: Any) -> Event:
    return Event(EventType.RECOVERY, "primary", utc(clock.wall), primary="primary", backup="replica")


def test_a_late_observer_of_a_whole_outage_tells_nothing_of_it_again(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    quick, slow = recorder_on(open_shop()), recorder_on(open_shop())
    for recorder in (quick, slow):
        recorder.routed("primary", Assignment("replica", known=True), (failover(clock),))
        clock.advance(0.1)
    for recorder in (slow, quick):
        recorder.routed("primary", Assignment("primary", known=True), (recovery(clock),))
        clock.advance(0.1)
    quick.flush()
    saved = slow.flush()["primary"]
    assert (saved.serving, types(open_shop())) == ("primary", ["failover", "recovery"])


def test_who_slept_through_a_recovery_does_not_undo_it_by_what_it_thinks_goes_on(
    open_shop: Opener, recorder_on: Maker, clock: Any
) -> None:
    watch, other = recorder_on(open_shop()), recorder_on(open_shop())
    watch.routed("primary", Assignment("replica", known=True), (failover(clock),))
    watch.flush()
    clock.advance(1)
    other.routed("primary", Assignment("primary", known=True), (recovery(clock),))
    other.flush()
    clock.advance(1)
    watch.routed("primary", Assignment("replica", known=True, eligible_since=clock.clock))
    watch.routed("primary", Assignment("primary", known=True), (recovery(clock),))
    saved = watch.flush()["primary"]
    assert (saved.serving, saved.eligible_since, types(open_shop())) == ("primary", None, ["failover", "recovery"])


def test_a_persons_word_is_never_too_late(open_shop: Opener, recorder_on: Maker, clock: Any) -> None:
    person, watch = recorder_on(open_shop()), recorder_on(open_shop())
    watch.routed("primary", Assignment("replica", known=True), (failover(clock),))
    watch.flush()
    person.routed("primary", Assignment("primary", known=True), (replace(recovery(clock), actor="ann"),))
    clock.advance(1)
    watch.routed("primary", Assignment("third", known=True), (failover(clock, "third"),))
    watch.flush()
    assert person.flush()["primary"].serving == "primary"
