"""Which connections have the same trouble: what they say, without what only names the one that says it. Pure."""

import re
from collections.abc import Sequence

from omnidb_cli.core.health.model import Health
from omnidb_cli.core.snapshot import ConnectionSnapshot
from omnidb_cli.errors import ErrorKind

_BLANK = "…"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MEASURED = frozenset({ErrorKind.LAG, ErrorKind.SLOW, ErrorKind.TIMEOUT})
"""Kinds whose messages carry a measurement, which is another one for each connection."""

_LEAST = 4
"""Shorter hosts than this are left in a message: they could be a part of any word."""


def likeness(one: ConnectionSnapshot) -> tuple[object, ...]:
    """Equal for connections whose trouble is the same."""
    circuit, route = one.circuit, one.route
    error = one.error
    return (
        one.health,
        one.checked_at is None if one.health is Health.UNKNOWN else None,
        error and (error.kind, _without_numbers(one)),
        (route.failover, route.serving is None),
        (circuit.state, circuit.reason, circuit.retry_at is None),
        (circuit.actor, circuit.held_until) if circuit.manual else None,
    )


def common_message(members: Sequence[ConnectionSnapshot]) -> str:
    """What the errors of `members`, alike as they are, have in common; that of a single one as it is."""
    if len(members) == 1:
        return members[0].error.message if members[0].error else ""
    texts = {anonymous_message(one) for one in members}
    text = texts.pop() if len(texts) == 1 else _without_numbers(members[0])
    return text.removeprefix(f"{_BLANK}: ")


def _without_numbers(one: ConnectionSnapshot) -> str:
    text = anonymous_message(one)
    return _NUMBER.sub(_BLANK, text) if one.error and one.error.kind in _MEASURED else text


def anonymous_message(one: ConnectionSnapshot) -> str:
    """The message without the connection's own name, address, hosts and ports."""
    text = one.error.message if one.error else ""
    address = one.address or ""
    hosts = address.partition("/")[0].split(",") if not address.startswith("/") else []
    names = [host.rpartition(":")[0] for host in hosts]
    for part in (address, *hosts, *names, f'"{one.name}"'):
        if len(part) >= _LEAST:
            text = text.replace(part, _BLANK)
    return text
