import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.servers.proxy import HOST, Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says what it hears."""

    def answer(client: socket.socket) -> None:
        with client, suppress(ConnectionResetError):
            while data := client.recv(65536):
                client.sendall(data)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as made:
        yield made


def connect(proxy: Proxy) -> socket.socket:
    client = socket.create_connection((proxy.host, proxy.port))
    client.settimeout(30)
    return client


def says_nothing(client: socket.socket) -> bool:
    client.settimeout(0.1)
    try:
        return not client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(30)


def test_it_forwards(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert client.recv(9) == b"hello"
    assert (proxy.accepted, proxy.asked) == (1, 5)


def test_refusing_concerns_new_connections_alone_and_keeps_the_port(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.refuse()
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                connect(proxy)
        client.sendall(b"still here")
        assert client.recv(10) == b"still here"
    proxy.forward()
    with connect(proxy) as client:
        client.sendall(b"back")
        assert client.recv(4) == b"back"


def test_silence_is_for_old_and_new_connections(proxy: Proxy) -> None:
    with connect(proxy) as old:
        old.sendall(b"1")
        assert old.recv(1) == b"1"
        proxy.silence()
        with connect(proxy) as new:
            for client in (old, new):
                client.sendall(b"?")
                assert says_nothing(client)


def test_reset_is_a_reset(proxy: Proxy) -> None:
    with connect(proxy) as old:
        old.sendall(b"1")
        assert old.recv(1) == b"1"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            old.recv(1)
    with connect(proxy) as new, pytest.raises(ConnectionResetError):
        new.recv(1)


def test_it_cuts_in_the_middle(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.cut(2)
        client.sendall(b"abc")
        assert client.makefile("rb").read() == b"ab"


def test_what_is_slow_still_comes(proxy: Proxy) -> None:
    proxy.slow(0.01)
    with connect(proxy) as client:
        client.sendall(b"abc")
        assert client.recv(3) == b"abc"
