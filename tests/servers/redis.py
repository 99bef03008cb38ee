"""Redis: a primary and a replica that follows it. They start in a moment, so a test that breaks one gets both anew."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers.base import Server, ServerError, binary, free_port, own, wait_until
from tests.servers.certificates import make_certificates
from tests.servers.folders import template

PASSWORD = "s3cr'et pw"
ADMIN_PASSWORD = "admin"
RECIPE = 1
"""Goes up with every change of the certificates, so that no older ones are used."""

LEAST = "on resetchannels ~* +ping +info"
"""The account that a check needs, as docs/engines/redis.md has it."""

READER = "on resetchannels ~* +ping +info +select +@read +command|info"
"""The account for statements that read, as docs/engines/redis.md has it."""

_SETTINGS = """
bind 127.0.0.1 -::1
unixsocketperm 777
save ""
appendonly no
daemonize no
databases 4
enable-debug-command local
enable-protected-configs local
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-ping-replica-period 10
masterauth {admin}
tls-auth-clients optional
user default on >{admin} ~* &* +@all
user app on #{password} ~* &* +@all
user least #{password} {least}
user reader #{password} {reader}
user nothing on #{password} -@all
"""


class RedisServer(Server):
    """One Redis with its data in `folder`: a plain port, one for TLS, and a unix socket. `extra` are more settings."""

    def __init__(self, name: str, folder: Path, certificates: Path, port: int | None = None) -> None:
        super().__init__(name, folder, port)
        self.tls_port = free_port()
        self.socket = folder / f"{name}.sock"
        self.data = folder / f"{name}-data"
        self.certificates = certificates
        self.extra: Sequence[str] = ()

    def prepare(self) -> None:
        """Writes its settings and makes its folder."""
        self.data.mkdir(mode=0o755, exist_ok=True)
        own(self.data)
        conf = self.folder / f"{self.name}.conf"
        conf.write_text(
            _SETTINGS.format(
                admin=ADMIN_PASSWORD, password=sha256(PASSWORD.encode()).hexdigest(), least=LEAST, reader=READER
            )
        )
        own(conf)

    def argv(self) -> list[str | Path]:
        certificates = self.certificates
        return [
            server_binary(), self.folder / f"{self.name}.conf",
            "--port", str(self.port), "--tls-port", str(self.tls_port), "--unixsocket", self.socket,
            "--dir", self.data, "--tls-ca-cert-file", certificates / "ca.crt",
            "--tls-cert-file", certificates / "server.crt", "--tls-key-file", certificates / "server.key", *self.extra,
        ]  # fmt: skip

    def answers(self) -> bool:
        import redis

        try:
            return self.ask("PING") == "PONG"
        except redis.exceptions.RedisError:
            return False

    def ask(self, *command: object, database: int = 0, limit_s: float | None = 10) -> Any:
        """What the superuser is answered, on a connection of its own, text decoded."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with redis.Redis(
            host=self.host, port=self.port, db=database, password=ADMIN_PASSWORD, protocol=2, decode_responses=True,
            encoding_errors="surrogateescape",
            retry=Retry(NoBackoff(), 0), socket_timeout=limit_s, socket_connect_timeout=limit_s,
            single_connection_client=True, driver_info=None,
        ) as client:  # fmt: skip
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def facts(self, section: str = "replication") -> dict[str, str]:
        lines = str(self.ask("INFO", section)).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def clients(self, user: str = "app") -> list[dict[str, str]]:
        """The connections of a user, as CLIENT LIST has them."""
        lines = str(self.ask("CLIENT", "LIST")).splitlines()
        found = [dict(pair.split("=", 1) for pair in line.split(" ") if "=" in pair) for line in lines]
        return [one for one in found if one["user"] == user]


class RedisPair(NamedTuple):
    """A primary and its replica. `certificates` holds `ca.crt`, `other-ca.crt`, `client.crt|key`."""

    primary: RedisServer
    replica: RedisServer
    certificates: Path

    def renew(self) -> None:
        """Both start anew, empty, with their settings as they were, and the replica follows."""
        for server in self[:2]:
            server.kill()
            server.extra = ()
            for left in server.data.iterdir():
                left.unlink()
            server.start()
        for server in self[:2]:
            server.wait_ready()
        self.replicate()

    def replicate(self) -> None:
        """Has the replica follow the primary, and waits until it does."""
        self.replica.ask("REPLICAOF", self.primary.host, self.primary.port)
        self.catch_up()

    def catch_up(self) -> None:
        """Waits until the replica has all that the primary has."""

        def level() -> bool:
            here, there = self.primary.facts(), self.replica.facts()
            up = there.get("master_link_status") == "up"
            return up and here["master_repl_offset"] == there.get("slave_repl_offset")

        wait_until(level, "the replica catches up", 30, self.primary, self.replica)


@pytest.fixture(scope="session")
def redis_servers(server_folder: Path) -> Iterator[RedisPair]:
    """The two servers of this session. Tests take one of the two fixtures below."""
    pair = start_pair(server_folder)
    yield pair
    for server in pair[:2]:
        server.kill()


def start_pair(folder: Path) -> RedisPair:
    """Two servers that are ready, one following the other."""
    certificates = template(f"redis-certificates-{RECIPE}", make_certificates)
    pair = RedisPair(
        *(RedisServer(name, folder, certificates) for name in ("redis-primary", "redis-replica")), certificates
    )
    for server in pair[:2]:
        server.prepare()
    pair.renew()
    return pair


@pytest.fixture
def redis_pair(redis_servers: RedisPair) -> RedisPair:
    """A primary and a replica that follows it, for a test that leaves both as it found them."""
    return redis_servers


@pytest.fixture
def fragile_redis(redis_servers: RedisPair) -> Iterator[RedisPair]:
    """The same for a test that kills, stops, promotes or sets something: both start anew afterwards."""
    yield redis_servers
    for server in redis_servers[:2]:
        server.resume()
    try:
        redis_servers.renew()
    except OSError as error:
        raise ServerError(f"the Redis servers do not start again: {error}") from error


def server_binary() -> str:
    """The path of the server's program."""
    return binary("redis-server", "valkey-server", package="redis-server")
