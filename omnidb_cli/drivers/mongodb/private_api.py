"""What the client library keeps to itself and has no public way to. Tests notice when its inside has changed."""

import contextlib
from typing import Any


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
