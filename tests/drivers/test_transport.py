"""Ending a connection at once, and where one leads."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from omnidb_cli.drivers._transport import abort, is_on_this_host


class Transport(asyncio.Transport):
    """Counts its aborts; like that of TLS when asked to."""

    def __init__(self, **inside: object) -> None:
        super().__init__()
        vars(self).update(inside)
        self.aborts = 0

    def abort(self) -> None:
        self.aborts += 1


def test_a_connection_is_aborted() -> None:
    for transport in (Transport(), Transport(_ssl_protocol=object())):
        abort(transport)
        assert transport.aborts == 1


def test_one_that_tls_has_let_go_of_is_left_alone() -> None:
    transport = Transport(_ssl_protocol=None)
    abort(transport)
    assert transport.aborts == 0


class Leading(asyncio.BaseTransport):
    """A transport that leads somewhere."""

    def __init__(self, family: int, peer: object) -> None:
        super().__init__({"socket": SimpleNamespace(family=family), "peername": peer})


@pytest.mark.parametrize(
    ("family", "peer", "here"),
    [
        (socket.AF_UNIX, "", True),
        (socket.AF_INET, ("127.0.0.1", 5432), True),
        (socket.AF_INET, ("127.9.9.9", 5432), True),
        (socket.AF_INET6, ("::1", 5432, 0, 0), True),
        (socket.AF_INET6, ("::ffff:127.0.0.1", 5432, 0, 0), True),
        (socket.AF_INET6, ("fe80::1%lo", 5432, 0, 1), False),
        (socket.AF_INET6, ("::ffff:10.0.0.1", 5432, 0, 0), False),
        (socket.AF_INET, ("10.0.0.1", 5432), False),
        (socket.AF_INET, None, False),
    ],
)
def test_what_leads_to_no_other_host(family: int, peer: object, here: bool) -> None:
    assert is_on_this_host(Leading(family, peer)) is here


def test_what_has_no_socket_leads_anywhere() -> None:
    assert not is_on_this_host(asyncio.BaseTransport())
