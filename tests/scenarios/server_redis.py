"""Redis as the scenarios see it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenarios.server_pairs import Place, ServerPair, held_open
from tests.servers.base import Server, free_port, wait_until
from tests.servers.redis import PASSWORD, RedisPair, RedisServer


class Redis(ServerPair):
    """A primary and a replica that follows it. `app` may do everything. Nothing is kept on disk."""

    engine = "redis"
    scheme = "redis"
    database = "0"
    password = PASSWORD
    read = "GET writes"
    write = "INCR writes"
    endless = "BLPOP nothing 0"
    rejected = "GET"
    kind_without_tls = "reset"
    kind_of_no_tls = "timeout"
    can_lag = False

    def __init__(self, servers: RedisPair) -> None:
        self._servers = servers
        self.primary: RedisServer = servers.primary
        self.replica: RedisServer = servers.replica

    @property
    def certificates(self) -> Path:
        return self._servers.certificates

    def missing_database(self, at: Place) -> str:
        return self.url(at, database="99")

    def tls_refused(self) -> str:
        return self.url(self.primary, scheme="rediss")

    def tls_missing(self) -> str:
        return self.url(self.primary, port=self.primary.tls_port)

    def wrong_authority(self) -> str:
        return f"{self._by_tls()}?ssl_ca_certs={self.certificates / 'other-ca.crt'}"

    def _by_tls(self) -> str:
        return self.url(self.primary, scheme="rediss", port=self.primary.tls_port)

    def rows_after(self, writes: int) -> list[list[object]]:
        return [[str(writes)]]

    def prepare(self) -> None:
        self.primary.ask("SET", "writes", 0)
        self.catch_up()

    def written(self, server: Server) -> int:
        assert isinstance(server, RedisServer)
        return int(server.ask("GET", "writes") or 0)

    def is_running(self, server: Server) -> bool:
        assert isinstance(server, RedisServer)
        return any(one["cmd"] == "blpop" for one in server.clients())

    def clients(self, server: Server) -> int:
        assert isinstance(server, RedisServer)
        return len(server.clients())

    @contextmanager
    def lasting_write(self) -> Iterator[str]:
        """Writes are held up, as nothing that writes takes long by itself."""
        self.primary.ask("CLIENT", "PAUSE", 600_000, "WRITE")
        try:
            yield self.write
        finally:
            if self.primary.answers():
                self.finish_writing()

    def finish_writing(self) -> None:
        self.primary.ask("CLIENT", "UNPAUSE")

    def is_writing(self) -> bool:
        return any("b" in one["flags"] for one in self.primary.clients())

    def promote(self) -> None:
        self.replica.ask("REPLICAOF", "NO", "ONE")

    def make_read_only(self) -> None:
        self.primary.ask("REPLICAOF", self.primary.host, free_port())

    def stop_replication(self) -> None:
        self.replica.ask("REPLICAOF", self.primary.host, free_port())

    def catch_up(self) -> None:
        self._servers.catch_up()

    @contextmanager
    def exhausted(self, server: Server) -> Iterator[None]:
        assert isinstance(server, RedisServer)
        server.ask("CONFIG", "SET", "maxclients", 12)
        with held_open(server, _is_taken):
            yield
        wait_until(server.answers, "there is room again", 30, server)
        server.ask("CONFIG", "SET", "maxclients", 1000)


def _is_taken(client: socket.socket) -> bool:
    """Asks for anything: whoever is told to log in has a place."""
    client.sendall(b"PING\r\n")
    return client.recv(100).startswith(b"-NOAUTH")
