"""Python's garbage collector: out of the way while a command starts, as usual while one stays."""

import gc

_USUAL = gc.get_threshold()


def hold_off() -> None:
    """No collection from now on: start-up makes many objects and no garbage."""
    gc.disable()


def hurry() -> None:
    """Seldom collections from now on, and none of what start-up made: most commands end before one pays."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def settle() -> None:
    """The usual collections from now on, for a command that stays: what it makes each second must not pile up."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
