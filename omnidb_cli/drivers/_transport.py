"""What every transport is asked: to end at once, and where it leads."""

import asyncio
import contextlib
import socket


def abort(transport: asyncio.WriteTransport) -> None:
    """Aborts the transport; one that TLS has let go of already has nothing left to abort."""
    with contextlib.suppress(AttributeError):  # so Python before 3.11.4 fails there; Debian 12 has 3.11.2
        transport.abort()


def is_on_this_host(transport: asyncio.BaseTransport) -> bool:
    """Whether it leads to no other host: a unix socket, or a loopback address, whatever name it was found by."""
    peer = transport.get_extra_info("socket")
    if peer is None:
        return False
    if peer.family == socket.AF_UNIX:
        return True
    from ipaddress import IPv6Address, ip_address

    name = transport.get_extra_info("peername")
    if not name:
        return False
    address = ip_address(name[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback
