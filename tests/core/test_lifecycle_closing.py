"""Closing clients of every kind, all of them, in bounded time."""

import asyncio
from typing import Any

from omnidb_cli.core.lifecycle import close_all
from tests.core.clock import advance, now


class Sync:
    closed = False

    def close(self) -> None:
        self.closed = True


class Async:
    closed = False

    async def close(self) -> None:
        await asyncio.sleep(1)
        self.closed = True


class Both(Async):
    async def aclose(self) -> None:
        self.how = "aclose"


class Failing:
    async def aclose(self) -> None:
        raise OSError("already gone")


class SyncFailing:
    def close(self) -> None:
        raise OSError("already gone")


class Cancelled:
    async def aclose(self) -> None:
        raise asyncio.CancelledError


class Hanging:
    async def aclose(self) -> None:
        await asyncio.Event().wait()


class FailingLate:
    """Ignores its cancellation for a while, and then fails."""

    async def aclose(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(10)
            raise OSError("late") from None


class NotACall:
    close = "a column name"


async def closed(**clients: Any) -> dict[str, BaseException | None]:
    return {name: error async for name, error in close_all(clients, within_s=5)}


async def test_each_kind_is_closed_in_its_way() -> None:
    sync, plain_async, both = Sync(), Async(), Both()
    assert await closed(a=sync, b=plain_async, c=both, d=object(), e=NotACall(), f="text") == dict.fromkeys("abcdef")
    assert sync.closed
    assert plain_async.closed
    assert (both.how, both.closed) == ("aclose", False)


async def test_one_that_fails_is_told_and_the_others_are_closed() -> None:
    good = Sync()
    told = await closed(a=Failing(), b=SyncFailing(), c=Cancelled(), d=good)
    assert [type(error) for error in told.values()] == [OSError, OSError, asyncio.CancelledError, type(None)]
    assert good.closed


async def test_side_by_side_and_one_that_hangs_is_given_up_after_the_bound() -> None:
    slow = [Async() for _ in range(50)]
    before = now()
    told = await closed(hanging=Hanging(), **{f"s{n}": one for n, one in enumerate(slow)})
    assert now() - before < 5.5
    assert isinstance(told["hanging"], TimeoutError)
    assert all(one.closed for one in slow)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_that_fails_long_after_it_was_given_up_troubles_nobody() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    assert isinstance((await closed(a=FailingLate()))["a"], TimeoutError)
    await advance(60)
    assert told == []


async def test_a_client_of_two_names_is_closed_once() -> None:
    closed: list[str] = []

    class Counted:
        async def aclose(self) -> None:
            closed.append("x")

    client = Counted()
    assert [name async for name, _ in close_all({"a": client, "b": client}, within_s=1.0)] == ["a", "b"]
    assert closed == ["x"]
