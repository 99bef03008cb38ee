"""MariaDB as the scenarios see it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenarios.server_pairs import Place, ServerPair, held_open
from tests.servers.base import Server
from tests.servers.mariadb import DATABASE, PASSWORD, MariaDB, MariadbPair

_ERROR = 0xFF


class Mariadb(ServerPair):
    """A primary and a replica that follows it by GTID. The user may write, and see how replication goes."""

    engine = "mysql"
    scheme = "mysql"
    database = DATABASE
    user = "fleet"
    password = PASSWORD
    read = "SELECT count(*) FROM writes"
    write = "INSERT INTO writes VALUES (1)"
    endless = "SELECT SLEEP(1000)"
    rejected = "SELECT * FROM nowhere"
    kind_without_tls = "auth"

    def __init__(self, servers: MariadbPair) -> None:
        self._servers = servers
        self.primary: MariaDB = servers.primary
        self.replica: MariaDB = servers.replica

    @property
    def certificates(self) -> Path:
        return self.primary.tls

    def missing_database(self, at: Place) -> str:
        return self.url(at, user="mighty", database="nowhere")

    def tls_refused(self) -> str:
        return self.url(self.replica, ssl_mode="REQUIRED")

    def tls_missing(self) -> str:
        return self.url(self.primary, user="encrypted", ssl_mode="DISABLED")

    def wrong_authority(self) -> str:
        return self.url(self.primary, ssl_ca=self.certificates / "other-ca.crt")

    def rows_after(self, writes: int) -> list[list[object]]:
        return [[writes]]

    def prepare(self) -> None:
        self.primary.sql(_PREPARATION, DATABASE)
        self.catch_up()

    def written(self, server: Server) -> int:
        return int(_sql(server, "SELECT count(*) FROM writes"))

    def is_running(self, server: Server) -> bool:
        return self.endless in _sql(server, _STATEMENTS)

    def clients(self, server: Server) -> int:
        return int(_sql(server, "SELECT count(*) FROM information_schema.processlist WHERE user = 'fleet'"))

    @contextmanager
    def lasting_write(self) -> Iterator[str]:
        yield "INSERT INTO writes SELECT SLEEP(3)"

    def finish_writing(self) -> None:
        """It is carried out by itself, three seconds after it began."""

    def is_writing(self) -> bool:
        return "INSERT" in self.primary.sql(_STATEMENTS)

    def promote(self) -> None:
        self.replica.sql("STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0")

    def make_read_only(self) -> None:
        self.primary.sql("SET GLOBAL read_only = 1")

    def stop_replication(self) -> None:
        self.replica.sql("STOP SLAVE SQL_THREAD")

    @contextmanager
    def lagging(self) -> Iterator[None]:
        self.replica.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE")
        self.primary.sql("INSERT INTO writes VALUES (0)", DATABASE)
        try:
            yield
        finally:
            self.replica.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE")
            self.catch_up()

    def catch_up(self) -> None:
        self._servers.catch_up()

    @contextmanager
    def exhausted(self, server: Server) -> Iterator[None]:
        _sql(server, "SET GLOBAL max_connections = 10, connect_timeout = 60")
        try:
            with held_open(server, _is_taken):
                yield
        finally:
            _sql(server, "SET GLOBAL max_connections = DEFAULT, connect_timeout = DEFAULT")


_PREPARATION = f"""
CREATE USER IF NOT EXISTS {Mariadb.user} IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON {DATABASE}.* TO {Mariadb.user};
GRANT SLAVE MONITOR ON *.* TO {Mariadb.user};
CREATE TABLE IF NOT EXISTS writes (a INT);
TRUNCATE writes
"""
_STATEMENTS = "SELECT info FROM information_schema.processlist WHERE user = 'fleet'"


def _sql(server: Server, query: str) -> str:
    assert isinstance(server, MariaDB)
    return server.sql(query, DATABASE)


def _is_taken(client: socket.socket) -> bool:
    """Waits for the greeting, and says nothing: whoever is greeted has a place."""
    return client.recv(5)[4] != _ERROR
