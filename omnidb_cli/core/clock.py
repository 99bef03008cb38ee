"""What time it is in an orchestrator: the running loop's clock, so that waits and timers agree, and the wall's."""

from asyncio import get_running_loop
from time import monotonic, time

from omnidb_cli.core.circuit.model import Instant


def clock() -> float:
    """Seconds of the running loop's clock; of the monotonic clock where no loop runs."""
    try:
        return get_running_loop().time()
    except RuntimeError:
        return monotonic()


def now() -> Instant:
    """The present instant on both clocks."""
    return Instant(clock(), time())
