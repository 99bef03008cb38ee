"""The engines that a URL can name, by scheme, and what differs between their URLs. Written once."""

from collections.abc import Mapping

from omnidb_cli.tuples import NamedTuple


class Engine(NamedTuple):
    """One engine. `port` is its default; `host_params` are the parameters that stand in for the host in the URL.

    A host that begins with `/` is a unix socket, or the folder of one. `service_param` names an entry of the engine's
    own files, which may say the host.
    """

    name: str
    schemes: tuple[str, ...]
    port: int | None = None
    several_hosts: bool = False
    host_params: tuple[str, ...] = ()
    service_param: str | None = None


ENGINES = (
    Engine("postgresql", ("postgresql", "postgres"), 5432, True, ("host",), "service"),
    Engine("mysql", ("mysql", "mariadb"), 3306, several_hosts=True, host_params=("unix_socket", "socket")),
    Engine("redis", ("redis", "rediss", "valkey", "valkeys", "unix"), 6379),
    Engine("mongodb", ("mongodb", "mongodb+srv"), 27017, several_hosts=True),
    Engine("sqlite", ("sqlite",)),
)
BY_SCHEME: Mapping[str, Engine] = {scheme: engine for engine in ENGINES for scheme in engine.schemes}
STATE_SCHEMES = ("sqlite", "memory", "redis", "rediss", "postgresql", "postgres")
