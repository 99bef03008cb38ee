"""Ending a connection at once, and where one leads."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from omnidb_cli.drivers._transport import abort, is_on_this_host


class Transport(asyncio.Transport):
    """Counts its aborts; one that is let go of has nothing inside to ask, as Python 3.11.2 has it."""

    def __init__(self, *, let_go: bool = False) -> None:
        super().__init__()
        self._inside = None if let_go else [0]

    @property
    def aborts(self) -> int:
        return self._inside[0] if self._inside else 0

    def abort(self) -> None:
        if self._inside is None:
            raise AttributeError("'NoneType' object has no attribute '_abort'")
        self._inside[0] += 1


def test_a_connection_is_aborted() -> None:
    transport = Transport()
    abort(transport)
    assert transport.aborts == 1


def test_one_that_tls_has_let_go_of_is_left_alone() -> None:
    abort(Transport(let_go=True))


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
