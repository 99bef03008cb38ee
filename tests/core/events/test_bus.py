"""Handlers and streams: everybody hears everything, in order, and nobody's trouble is another's."""

import asyncio
import gc
from datetime import UTC
from typing import Any

import pytest

from omnidb_cli import ConfigurationError, Event, EventType
from omnidb_cli.core.events.bus import STREAM_LIMIT, EventBus
from omnidb_cli.core.events.model import utc
from tests.core.clock import advance, now, settle


def event(type_: EventType = EventType.CONNECTED, name: str = "a") -> Event:
    return Event(type_, name, utc(0.0))


CONNECTED, ERROR = EventType.CONNECTED, EventType.ERROR


def test_events_are_frozen_and_their_time_is_aware() -> None:
    one = event()
    assert one.at.tzinfo is UTC
    with pytest.raises(AttributeError):
        one.name = "b"  # type: ignore[misc]


def test_the_types_are_the_closed_list() -> None:
    assert [word.value for word in EventType] == [
        "connected",
        "disconnected",
        "health:changed",
        "circuit:open",
        "circuit:half-open",
        "circuit:close",
        "hold:changed",
        "failover",
        "recovery",
        "no-route",
        "split-brain",
        "error",
        "shutdown",
    ]


def test_a_handler_hears_its_type_only_until_it_is_taken_off() -> None:
    bus, heard = EventBus(), []
    bus.on("connected", heard.append)
    bus.publish(event(), event(EventType.FAILOVER), event())
    bus.off("connected", heard.append)
    bus.publish(event())
    assert [one.type for one in heard] == [CONNECTED, CONNECTED]


def test_after_one_is_taken_off_the_others_still_hear() -> None:
    bus, first, second, once = EventBus(), [], [], []
    bus.on("connected", lambda one: first.append(one.name))
    bus.on("connected", second.append)
    bus.on("connected", lambda one: once.append(one.name), once=True)
    bus.on("failover", second.append)
    bus.off("connected", second.append)
    bus.publish(event(name="a"), event(EventType.FAILOVER), event(name="b"))
    assert (first, [one.type for one in second], once) == (["a", "b"], [EventType.FAILOVER], ["a"])


def test_after_a_once_handler_has_heard_the_others_still_hear() -> None:
    bus, heard = EventBus(), []
    bus.on("connected", lambda _: heard.append("once"), once=True)
    bus.on("connected", lambda _: heard.append("always"))
    bus.publish(event(), event())
    assert heard == ["once", "always", "always"]


def test_once_is_once() -> None:
    bus, heard = EventBus(), []
    bus.on("connected", heard.append, once=True)
    bus.publish(event(name="a"), event(name="b"))
    assert [one.name for one in heard] == ["a"]


def test_off_takes_a_once_handler_off_too_and_a_stranger_is_no_fault() -> None:
    bus, heard = EventBus(), []
    bus.on("connected", heard.append, once=True)
    bus.off("connected", heard.append)
    bus.off("connected", print)
    bus.publish(event())
    assert heard == []


@pytest.mark.parametrize("once", [True, False])
def test_a_handler_taken_off_by_an_earlier_one_is_not_called_any_more(*, once: bool) -> None:
    bus, heard = EventBus(), []
    bus.on("connected", lambda _: bus.off("connected", heard.append))
    bus.on("connected", heard.append, once=once)
    bus.publish(event())
    assert heard == []


def test_what_is_no_event_and_what_cannot_be_called_is_refused() -> None:
    bus = EventBus()
    with pytest.raises(ConfigurationError, match="circuit:open"):
        bus.on("circuit:opened", print)
    with pytest.raises(ConfigurationError, match="fail"):
        bus.off("fail", print)
    with pytest.raises(ConfigurationError):
        bus.on("connected", "print")  # type: ignore[arg-type]


def test_an_event_that_a_handler_causes_comes_after_those_under_way() -> None:
    bus, heard = EventBus(), []

    def cause(one: Event) -> None:
        if one.name == "first":
            bus.publish(event(name="caused"))

    bus.on("connected", cause)
    bus.on("connected", lambda one: heard.append(one.name))
    bus.publish(event(name="first"), event(name="second"))
    assert heard == ["first", "second", "caused"]


def test_one_handlers_failure_is_an_error_event_and_the_others_are_still_called() -> None:
    bus, heard, errors = EventBus(), [], []
    trouble = ValueError("mine")

    def fail(_: Event) -> None:
        raise trouble

    bus.on("connected", fail)
    bus.on("connected", heard.append)
    bus.on("error", errors.append)
    bus.publish(event())
    assert len(heard) == 1
    assert [(one.name, one.error, one.reason) for one in errors] == [("a", trouble, "handler of connected failed")]


