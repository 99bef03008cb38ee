"""Ends a connection at once, whatever state its transport is in."""

import asyncio


def abort(transport: asyncio.WriteTransport) -> None:
    """Aborts the transport; one that TLS has let go of already has nothing left to abort.

    Python before 3.11.4 (Debian 12 has 3.11.2) fails with an AttributeError there.
    """
    if getattr(transport, "_ssl_protocol", transport) is not None:
        transport.abort()
