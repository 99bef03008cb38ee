"""Two real servers of one engine, a primary and its replica, in the same words for every engine.

A test takes the fixture `fleet` (server_fleet.py), or `pair` alone, and runs once for each engine:

    def test_a_primary_that_dies(fleet: Fleet) -> None:
        fleet.pair.primary.kill()                          # also hang, resume, stop, start, wait_ready, restart
        assert fleet.run("exec", "primary", fleet.pair.read).returncode == 0

What is killed, hung, promoted, made read-only or stopped is put right after the test; what a context manager here did
is undone at its end.
"""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote, urlencode

from tests.servers.base import Server

MARK = "s3cr"
"""Is in every password of these servers, the wrong one too: whoever prints it has leaked one."""

WRONG_PASSWORD = f"{MARK}3t/wr0ng"


class Place(Protocol):
    """Where a URL leads: a server, or a proxy before one."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class ServerPair(ABC):
    """One engine's pair. Whatever asks a server here goes another way than omnidb does, as its administrator.

    `read` answers with how many writes have taken effect, see `rows_after`. `write` adds one, on whoever may be
    written. `endless` runs until somebody stops it, on a primary. `rejected` is wrong wherever it runs.
    """

    engine: ClassVar[str]
    scheme: ClassVar[str]
    database: ClassVar[str]
    user: ClassVar[str] = "app"
    password: ClassVar[str]
    read: ClassVar[str]
    write: ClassVar[str]
    endless: ClassVar[str]
    rejected: ClassVar[str]

    kind_without_tls: ClassVar[str]
    """The kind of error of who should have come by TLS, and did not."""

    kind_of_no_tls: ClassVar[str] = "tls"
    """The kind of error of who comes by TLS where there is none."""

    can_lag: ClassVar[bool] = True
    """Whether `lagging` works: a Redis replica applies what it receives, and is behind only when it hears nothing."""

    primary: Server
    replica: Server

    @property
    @abstractmethod
    def certificates(self) -> Path:
        """The folder of `ca.crt`, which signed the primary's certificate, and of `other-ca.crt`, which did not."""

    def url(
        self,
        at: Place,
        *,
        user: str | None = None,
        password: str | None = None,
        database: str | None = None,
        scheme: str | None = None,
        port: int | None = None,
        **params: object,
    ) -> str:
        """The URL of a server, or of a proxy before it; each part that is left out is right."""
        login = f"{quote(user or self.user)}:{quote(password or self.password, safe='')}"
        query = f"?{urlencode({name.replace('_', '-'): value for name, value in params.items()})}" if params else ""
        where = f"{at.host}:{port or at.port}/{database or self.database}"
        return f"{scheme or self.scheme}://{login}@{where}{query}"

    def wrong_password(self, at: Place) -> str:
        """The URL with a password that is refused."""
        return self.url(at, password=WRONG_PASSWORD)

    @abstractmethod
    def missing_database(self, at: Place) -> str:
        """The URL of a database that is not there, for a user who is told so."""

    @abstractmethod
    def tls_refused(self) -> str:
        """The URL that insists on TLS, of a server that has none to offer; see `kind_of_no_tls`."""

    @abstractmethod
    def tls_missing(self) -> str:
        """The URL without TLS where the primary takes nothing else; see `kind_without_tls`."""

    @abstractmethod
    def wrong_authority(self) -> str:
        """The URL of the primary by TLS that trusts only somebody else's certificates."""

    @abstractmethod
    def rows_after(self, writes: int) -> list[list[object]]:
        """The rows of `read` once so many writes have taken effect."""

    @abstractmethod
    def prepare(self) -> None:
        """No write has taken effect, on both."""

    @abstractmethod
    def written(self, server: Server) -> int:
        """How many writes have taken effect there."""

    @abstractmethod
    def is_running(self, server: Server) -> bool:
        """Whether the server works on `endless`."""

    @abstractmethod
    def clients(self, server: Server) -> int:
        """How many connections omnidb has to it."""

    @abstractmethod
    def lasting_write(self) -> AbstractContextManager[str]:
        """A write that the primary takes, and carries out so much later that a test can come between.

        It counts as one in `written`. `finish_writing` ends the delay of one that waits for that.
        """

    @abstractmethod
    def finish_writing(self) -> None:
        """Lets the statement of `lasting_write` be carried out; others are after a while."""

    @abstractmethod
    def is_writing(self) -> bool:
        """Whether the primary has the statement of `lasting_write`, and has not carried it out yet."""

    @abstractmethod
    def promote(self) -> None:
        """Makes the replica take writes, as an operator would after the primary's death."""

    @abstractmethod
    def make_read_only(self) -> None:
        """Makes the primary take no more writes; a Redis primary for that becomes a replica."""

    @abstractmethod
    def stop_replication(self) -> None:
        """The replica stops following; what it has, it has."""

    def lagging(self) -> AbstractContextManager[None]:
        """Meanwhile the replica, though it replicates, is behind by a write more and more. Only where `can_lag`."""
        raise NotImplementedError

    @abstractmethod
    def catch_up(self) -> None:
        """Returns when the replica has all that the primary has written."""

    @abstractmethod
    def exhausted(self, server: Server) -> AbstractContextManager[None]:
        """Meanwhile others hold every connection that the server has to give."""

    def start(self, server: Server) -> None:
        """Starts one that was killed or stopped; returns when it answers."""
        server.start()
        server.wait_ready()


@contextmanager
def held_open(server: Server, is_taken: Callable[[socket.socket], bool], most: int = 100) -> Iterator[None]:
    """Holds connections until the server takes no more, or `most` of them; `is_taken` greets it on a new one."""
    with ExitStack() as held:
        for _ in range(most):
            client = held.enter_context(socket.create_connection((server.host, server.port), 10))
            if not is_taken(client):
                break
        yield