async def test_an_async_handlers_failure_is_an_error_event_too() -> None:
    bus, errors = EventBus(), []

    async def fail(_: Event) -> None:
        raise ValueError("mine")

    bus.on("connected", fail)
    bus.on("error", errors.append)
    bus.publish(event())
    await settle()
    assert [str(one.error) for one in errors] == ["mine"]


async def test_a_failing_error_handler_goes_to_the_loop_and_not_round_in_a_circle() -> None:
    bus, told = EventBus(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

    def fail(_: Event) -> None:
        raise ValueError("mine")

    bus.on("error", fail)
    bus.publish(event(ERROR))
    assert [str(error) for error in told] == ["mine"]


def test_without_a_loop_a_failing_error_handler_is_shown_as_python_shows_errors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bus = EventBus()

    def fail(_: Event) -> None:
        raise ValueError("mine")

    bus.on("error", fail)
    bus.publish(event(ERROR))
    assert "ValueError: mine" in capsys.readouterr().err


async def test_a_slow_async_handler_delays_nobody() -> None:
    bus, heard = EventBus(), []

    async def slow(one: Event) -> None:
        await asyncio.sleep(60)
        heard.append("slow")

    bus.on("connected", slow)
    bus.on("connected", lambda _: heard.append("quick"))
    bus.publish(event())
    assert heard == ["quick"]
    await bus.aclose(within_s=100)
    assert heard == ["quick", "slow"]


def test_async_handlers_of_events_before_there_is_a_loop_run_when_there_is_one() -> None:
    bus, heard = EventBus(), []

    async def note(one: Event) -> None:
        heard.append(one.name)

    bus.on("connected", note)
    bus.publish(event(name="early"))
    assert heard == []

    async def later() -> None:
        bus.resume()
        await settle()

    asyncio.run(later())
    assert heard == ["early"]


def test_closing_runs_what_was_put_off_so_that_no_coroutine_is_lost() -> None:
    bus, heard = EventBus(), []

    async def note(one: Event) -> None:
        heard.append(one.name)

    bus.on("connected", note)
    bus.publish(event(name="early"))
    asyncio.run(bus.aclose(within_s=1))
    gc.collect()
    assert heard == ["early"]


async def test_closing_waits_for_handlers_so_long_and_no_longer_and_leaves_no_task() -> None:
    bus = EventBus()

    async def hang(_: Event) -> None:
        await asyncio.Event().wait()

    bus.on("connected", hang)
    bus.publish(event())
    before = now()
    await bus.aclose(within_s=5)
    assert now() - before == pytest.approx(5)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_waits_also_for_the_handlers_that_a_handler_caused() -> None:
    bus, heard = EventBus(), []

    async def first(_: Event) -> None:
        await asyncio.sleep(1)
        bus.publish(event(EventType.FAILOVER))

    async def second(_: Event) -> None:
        await asyncio.sleep(1)
        heard.append("second")

    bus.on("connected", first)
    bus.on("failover", second)
    bus.publish(event())
    await bus.aclose(within_s=5)
    assert heard == ["second"]


async def test_a_handler_that_will_not_stop_does_not_keep_closing_from_ending() -> None:
    bus = EventBus()
    release = asyncio.Event()

    async def stubborn(_: Event) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    bus.on("connected", stubborn)
    bus.publish(event())
    await bus.aclose(within_s=5)
    release.set()
    await settle()


async def names(stream: Any) -> list[str | None]:
    return [one.name async for one in stream]


async def test_a_stream_has_all_types_from_its_making_on_and_ends_at_closing() -> None:
    bus = EventBus()
    bus.publish(event(name="before"))
    stream = bus.stream()
    bus.publish(event(name="one"), event(EventType.FAILOVER, "two"))
    await bus.aclose(within_s=0)
    bus.publish(event(name="after"))
    assert await names(stream) == ["one", "two"]
    assert await names(stream) == []


async def test_a_reader_that_waits_is_woken_by_an_event_and_by_the_end() -> None:
    bus = EventBus()
    reading = asyncio.create_task(names(bus.stream()))
    await advance(1)
    bus.publish(event(name="one"))
    await advance(1)
    assert not reading.done()
    await bus.aclose(within_s=0)
    assert await reading == ["one"]


async def test_a_reader_that_falls_behind_loses_the_oldest_and_is_told_how_many() -> None:
    bus = EventBus()
    stream = bus.stream()
    for number in range(STREAM_LIMIT + 7):
        bus.publish(event(name=str(number)))
    await bus.aclose(within_s=0)
    read = [one async for one in stream]
    assert STREAM_LIMIT == 1000
    assert (read[0].type, read[0].detail) == (ERROR, {"lost": 7})
    assert [one.name for one in read[1:]] == [str(number) for number in range(7, STREAM_LIMIT + 7)]


async def test_every_stream_has_every_event() -> None:
    bus = EventBus()
    first, second = bus.stream(), bus.stream()
    bus.publish(event(name="one"))
    await bus.aclose(within_s=0)
    assert await names(first) == await names(second) == ["one"]
