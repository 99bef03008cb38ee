"""The way of a call: through a healthy connection, and refused; beside a bare await and beside other breakers."""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from statistics import median

from omnidb_cli import (
    CircuitBreaker,
    CircuitOpenError,
    ConnectionUnavailableError,
    HealthCheck,
    OmnidbError,
    Orchestrator,
)
from tests.bench.rivals import RIVALS, Function, tripped
from tests.bench.row import Row, at_most, failed
from tests.bench.scale import Scale
from tests.bench.timing import Seconds, alternate_async, ratio

_BARE = "await fn()"
_EXECUTE = "await db.execute(name, fn)"
_REFUSED = "await db.execute(name, fn), refused"
_BREAKER = "await breaker.execute(fn)"
_BREAKER_REFUSED = "await breaker.execute(fn), refused"

Run = Callable[[], Awaitable[None]]


async def answer() -> int:
    """What is called: it does nothing."""
    return 1


async def rows(scale: Scale) -> list[Row]:
    """The rows of this section."""
    async with _orchestrator() as db, _orchestrator() as held:
        held.open_circuit("primary")
        held.open_circuit("replica")
        runs = {**_ours(db, held, scale.calls), **await _rivals(scale.calls)}
        seconds = await alternate_async(runs, scale.rounds)
    return [
        at_most(_EXECUTE, ratio(seconds, _EXECUTE, _BARE), 3, unit=" ×", note=_absolute(seconds, scale)),
        at_most(_REFUSED, ratio(seconds, _REFUSED, _BARE), 8, unit=" ×"),
        at_most(_BREAKER, ratio(seconds, _BREAKER, _BARE), 3, unit=" ×"),
        at_most(_BREAKER_REFUSED, ratio(seconds, _BREAKER_REFUSED, _BARE), 8, unit=" ×"),
        *(_beside(rival.name, seconds) for rival in RIVALS),
    ]


def _absolute(seconds: Seconds, scale: Scale) -> str:
    return f" a bare await ({median(seconds[_BARE]) / scale.calls * 1e9:.0f} ns)"


def _orchestrator() -> Orchestrator:
    async def check(_client: str) -> bool:
        return True

    return Orchestrator(
        {"primary": "P", "replica": "R"},
        failover={"primary": "replica"},
        health_check=HealthCheck(checks={"primary": check, "replica": check}),
    )


def _ours(db: Orchestrator, held: Orchestrator, calls: int) -> dict[str, Run]:
    closed, opened = CircuitBreaker(), CircuitBreaker()
    opened.open()

    async def answer_to(_client: str) -> int:
        return 1

    async def bare() -> None:
        for _ in range(calls):
            await answer()

    async def execute() -> None:
        for _ in range(calls):
            await db.execute("primary", answer_to)

    async def refused() -> None:
        for _ in range(calls):
            try:
                await held.execute("primary", answer_to)
            except ConnectionUnavailableError:
                continue

    async def breaker() -> None:
        for _ in range(calls):
            await closed.execute(answer)

    async def breaker_refused() -> None:
        for _ in range(calls):
            try:
                await opened.execute(answer)
            except CircuitOpenError:
                continue

    return {_BARE: bare, _EXECUTE: execute, _REFUSED: refused, _BREAKER: breaker, _BREAKER_REFUSED: breaker_refused}


async def _rivals(calls: int) -> dict[str, Run]:
    runs: dict[str, Run] = {}
    for rival in RIVALS:
        if find_spec(rival.name) is None:
            continue
        runs[rival.name] = _repeated(rival.guard()(answer), calls)
        open_guard = rival.guard()
        await tripped(open_guard)
        runs[f"{rival.name}, refused"] = _refusals(open_guard(answer), calls)
    return runs


def _repeated(guarded: Function, calls: int) -> Run:
    async def run() -> None:
        for _ in range(calls):
            await guarded()

    return run


def _refusals(guarded: Function, calls: int) -> Run:
    async def run() -> None:
        for _ in range(calls):
            try:
                await guarded()
            except Exception as refusal:
                if isinstance(refusal, OmnidbError | ConnectionError):
                    raise
            else:
                raise AssertionError("the circuit let a call through")

    return run


def _beside(name: str, seconds: Seconds) -> Row:
    what = f"faster than {name}: db.execute, and refused"
    if name not in seconds:
        return failed(what, "> 1 × each", "not installed; `pip install --group bench`")
    healthy, refused = ratio(seconds, name, _EXECUTE), ratio(seconds, f"{name}, refused", _REFUSED)
    return Row(what, f"{healthy:.3g} × and {refused:.3g} ×", "> 1 × each", healthy > 1 and refused > 1)
