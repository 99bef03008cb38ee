"""What `exec` is asked for, and on whom it runs."""

from msgspec import Struct


class ExecRequest(Struct, frozen=True):
    """What the person wants done. `timeout_s` bounds all of it, connecting included."""

    name: str
    statement: str
    parameters: tuple[str, ...] = ()
    failover: bool = True
    timeout_s: float = 30.0
    write_on_backup: bool = False


class ExecTarget(Struct, frozen=True):
    """Who serves an order, on which terms, and why."""

    name: str
    is_failover: bool
    read_only: bool
    reason: str
