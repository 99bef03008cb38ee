"""PostgreSQL as the scenarios see it."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenarios.server_pairs import Place, ServerPair, held_open
from tests.servers.base import Server
from tests.servers.postgres import DATABASE, PASSWORD, PostgresPair, PostgresServer

_STARTUP = b"user\0app\0database\0" + DATABASE.encode() + b"\0\0"
_MOST = 22
"""Of the 24 connections; the rest are reserved for the administrator."""


class Postgres(ServerPair):
    """A primary and a streaming replica. `app` owns the table, and sees nothing beyond its database."""

    engine = "postgresql"
    scheme = "postgresql"
    database = DATABASE
    password = PASSWORD
    read = "SELECT count(*) FROM writes"
    write = "INSERT INTO writes VALUES (1)"
    endless = "SELECT pg_sleep(1000)"
    rejected = "SELECT * FROM nowhere"
    kind_without_tls = "auth"

    def __init__(self, servers: PostgresPair) -> None:
        self._servers = servers
        self.primary: PostgresServer = servers.primary
        self.replica: PostgresServer = servers.replica

    @property
    def certificates(self) -> Path:
        return self._servers.template

    def missing_database(self, at: Place) -> str:
        return self.url(at, database="nowhere")

    def tls_refused(self) -> str:
        self.replica.sql("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
        return self.url(self.replica, sslmode="require")

    def tls_missing(self) -> str:
        return self.url(self.primary, user="with_tls", sslmode="disable")

    def wrong_authority(self) -> str:
        return self.url(self.primary, sslmode="verify-ca", sslrootcert=self.certificates / "other-ca.crt")

    def rows_after(self, writes: int) -> list[list[object]]:
        return [[writes]]

    def prepare(self) -> None:
        self.primary.sql("CREATE TABLE IF NOT EXISTS writes (a int)", "GRANT ALL ON writes TO app", "TRUNCATE writes")
        self.catch_up()

    def written(self, server: Server) -> int:
        return int(_sql(server, "SELECT count(*) FROM writes"))

    def is_running(self, server: Server) -> bool:
        return _sql(server, f"SELECT EXISTS (SELECT FROM ({_ACTIVE}) a WHERE query = '{self.endless}')") == "t"

    def clients(self, server: Server) -> int:
        return int(_sql(server, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"))

    @contextmanager
    def lasting_write(self) -> Iterator[str]:
        yield "INSERT INTO writes SELECT 1 FROM pg_sleep(3)"

    def finish_writing(self) -> None:
        """It is carried out by itself, three seconds after it began."""

    def is_writing(self) -> bool:
        return self.primary.sql(f"SELECT EXISTS (SELECT FROM ({_ACTIVE}) a WHERE query LIKE 'INSERT%')") == "t"

    def promote(self) -> None:
        self.replica.sql("SELECT pg_promote()")

    def make_read_only(self) -> None:
        self.primary.sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")

    def stop_replication(self) -> None:
        self.replica.sql("SELECT pg_wal_replay_pause()")

    @contextmanager
    def lagging(self) -> Iterator[None]:
        self.replica.sql("ALTER SYSTEM SET recovery_min_apply_delay = '1h'", "SELECT pg_reload_conf()")
        self.primary.sql("INSERT INTO writes VALUES (0)")
        try:
            yield
        finally:
            self.replica.sql("ALTER SYSTEM RESET recovery_min_apply_delay", "SELECT pg_reload_conf()")
            self.catch_up()

    def catch_up(self) -> None:
        self._servers.catch_up()

    @contextmanager
    def exhausted(self, server: Server) -> Iterator[None]:
        with held_open(server, _is_taken, _MOST):
            yield


_ACTIVE = "SELECT query FROM pg_stat_activity WHERE usename = 'app' AND state = 'active'"


def _sql(server: Server, query: str) -> str:
    assert isinstance(server, PostgresServer)
    return server.sql(query)


def _is_taken(client: socket.socket) -> bool:
    """Begins to log in, and says no more: whoever is asked for a password has a place."""
    client.sendall(struct.pack("!ii", 8 + len(_STARTUP), 196608) + _STARTUP)
    return client.recv(1) == b"R"
