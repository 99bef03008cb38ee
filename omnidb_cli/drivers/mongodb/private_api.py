"""What pymongo keeps to itself and has no public way to; docs/extending.md has each use with its reason."""

import contextlib
from typing import Any

from pymongo import pool_shared
from pymongo.network_layer import PyMongoProtocol

from omnidb_cli.drivers._scram import why_too_many
from omnidb_cli.drivers.mongodb.measured import most_bytes

_AUTHENTICATION_FAILED = 18


def idle_socket_of(client: Any) -> int | None:
    """The file descriptor of the one connection that lies idle in the client's pool, None when there is none.

    Where it cannot be found nothing is watched: checks by the interval still find what is lost.
    """
    try:
        servers = client._topology._servers.values()  # noqa: SLF001
        idle = [conn for server in servers for conn in server.pool.conns]
        number = idle[0].conn.sock.fileno()
    except (AttributeError, IndexError, OSError):
        return None
    return number if isinstance(number, int) and number >= 0 else None


def forget_sessions(client: Any) -> None:
    """Lets the client close without telling the server first, for which it would connect anew and wait.

    Where it cannot be had closing waits for no longer than it may.
    """
    with contextlib.suppress(AttributeError):
        client._topology.pop_all_sessions()  # noqa: SLF001


class BoundedProtocol(PyMongoProtocol):
    """The library's, which makes room for what a message announces, and believes the server how long it may be."""

    def __init__(self, timeout: float | None = None) -> None:
        self._longest = self._bound = most_bytes()
        super().__init__(timeout)

    @property
    def _max_message_size(self) -> int:
        """Of the next message, as it comes and unpacked."""
        return self._longest

    @_max_message_size.setter
    def _max_message_size(self, size: int) -> None:
        self._longest = min(size, self._bound)


pool_shared.PyMongoProtocol = BoundedProtocol  # type: ignore[attr-defined]


def limit_scram_rounds() -> None:
    """Has no login hash the password more often than it may: nothing else in this process would run meanwhile."""
    from pymongo.asynchronous import auth
    from pymongo.errors import OperationFailure

    parse = auth._parse_scram_response  # type: ignore[attr-defined]  # noqa: SLF001
    if parse.__module__ == __name__:
        return

    def parse_within_limits(response: bytes) -> dict[bytes, bytes]:
        try:
            parsed = parse(response)
        except ValueError as error:
            raise OperationFailure(
                "its password authentication (SCRAM) cannot be read", _AUTHENTICATION_FAILED
            ) from error
        why = why_too_many(parsed.get(b"i", b""))
        if why is not None:
            raise OperationFailure(why, _AUTHENTICATION_FAILED)
        return parsed

    auth._parse_scram_response = parse_within_limits  # type: ignore[attr-defined]  # noqa: SLF001


def keep_log_from_stderr() -> None:
    """Where nobody has set up logging Python would write what the library logs to stderr, tracebacks too."""
    import logging

    log = logging.getLogger("pymongo")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
