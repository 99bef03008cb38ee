"""Whether it is the observer that is cut off, and not everything that it observes (semantics, Health 8). Pure."""

from collections.abc import Iterable

from omnidb_cli.errors import ErrorKind

NETWORK_KINDS = frozenset({ErrorKind.DNS, ErrorKind.REFUSED, ErrorKind.TIMEOUT, ErrorKind.RESET})
_CONNECTIONS = 3
_HOSTS = 2


def is_suspect(checks: Iterable[tuple[str, str | None]]) -> bool:
    """Whether all of at least three connections on at least two hosts failed with network errors.

    `checks` are (host, error kind) pairs, the kind None where the check did not fail.
    """
    seen = list(checks)
    if len(seen) < _CONNECTIONS or len({host for host, _ in seen}) < _HOSTS:
        return False
    return all(kind in NETWORK_KINDS for _, kind in seen)
