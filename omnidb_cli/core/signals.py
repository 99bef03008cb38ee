"""Signals as a call: set up on the running loop, and removable again."""

import asyncio
import signal
from collections.abc import Callable, Sequence


def on_signals(signals: Sequence[signal.Signals], act: Callable[[signal.Signals], None]) -> Callable[[], None]:
    """Calls `act(signal)` whenever one of `signals` arrives; returns the function that puts the old handlers back."""
    loop = asyncio.get_running_loop()
    former = {one: signal.getsignal(one) for one in signals}
    for one in signals:
        loop.add_signal_handler(one, act, one)

    def remove() -> None:
        for one, handler in former.items():
            if not loop.is_closed():
                loop.remove_signal_handler(one)
            signal.signal(one, handler)
        former.clear()

    return remove
