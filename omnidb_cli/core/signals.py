"""Signals as a call: set up on the running loop, and removable again."""

import asyncio
import signal
from collections.abc import Callable, Sequence


def on_signals(signals: Sequence[signal.Signals], act: Callable[[signal.Signals], None]) -> Callable[[], None]:
    """Calls `act(signal)` whenever one of `signals` arrives; returns the function that puts the old handlers back."""
    loop = asyncio.get_running_loop()
    former: dict[signal.Signals, object] = {}

    def remove() -> None:
        for one, handler in former.items():
            if not loop.is_closed():
                loop.remove_signal_handler(one)
            if handler is not None:  # one that was not set from Python cannot be put back from here
                signal.signal(one, handler)  # type: ignore[arg-type]
        former.clear()

    try:
        for one in signals:
            handler = signal.getsignal(one)
            loop.add_signal_handler(one, act, one)
            former.setdefault(one, handler)
    except BaseException:
        remove()
        raise
    return remove
