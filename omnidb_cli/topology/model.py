"""A topology as everybody else sees it: frozen, resolved, in seconds. Its `repr` shows no secret."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import astuple, replace

from omnidb_cli.errors import UnknownConnectionError
from omnidb_cli.topology.secrets.secret import Secret, Secrets
from omnidb_cli.topology.urls.state import StateUrl
from omnidb_cli.topology.urls.url import Url


class HealthCheckSettings(Struct, frozen=True):
    """How a connection is checked. `statement` is None for the engine's own."""

    interval_s: float
    timeout_s: float
    retries: int
    retry_delay_s: float
    rise: int
    fall: int
    statement: str | None = None


class CircuitBreakerSettings(Struct, frozen=True):
    """When a circuit trips and how it comes back."""

    threshold: int
    reset_timeout_s: float
    half_open_successes: int
    max_reset_timeout_s: float


class FailoverRule(Struct, frozen=True):
    """Who serves instead, in order. `writes` is `deny` or `allow`, `failback` `auto` or `manual`."""

    to: tuple[str, ...]
    writes: str
    failback: str
    failback_after_s: float


class Connection(Struct, frozen=True):
    """One endpoint. `role` is the one it must have, None: not verified."""

    name: str
    engine: str
    url: Url
    health_check: HealthCheckSettings
    role: str | None = None
    tags: tuple[str, ...] = ()
    max_lag_s: float | None = None
    slow_s: float | None = None

    @property
    def address(self) -> str:
        """Where it is, for people: `db1.internal:5432/app`, or a SQLite file as it is written."""
        return self.url.address

    @property
    def password(self) -> Secret | None:
        """The password, from wherever in the file it came."""
        return self.url.password


_NOBODY: Mapping[str, FailoverRule] = MappingProxyType({})


class Topology(Struct, frozen=True):
    """A validated file. `connections` and `failover` are in the order of the file.

    `named` says whether the file gives the name itself, or the file's own name stands in. `path` is the absolute
    path of the file, None for a text. `circuit_breaker` is None when it is turned off, `state` when the file does
    not say where. `secrets` is everything that must not be shown. `whole` is the topology that this one is a part of.
    """

    name: str
    path: str | None
    connections: Mapping[str, Connection]
    failover: Mapping[str, FailoverRule]
    health_check: HealthCheckSettings
    circuit_breaker: CircuitBreakerSettings | None
    secrets: Secrets
    state: StateUrl | None = None
    named: bool = True
    whole: "Topology | None" = None

    def __repr__(self) -> str:
        return f"Topology({self.name!r}, connections={list(self.connections)})"

    @property
    def standbys(self) -> frozenset[str]:
        """Connections that only stand by for others (semantics, Failover 9), also of those that a part leaves out."""
        whole = self.whole or self
        backups = {name for rule in whole.failover.values() for name in rule.to} - whole.failover.keys()
        return frozenset(name for name in backups if whole.connections[name].role != "primary")

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """The named connections and everybody who could serve for them, in the order of the file.

        Raises UnknownConnectionError.
        """
        wanted: set[str] = set()
        todo = list(dict.fromkeys(names))
        if unknown := [name for name in todo if name not in self.connections]:
            raise UnknownConnectionError(unknown, tuple(self.connections))
        while todo:
            name = todo.pop()
            if name in wanted:
                continue
            wanted.add(name)
            if rule := self.failover.get(name):
                todo += rule.to
        return tuple(name for name in self.connections if name in wanted)

    def restricted(self, names: Iterable[str]) -> "Topology":
        """The topology of only these connections and their backups. Raises UnknownConnectionError."""
        kept = self.closure(names)
        return replace(
            self,
            connections=MappingProxyType({name: self.connections[name] for name in kept}),
            failover=MappingProxyType({name: self.failover[name] for name in kept if name in self.failover}),
            whole=self.whole or self,
        )


def fingerprint(connection: Connection, topology: Topology) -> str:
    """Eight hex digits that change when the connection's URL or a setting that matters to its circuit does.

    The password is no part of it: a rotated password is the same connection. Nor is the interval: `watch --interval`
    checks the same connection, only more often.
    """
    from zlib import crc32

    url, health_check = connection.url, replace(connection.health_check, interval_s=0.0)
    breaker = topology.circuit_breaker
    parts = (
        url.scheme, url.username, url.hosts, url.database, url.path, sorted(_shown_params(url)), connection.role,
        connection.max_lag_s, connection.slow_s, astuple(health_check), () if breaker is None else astuple(breaker),
    )  # fmt: skip
    return f"{crc32(repr(parts).encode()):08x}"


def _shown_params(url: Url) -> list[tuple[str, str]]:
    from omnidb_cli.topology.secrets.redaction import is_secret_name

    return [(name, value) for name, value in url.params.items() if not is_secret_name(name)]
