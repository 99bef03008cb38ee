"""MongoDB for the tests: a server of yours, given by `OMNIDB_TEST_MONGODB_URL`, or stand-ins.

No package registry carries a MongoDB server, nor one that speaks its protocol and knows replica sets. So the tests
bring a small one of their own (`_mongodb_stand_in.py`). It is no MongoDB: that a test passes against it shows what the
driver does with such answers, not that MongoDB gives them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers.base import Server, running, wait_until
from tests.servers.certificates import make_certificates
from tests.servers.folders import new_folder, template

URL = os.environ.get("OMNIDB_TEST_MONGODB_URL")
"""A server to test against besides; its login must be allowed to read and write the URL's database."""

VERSION = "7.0.99"
"""What the stand-in says of itself."""

DATABASE = "shop"
PASSWORD = "s3cret/@:?#%é"
USERS = {
    "app": {"password": PASSWORD, "roles": ["readWrite"]},
    "omnidb": {"password": PASSWORD, "roles": ["clusterMonitor", "read"]},
    "plain": {"password": PASSWORD, "roles": ["read"]},
}
ITEMS = [{"_id": number, "name": f"item {number}"} for number in (1, 2, 3)]
RECIPE = 1

_SOURCE = Path(__file__).resolve().parents[2]


class MongoStandIn(Server):
    """One stand-in for mongod. `tell` says what it shall be, and gives what it knows."""

    def __init__(self, name: str, folder: Path, **settings: Any) -> None:
        super().__init__(name, folder)
        self.socket = folder / f"{name}.sock"
        self.settings = {
            "name": name,
            "version": VERSION,
            "port": self.port,
            "users": USERS,
            "socket": str(self.socket),
            **settings,
        }
        self.told: dict[str, Any] = {}

    def argv(self) -> Sequence[str | Path]:
        return [sys.executable, "-m", "tests.servers._mongodb_stand_in", json.dumps(self.settings)]

    def start(self) -> None:
        """As whoever this is: the interpreter may be out of another user's reach, and nothing here needs one."""
        assert not self.is_running
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=_SOURCE, start_new_session=True
            )
        running.append(self)

    def answers(self) -> bool:
        if self.settings.get("tls"):
            return "ssl" in self.log_tail() or self.socket.exists()
        return bool(self._ask({"ping": 1})["ok"])

    def tell(self, **what: Any) -> dict[str, Any]:
        return self._ask({"standIn": what})

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        from tests.servers._mongodb_wire import ask

        return ask(self.port, command)

    def fail(self, *commands: str, times: int = 1, **how: Any) -> None:
        """Lets the next commands of these names fail: by `code`, `close`, `block_s`, or with a given `reply`."""
        self.tell(fail=[{"commands": list(commands), "times": times, **how}])

    def commands(self) -> list[str]:
        """The names of the commands that arrived since `forget`."""
        found: list[str] = self.tell()["commands"]
        return [name for name in found if name != "standIn"]

    def forget(self) -> None:
        self.tell(forget=True)


class MongoPair(NamedTuple):
    """A primary and a secondary that copies it; both are stand-ins."""

    primary: MongoStandIn
    replica: MongoStandIn

    def caught_up(self) -> None:
        """Returns when the replica has all that the primary has."""

        def level() -> bool:
            return bool(self.primary.tell()["applied"] == self.replica.tell()["applied"])

        wait_until(level, "the replica has caught up", 30, *self)

    def heal(self) -> None:
        """Both run, are what they were, and hold what they held at first."""
        for server, state in zip(self, ("PRIMARY", "SECONDARY"), strict=True):
            server.resume()
            if not server.is_running:
                server.start()
                server.wait_ready()
            server.tell(state=state, paused=False, most_connections=None, fail=[], extra={})
        if not self.replica.is_running:
            self.replica.start()
            self.replica.wait_ready()
            self.replica.tell(state="SECONDARY")
        self.primary.tell(documents={f"{DATABASE}.item": ITEMS})
        self.caught_up()


@pytest.fixture(scope="session")
def mongodb_servers(server_folder: Path) -> Iterator[MongoPair]:
    """The two stand-ins of this session. Tests take one of the two fixtures below."""
    folder = new_folder(server_folder, "mongodb")
    primary = MongoStandIn("mongodb-primary", folder, state="PRIMARY")
    replica = MongoStandIn("mongodb-replica", folder, state="SECONDARY", follow=primary.port)
    pair = MongoPair(primary, replica)
    for server in pair:
        server.settings["hosts"] = [f"{one.host}:{one.port}" for one in pair]
    for server in pair:
        server.start()
    for server in pair:
        server.wait_ready()
    pair.heal()
    yield pair
    for server in pair:
        server.kill()


@pytest.fixture
def mongodb(mongodb_servers: MongoPair) -> MongoPair:
    """A primary and a secondary, for a test that leaves both as it found them."""
    return mongodb_servers


@pytest.fixture
def fragile_mongodb(mongodb_servers: MongoPair) -> Iterator[MongoPair]:
    """The same for a test that kills, stops, promotes or sets something: it is put right afterwards."""
    yield mongodb_servers
    mongodb_servers.heal()


@pytest.fixture(scope="session")
def mongodb_certificates() -> Path:
    """A folder with `ca.crt`, `other-ca.crt` and the server's own certificate."""
    return template(f"mongodb-certificates-{RECIPE}", make_certificates)


@pytest.fixture(scope="session")
def mongodb_with_tls(server_folder: Path, mongodb_certificates: Path) -> Iterator[MongoStandIn]:
    """A stand-in, alone, that speaks TLS only."""
    folder = new_folder(server_folder, "mongodb-tls")
    tls = {"certificate": str(mongodb_certificates / "server.crt"), "key": str(mongodb_certificates / "server.key")}
    server = MongoStandIn("mongodb-tls", folder, tls=tls)
    server.start()
    server.wait_ready()
    yield server
    server.kill()
