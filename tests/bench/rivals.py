"""The circuit breakers for Python that are measured beside omnidb's, each used as its own documentation has it.

A rival is made with a `guarded` way to run an async function, healthy, and one whose circuit has been tripped.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

Function = Callable[[], Awaitable[object]]
Guard = Callable[[Function], Function]

_FAILURES = 2
_LONG_S = 3600


class Rival(NamedTuple):
    """A library: `guard()` makes a new breaker that trips after two failures and stays open for an hour."""

    name: str
    guard: Callable[[], Guard]


def _pybreaker() -> Guard:
    import pybreaker

    breaker = pybreaker.CircuitBreaker(fail_max=_FAILURES, reset_timeout=_LONG_S)

    def guard(fn: Function) -> Function:
        async def guarded() -> object:
            with breaker.calling():
                return await fn()

        return guarded

    return guard


def _circuitbreaker() -> Guard:
    import circuitbreaker

    return circuitbreaker.CircuitBreaker(failure_threshold=_FAILURES, recovery_timeout=_LONG_S)


def _aiobreaker() -> Guard:
    import aiobreaker

    breaker = aiobreaker.CircuitBreaker(fail_max=_FAILURES, timeout_duration=timedelta(seconds=_LONG_S))
    return lambda fn: lambda: breaker.call_async(fn)


def _purgatory() -> Guard:
    import purgatory

    factory = purgatory.AsyncCircuitBreakerFactory(default_threshold=_FAILURES, default_ttl=_LONG_S)
    return factory("database")


def _hyx() -> Guard:
    from hyx.circuitbreaker import consecutive_breaker

    return consecutive_breaker(failure_threshold=_FAILURES, recovery_time_secs=_LONG_S)


RIVALS = (
    Rival("pybreaker", _pybreaker),
    Rival("circuitbreaker", _circuitbreaker),
    Rival("aiobreaker", _aiobreaker),
    Rival("purgatory", _purgatory),
    Rival("hyx", _hyx),
)


async def tripped(guard: Guard) -> None:
    """Trips the breaker behind `guard`."""

    async def fail() -> None:
        raise ConnectionResetError

    guarded = guard(fail)
    for _ in range(_FAILURES + 1):
        with suppress(Exception):
            await guarded()
