"""A MariaDB primary and a replica that follows it by GTID, from a template that is filled once."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers.base import Server, ServerError, binary, run, wait_until
from tests.servers.certificates import make_certificates
from tests.servers.folders import copy, new_folder, template

PACKAGE = "mariadb-server"
RECIPE = 3
"""To be counted up whenever the template is filled differently."""

DATABASE = "shop"
PASSWORD = "s3cret/@:?#%é"
"""Of every account: full of what a URL must encode, and not ASCII."""

# `omnidb` is the account of docs/engines/mysql.md, `plain` may do no more than log in.
_ACCOUNTS = f"""
CREATE DATABASE {DATABASE};
CREATE USER app IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON {DATABASE}.* TO app;
CREATE USER plain IDENTIFIED BY '{PASSWORD}';
CREATE USER omnidb IDENTIFIED BY '{PASSWORD}';
GRANT SLAVE MONITOR ON *.* TO omnidb;
GRANT SELECT ON {DATABASE}.* TO omnidb;
CREATE USER encrypted IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
CREATE USER single IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 1;
CREATE USER mighty IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO mighty;
CREATE USER repl IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO repl;
CREATE TABLE {DATABASE}.item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100));
INSERT INTO {DATABASE}.item(name) VALUES ('item 1'), ('item 2'), ('item 3');
"""


class MariaDB(Server):
    """One MariaDB server. `sql` acts as root, who is no part of what is tested."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        super().__init__(name, folder)
        self.data = folder / "data"
        self.socket = folder / "s"
        self.tls = folder / "tls"
        self.options = list(options)

    def argv(self) -> list[str]:
        return [
            server_binary(), "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder}",
            f"--port={self.port}", f"--bind-address={self.host}", f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}", "--skip-name-resolve", "--loose-performance-schema=0",
            "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=2",
            "--innodb-flush-method=nosync", "--key-buffer-size=64K", "--aria-pagecache-buffer-size=1M",
            "--character-set-server=utf8mb4", "--secure-file-priv=", "--slave-net-timeout=2",
            "--max-connect-errors=100000", "--thread-handling=one-thread-per-connection", *self.options,
        ]  # fmt: skip

    def answers(self) -> bool:
        with socket.create_connection((self.host, self.port), 1) as client:
            return len(client.recv(5)) == 5

    def sql(self, statement: str, database: str = "", *, may_fail: bool = False) -> str:
        """What the statements answer, tab-separated, as root sees it."""
        try:
            return self._ask("-NBe", statement, f"--database={database}").rstrip("\n")
        except ServerError:
            if may_fail:
                return ""
            raise

    def script(self, text: str, database: str = "") -> None:
        """Runs statements that end in `//`, as root."""
        self._ask("--delimiter=//", "-e", text, f"--database={database}")

    def status(self) -> dict[str, str]:
        """What the replica says about itself."""
        answer = self._ask("-Ee", "SHOW SLAVE STATUS")
        pairs = (line.strip().partition(":") for line in answer.splitlines() if ":" in line)
        return {name: value.strip() for name, _, value in pairs}

    def _ask(self, *arguments: str) -> str:
        client = binary("mariadb", "mysql", package="mariadb-client")
        return run([client, "--no-defaults", "-uroot", "-S", self.socket, *arguments])


class MariadbPair(NamedTuple):
    """A primary, which offers TLS, and the replica that follows it and may only be read."""

    primary: MariaDB
    replica: MariaDB

    def follow(self) -> None:
        """Lets the replica follow, from wherever it stopped, and returns when it does."""
        self.replica.sql(
            f"STOP SLAVE; CHANGE MASTER TO MASTER_HOST='{self.primary.host}', MASTER_PORT={self.primary.port},"
            " MASTER_USER='repl', MASTER_PASSWORD='repl', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1,"
            " MASTER_HEARTBEAT_PERIOD=0.5; START SLAVE"
        )
        wanted = {"Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": "0"}
        wait_until(lambda: wanted.items() <= self.replica.status().items(), "the replica follows", 30, self.replica)

    def catch_up(self) -> None:
        """Returns when the replica has all that the primary has written."""
        position = self.primary.sql("SELECT @@gtid_binlog_pos")
        assert self.replica.sql(f"SELECT MASTER_GTID_WAIT('{position}', 30)") == "0"

    def heal(self) -> None:
        """Both run as they began, nobody else is connected, and the replica has all that the primary has."""
        for server in (self.primary, self.replica):
            server.resume()
            if not server.is_running:
                server.start()
                server.wait_ready()
            server.sql("SET GLOBAL max_connections = DEFAULT, max_statement_time = DEFAULT, read_only = 0")
            for number in server.sql(_OTHERS).split():
                server.sql(f"KILL {number}", may_fail=True)
        self.replica.sql("SET GLOBAL read_only = 1")
        self.follow()
        self.catch_up()


_OTHERS = (
    "SELECT id FROM information_schema.processlist"
    " WHERE id <> connection_id() AND user NOT IN ('root', 'repl', 'system user')"
)


def make(name: str, parent: Path, *options: str) -> MariaDB:
    """A server with its own copy of the template; not started."""
    folder = new_folder(parent, name)
    source = _template()
    for part in ("data", "tls"):
        copy(source / part, folder / part)
    return MariaDB(name, folder, *options)


@pytest.fixture(scope="session")
def mariadb_servers(server_folder: Path) -> Iterator[MariadbPair]:
    """The two servers of this session. Tests take one of the two fixtures below."""
    pair = start_pair(server_folder)
    yield pair
    for server in pair:
        server.kill()


def start_pair(parent: Path) -> MariadbPair:
    """Two servers that are ready, one following the other."""
    folder = new_folder(parent, "mariadb")
    primary = make("mariadb-primary", folder, "--server-id=1", "--log-bin", "--binlog-format=ROW")
    tls = primary.tls
    primary.options += [f"--ssl-ca={tls}/ca.crt", f"--ssl-cert={tls}/server.crt", f"--ssl-key={tls}/server.key"]
    replica = make("mariadb-replica", folder, "--server-id=2", "--read-only=1")
    pair = MariadbPair(primary, replica)
    for server in pair:
        server.start()
    for server in pair:
        server.wait_ready()
    pair.follow()
    return pair


@pytest.fixture
def mariadb(mariadb_servers: MariadbPair) -> MariadbPair:
    """A primary and a replica that follows it, for a test that leaves both as it found them."""
    return mariadb_servers


@pytest.fixture
def fragile_mariadb(mariadb_servers: MariadbPair) -> Iterator[MariadbPair]:
    """The same for a test that kills, stops, promotes or sets something: it is put right afterwards."""
    yield mariadb_servers
    mariadb_servers.heal()


def server_binary() -> str:
    """The path of the server's program."""
    return binary("mariadbd", "mysqld", package=PACKAGE)


def _template() -> Path:
    version = run([server_binary(), "--no-defaults", "--version"]).split("Ver ")[1].split()[0]
    return template(f"mariadb-{version}-{RECIPE}", _fill)


def _fill(folder: Path) -> None:
    make_certificates(new_folder(folder, "tls"))
    installer = binary("mariadb-install-db", "mysql_install_db", package=PACKAGE)
    data = folder / "data"
    run([installer, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
         "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M"])  # fmt: skip
    server = MariaDB("mariadb-template", folder, "--skip-networking=0")
    server.start()
    try:
        server.wait_ready()
        server.sql(_ACCOUNTS)
    finally:
        server.stop()
        server.log.unlink()
