"""Says what is being waited for, once a wait has become noticeable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from omnidb_cli.duration import format_duration

if TYPE_CHECKING:
    from omnidb_cli.output.streams import Streams
    from omnidb_cli.topology import Topology

_NOTICEABLE_S = 1.0


@asynccontextmanager
async def waiting_notice(streams: "Streams", topology: "Topology") -> AsyncIterator[None]:
    """On a terminal, says after a second that checks are under way and how long they may take."""
    longest_s = max(
        (one.timeout_s + one.retry_delay_s) * (1 + one.retries)
        for one in (connection.health_check for connection in topology.connections.values())
    )
    count = len(topology.connections)
    text = f"checking {count} connections: some do not answer yet, at most {format_duration(longest_s)}"
    timer = asyncio.get_running_loop().call_later(_NOTICEABLE_S, streams.progress, text)
    try:
        yield
    finally:
        timer.cancel()
        streams.progress(None)
