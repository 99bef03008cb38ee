"""PostgreSQL: a primary and a streaming replica, made from one template that is kept between sessions."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers.base import Server, binary, run, wait_until
from tests.servers.certificates import make_certificates
from tests.servers.folders import copy, template

PASSWORD = "s3cr'et pw"
DATABASE = "app"
RECIPE = 2
"""Goes up with every change of what is below, so that no older template is used."""

_SETTINGS = """
fsync = off
synchronous_commit = on
full_page_writes = off
shared_buffers = 16MB
max_connections = 24
superuser_reserved_connections = 3
max_wal_senders = 4
wal_keep_size = 512MB
max_wal_size = 1GB
wal_level = replica
hot_standby = on
wal_retrieve_retry_interval = 100ms
hot_standby_feedback = off
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %u@%d '
ssl = on
ssl_ca_file = 'ca.crt'
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
password_encryption = 'scram-sha-256'
"""

_WHO_MAY = """
local all admin trust
local all all scram-sha-256
host replication admin 127.0.0.1/32 trust
host all admin 127.0.0.1/32 trust
hostssl all with_tls 127.0.0.1/32 scram-sha-256
host all with_tls 127.0.0.1/32 reject
hostssl all with_certificate 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
"""

_LOGINS = f"""
CREATE ROLE app LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
CREATE ROLE with_tls LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
CREATE ROLE with_certificate LOGIN;
CREATE ROLE limited LOGIN PASSWORD '{PASSWORD.replace("'", "''")}' CONNECTION LIMIT 0;
CREATE DATABASE {DATABASE} OWNER app;
CREATE DATABASE forbidden;
REVOKE CONNECT ON DATABASE forbidden FROM PUBLIC;
"""


class PostgresServer(Server):
    """One PostgreSQL on a data folder below `folder`, its unix socket in `folder` too. `options` are more arguments."""

    stop_signal = signal.SIGINT

    def __init__(self, name: str, folder: Path, port: int | None = None) -> None:
        super().__init__(name, folder, port)
        self.data = folder / f"{name}-data"
        self.options: Sequence[str] = ()

    def argv(self) -> list[str | Path]:
        return [
            postgres_binary("postgres"), "-D", self.data, "-p", str(self.port),
            "-c", f"listen_addresses={self.host}", "-c", f"unix_socket_directories={self.folder}", *self.options,
        ]  # fmt: skip

    def answers(self) -> bool:
        argv = [postgres_binary("pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        return subprocess.run(argv, check=False).returncode == 0

    def sql(self, *statements: str, database: str = DATABASE) -> str:
        """Runs each statement as the superuser `admin`; what they print, without headers. Raises ServerError."""
        argv = [postgres_binary("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port),
                "-U", "admin", "-d", database]  # fmt: skip
        return run([*argv, *(part for one in statements for part in ("-c", one))]).strip()


class PostgresPair(NamedTuple):
    """A primary and its replica. `template` holds, beside the data, `ca.crt`, `other-ca.crt`, `client.crt|key`."""

    primary: PostgresServer
    replica: PostgresServer
    template: Path

    def replicate(self) -> None:
        """Makes the replica anew from the template, following the primary, and waits until it does."""
        primary, replica = self.primary, self.replica
        replica.kill()
        shutil.rmtree(replica.data, ignore_errors=True)
        copy(self.template / "data", replica.data)
        with (replica.data / "postgresql.conf").open("a") as settings:
            settings.write(f"primary_conninfo = 'host=127.0.0.1 port={primary.port} user=admin'\n")
        (replica.data / "standby.signal").touch()
        shutil.chown(replica.data / "standby.signal", replica.data.stat().st_uid, replica.data.stat().st_gid)
        replica.start()
        replica.wait_ready()

    def heal(self) -> None:
        """Both run, nobody else is connected, and the replica has all that the primary has."""
        for server in (self.primary, self.replica):
            server.resume()
            if not server.is_running:
                server.start()
                server.wait_ready()
            server.sql(
                "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
            )  # fmt: skip
        if self.replica.sql("SELECT pg_is_in_recovery()") != "t":
            self.replicate()
        self.replica.sql("SELECT pg_wal_replay_resume()")
        self.catch_up()

    def catch_up(self) -> None:
        """Waits until the replica has replayed all that the primary has written."""
        written = self.primary.sql("SELECT pg_current_wal_lsn()")
        query = f"SELECT EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: self.replica.sql(query) == "t", "the replica catches up", 30, self.primary, self.replica)


def postgres_binary(name: str = "postgres") -> str:
    """The path of one of the server's programs, of the newest version that is installed."""
    versions = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: int(path.parts[4]), reverse=True)
    return binary(name, package="postgresql", folders=map(str, versions))


@pytest.fixture(scope="session")
def postgres_servers(server_folder: Path) -> Iterator[PostgresPair]:
    """The two servers of this session. Tests take one of the two fixtures below."""
    pair = start_pair(server_folder)
    yield pair
    pair.primary.kill()
    pair.replica.kill()


def start_pair(folder: Path) -> PostgresPair:
    """Two servers that are ready, one following the other."""
    version = re.search(r"\d+[\d.]*", run([postgres_binary("postgres"), "--version"]))
    assert version is not None
    source = template(f"postgresql-{version[0]}-{RECIPE}", _build)
    pair = PostgresPair(PostgresServer("pg-primary", folder), PostgresServer("pg-replica", folder), source)
    copy(source / "data", pair.primary.data)
    pair.primary.start()
    pair.replicate()
    pair.primary.wait_ready()
    return pair


@pytest.fixture
def postgres(postgres_servers: PostgresPair) -> PostgresPair:
    """A primary and a replica that follows it, for a test that leaves both as it found them."""
    return postgres_servers


@pytest.fixture
def fragile_postgres(postgres_servers: PostgresPair) -> Iterator[PostgresPair]:
    """The same for a test that kills, stops, promotes or sets something: it is put right afterwards."""
    yield postgres_servers
    postgres_servers.heal()


def _build(folder: Path) -> None:
    data = folder / "data"
    make_certificates(folder)
    run([postgres_binary("initdb"), "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
    for name in ("ca.crt", "server.crt", "server.key"):
        copy(folder / name, data / name)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    (data / "pg_hba.conf").write_text(_WHO_MAY)
    server = PostgresServer("template", folder)
    server.data = data
    server.start()
    server.wait_ready()
    server.sql(*filter(None, (line.strip() for line in _LOGINS.splitlines())), database="postgres")
    server.stop()
    server.log.unlink()
