"""Ending a connection at once."""

import asyncio

from omnidb_cli.drivers._transport import abort


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
